"""Which language a text is in, told by its function words; which script it is written in."""

from collections import Counter
from collections.abc import Collection, Iterable

import regex

_FUNCTION_WORDS = {
    "da": "og i at det som en på er af for med den til ikke om et har de var hvad hvem hvordan fra "
    "når hvilken eller efter ved også blev",
    "de": "der die das und in den von zu mit ist des ein eine im für auf dem nicht als auch es an "
    "werden aus wie was wer sich wurde war",
    "en": "the of and to in is was for that it with as on by are be at from which what who how when "
    "where why did does do an were has have many his a or not you can",
    "es": "el la de que y en los las un una por con para del se al es su lo como qué cuál quién cómo "
    "cuándo dónde fue más son no",
    "fi": "ja on ei että se oli hän mutta tai kun myös joka ovat sekä mitä mikä kuka miten missä "
    "milloin jos niin kuin ole vain sen sitä olivat kuinka voi",
    "fr": "le la les de des du et en un une est que qui dans pour par sur au aux ce il elle ne pas "
    "plus quel quelle comment où ont",
    "hu": "a az és hogy nem is egy van meg volt de ez ki mi mit hogyan hol mikor melyik vagy azt csak "
    "már mint még ha be el lesz után",
    "it": "il la di che e in un una del della dei per con è le gli i al da non sono come quale chi "
    "più nel alla si quando dove",
    "nl": "de het een en van in is dat op te voor met zijn die niet aan er als ook wat wie hoe was "
    "door bij uit naar worden waar werd",
    "no": "og i å det som en på er av for med den til ikke om et har de var hva hvem hvordan fra når "
    "hvilken eller etter ved også ble",
    "pt": "o a os as de que e em um uma do da dos das no na para com por não é se foi qual quem como "
    "onde quando ao mais",
    "ro": "și în de la a cu pe un o care este din nu să se că mai pentru au fost ce cine cum unde "
    "când sunt sau lui al ale",
    "ru": "и в не на что с по как это он из у за к от а но для о же его то все кто где когда какой "
    "был были или",
    "sv": "och i att det som en på är av för med den till inte om ett har de var vad vem hur från när "
    "vilken eller efter vid också",
    "tr": "ve bir bu da de için ile ne mi kim nasıl nerede olarak daha çok gibi olan var hangi o en "
    "ya kaç sonra kadar değil ama her zaman olduğu",
}
LANGUAGES: dict[str, frozenset[str]] = {
    code: frozenset(words.split()) for code, words in _FUNCTION_WORDS.items()
}
_SPEAKS_FOR: dict[str, list[str]] = {
    word: [code for code, words in LANGUAGES.items() if word in words]
    for word in frozenset().union(*LANGUAGES.values())
}
UNKNOWN = "und"
"""ISO 639's code for an undetermined language."""

_MARKS = {
    "da": "øæ", "de": "ß", "es": "ñ¿¡", "fr": "œ", "hu": "őű", "no": "øæ", "pt": "ãõ",
    "ro": "țţășş", "ru": "ыэъ", "tr": "ığş",
}  # fmt: skip
"""Letters that speak for a language: one vote for any of them."""
_WORD = regex.compile(r"\p{L}[\p{L}\p{M}]*")
_SCRIPTS = {
    "zh": r"\p{Han}",
    "ja": r"[\p{Hiragana}\p{Katakana}]",
    "ko": r"\p{Hangul}",
    "ar": r"\p{Arabic}",
    "el": r"\p{Greek}",
    "he": r"\p{Hebrew}",
    "hi": r"\p{Devanagari}",
    "th": r"\p{Thai}",
    "hy": r"\p{Armenian}",
    "ta": r"\p{Tamil}",
}
"""Scripts that stand for one language, or for its family, as far as we need to know."""
_ALONE = regex.compile("|".join(f"(?P<{code}>{letters})" for code, letters in _SCRIPTS.items()))
_SAMPLE = 4000


def language(text: str, among: Collection[str] = ()) -> str:
    """Return the ISO 639-1 code of the language that most of the text's start is in, or `und`.

    A script that one language owns decides; else the language with the most function words. A tie
    is undetermined. `among`, where given, are the only languages that it can be.
    """
    sample = text[:_SAMPLE].casefold()
    words = Counter(_WORD.findall(sample))
    if not sample.isascii():
        letters = Counter(match.lastgroup or "" for match in _ALONE.finditer(sample))
        if letters.total() * 2 > sum(len(word) * count for word, count in words.items()):
            own = "ja" if letters["ja"] else letters.most_common(1)[0][0]
            return own if not among or own in among else UNKNOWN
    votes: Counter[str] = Counter()
    for word, count in words.items():
        for code in _SPEAKS_FOR.get(word, ()):
            votes[code] += count
    if not sample.isascii():
        votes.update(code for code, marks in _MARKS.items() if any(mark in sample for mark in marks))
    ranked = [(code, count) for code, count in votes.most_common() if not among or code in among]
    first, second = (*ranked[:2], ("", 0), ("", 0))[:2]
    return first[0] if first[1] > second[1] else UNKNOWN


def is_sure(code: str, text: str, others: Iterable[str]) -> bool:
    """Tell whether a text that was told to be in a language is surely in none of the others.

    One word is not enough, unless it holds more than ASCII: "war" and "door" are English, too.
    """
    if code not in LANGUAGES:
        return True
    shared = frozenset[str]().union(*(LANGUAGES.get(other, frozenset()) for other in others))
    own = LANGUAGES[code].difference(shared).intersection(_WORD.findall(text.casefold()))
    return sum(1 if word.isascii() else 2 for word in own) >= 2
