"""What a text denies, told by the words that follow a negation, and by words of opposite sense."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import regex

from rag import text
from rag.cite.facts.words import EMPTY

_NEGATION = regex.compile(
    r"""(?<!\p{L})(?:not|no|never|none|nobody|nothing|neither|nor|without|cannot
    |nicht|kein(?:e[nmrs]?)?|nie(?:mals)?|ohne|weder
    |nunca|jamás|ningun[oa]?|ningún|sin
    |ne|n['’]|pas|jamais|aucune?|sans|rien
    |non|mai|nessun[oa]?|senza
    |não|nem|sem|nenhuma?
    |niet|geen|nooit|zonder
    |не|нет|ни|никогда|без)(?!\p{L})|n['’]t(?!\p{L})|[不没無无未]|沒有|没有""",
    regex.I | regex.VERBOSE,
)
_IN_OTHER_WORDS = regex.compile(
    r"""\b(?:fail(?:s|ed|ing)?|refus(?:e[sd]?|ing)|unable|unlikely|impossible|seldom|rarely|hardly|scarcely
    |barely|lack(?:s|ed|ing)?|den(?:y|ies|ied)|prevent(?:s|ed|ing)?|bann?(?:s|ed|ing)?|prohibit(?:s|ed)?
    |forb(?:id|ids|ade|idden)|reject(?:s|ed|ing)?)\b""",
    regex.I | regex.VERBOSE,
)
"""What says no of the word that follows without a word for it; in English."""
_PERHAPS = regex.compile(
    r"""\b(?:far\sfrom|instead|rather|free\sof|stop|ceas|absurd|few|little|beyond|unlike|different|opposite
    |keep|kept|remain|except|until|unless|short\sof|doubt)""",
    regex.I | regex.VERBOSE,
)
"""What may say no in yet other words, so that a claim that says no is not refuted by it."""
_INSTEAD = regex.compile(r"\b(?:rather\sthan|instead\sof|unlike|far\sfrom|beyond)\b", regex.I)
_NO_DENIAL = regex.compile(
    r"""\bno\s(?:fewer|less|more|later|sooner)\sthan|\bnot\s(?:only|until|just|merely|least)\b|^\W*no\b
    |\b(?:not|nicht|no)\b[^.;]*?,?\s(?:but|sondern|sino)\b""",
    regex.I | regex.VERBOSE,
)
"""What has a word for no and does not deny what follows."""
_PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non")
_CLAUSE = regex.compile(r"[,;:.!?()—–。，；]")
_CLAUSE_BEGINS = regex.compile(
    r"[,;:.!?—–\n。！？，；]|\b(?:but|and|or|sondern|und|sino|y|mais|et)\b", regex.I
)
_CLAUSE_REACH = 200
"""Characters before a place that its clause may begin in."""
_AFTER = frozenset({"de", "nl"})
"""Languages where the word for not may follow what it denies."""
_OPPOSITE = (
    "more fewer|more less|most few|many few|much little|raise cut|raise lower|raise reduce|"
    "rise fall|increase decrease|increase reduce|grow shrink|strengthen weaken|improve worsen|"
    "large small|huge small|huge tiny|big small|long short|high low|higher lower|"
    "larger smaller|bigger smaller|longer shorter|older younger|old young|men women|man woman|"
    "male female|boy girl|northern southern|eastern western|north south|east west|begin end|"
    "start stop|open close|first last|first final|accept reject|accept refuse|allow forbid|"
    "allow ban|permit prohibit|support oppose|possible impossible|always never|often seldom|"
    "often rarely|above below|over under|minimum maximum|import export|hot cold|warm cold|"
    "rich poor|guilty innocent|easy hard|easy difficult|strong weak|early late|earlier later|"
    "public private|rural urban|legal illegal|alive dead|succeed fail|success failure|"
    "majority minority|threat guarantee|cause prevent|war peace|common rare|"
    "permanent temporary|slow fast|slow sudden|gradual sudden|top bottom|wide narrow|"
    "upper lower|cut increase|cheap expensive|safe dangerous|simple complex|local global|"
    "domestic foreign|ancient modern"
)
_REPLACED = (
    "before after|since until|inside outside|all most|all some|all many|all few|most some|"
    "most few|every some|always sometimes|always usually|each some|both either|highest lowest|"
    "largest smallest|summer spring|summer winter|autumn spring|spring winter|morning evening|"
    "morning night|husband wife|mother father|son daughter|brother sister|north south|"
    "east west|left right|day night"
)
"""Words that are opposed where one stands in the very place of the other."""
_PLACES = [frozenset(pair.split()) for pair in _REPLACED.split("|")]
PAIRS = [tuple(pair.split()) for pair in _OPPOSITE.split("|")]


@dataclass(frozen=True, slots=True)
class _Denied:
    stems: frozenset[str]
    """The first content stems after the negations."""
    plain: frozenset[str]
    """Content stems that stand anywhere else."""
    negations: int


def denies(claim: str, said: str, language: str) -> bool:
    """Tell whether a claim denies what a text says, or says what it denies."""
    claim, said = _NO_DENIAL.sub(" ", claim), _NO_DENIAL.sub(" ", said)
    one, other = _denied(claim, language, _NEGATION), _denied(said, language, _NEGATION)
    hinted, hints = (_denied(text, language, _IN_OTHER_WORDS) for text in (claim, said))
    denied = other.stems | hints.stems
    plain = other.plain - hints.stems
    if one.negations and not (other.negations or hints.negations):
        in_other_words = _PERHAPS.search(said) or _prefixed(one.stems, said)
        return bool(one.stems & plain) or not in_other_words
    if one.negations == other.negations and other.stems & (one.plain | one.stems):
        return False  # both deny, each in its own words
    if one.negations:
        return bool(one.stems & (plain - denied))
    if hinted.negations or _INSTEAD.search(claim):
        return not (other.negations or hints.negations) and bool(hinted.stems & plain)
    return bool((denied & one.plain) - plain)


def denied_before(passage: str, at: int) -> bool:
    """Tell whether the clause of what begins at a place denies it: "no one thinks that …"."""
    before = passage[max(0, at - _CLAUSE_REACH) : at]
    begins = [match.end() for match in _CLAUSE_BEGINS.finditer(before)]
    clause = before[begins[-1] :] if begins else before
    return bool(_NEGATION.search(clause) or _IN_OTHER_WORDS.search(clause))


def opposites(claim: str, said: str, language: str) -> Iterator[str]:
    """Yield words of a claim in whose stead the text has one of opposite sense; in English alone."""
    if language != "en":
        return
    own, theirs = set(text.stems(claim, "en")), set(text.stems(said, "en"))
    for pair in PAIRS:
        for word, other in (pair, pair[::-1]):
            stem, against = text.stems(word, "en")[0], text.stems(other, "en")[0]
            if stem in own - theirs and against in theirs - own:
                yield word


def opposed(word: str, other: str) -> bool:
    """Tell whether two words have opposite senses: by the tables, or one is the other with "un-"."""
    stems = {text.stems(each, "en")[0] for each in (word, other) if text.stems(each, "en")}
    if any(stems == {text.stems(each, "en")[0] for each in pair} for pair in PAIRS):
        return True
    short, long = sorted((word.casefold(), other.casefold()), key=len)
    if {short, long} in _PLACES:
        return True
    return len(short) > 3 and any(long == f"{prefix}{short}" for prefix in _PREFIXES)


def _prefixed(stems: Collection[str], said: str) -> bool:
    """Tell whether a text has one of the stems with a prefix that denies it."""
    words = said.casefold().split()
    return any(
        word.startswith(prefix + stem) for word in words for stem in stems for prefix in _PREFIXES
    )


def _denied(said: str, language: str, negation: "regex.Pattern[str]") -> _Denied:
    stems: set[str] = set()
    rest, at, count = [], 0, 0
    for match in negation.finditer(said):
        count += 1
        end = _CLAUSE.search(said, match.end())
        clause = said[match.end() : end.start() if end else len(said)]
        after = _content(clause, language)[:1]
        if language in _AFTER:
            after += _content(said[at : match.start()], language)[-1:]
        stems.update(after)
        rest.append(said[at : match.start()])
        at = match.end()
    rest.append(said[at:])
    every = _content(" ".join(rest), language)
    plain = {stem for stem in every if every.count(stem) > (stem in stems)}
    return _Denied(frozenset(stems), frozenset(plain), count)


def _content(said: str, language: str) -> list[str]:
    bare = " ".join(word for word in said.split() if word.casefold().strip(".,;:") not in EMPTY)
    return text.content_stems(bare, language)
