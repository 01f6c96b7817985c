"""Answers without a language model: the sentences of the passages that answer best, quoted.

Where a reader can read the question's language, the best sentence is the one that holds the words it
found. Else, and for further sentences, a sentence is worth what its words, its vector, its passage
and the kind of answer that the question asks for say together. Whether that is enough to answer is
not decided here: the signals go along.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import regex

from rag import text
from rag.protocols import Encoder, SpanReader
from rag.stop import Stop
from rag.types import Draft, Notice, Passage, Reading, Request, Short, Span

READ = 12
"""Sentences that are embedded: those with most of the question's words, rarest first."""
WEIGHTS = {"coverage": 1.0, "cosine": 1.0, "passage": 0.5, "kind": 0.4}
"""What a sentence's signals count for; chosen on the training articles of SQuAD 2.0 dev."""
ALSO = 0.8
"""Share of the best sentence's worth that a further sentence needs."""
NEWS = 0.15
"""Share of the question's words that a further sentence must add, unless several are asked for."""
SAME = 0.6
"""Overlap of stems from which two sentences state the same."""
MOST = 3
LOOKED_AT = 8
"""Passages that the reader reads for an answer, the first ones, where it did not order them."""
RELEVANCE = 2.0
PASSAGE = 8.0
"""What a passage's relevance and the search's score count for beside what its best span is worth: by
how often the sentence then holds the answer, on two articles that the reader was not trained on."""
_FAR = 20.0

_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_NUMBER_WORDS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|"
    "sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|"
    "hundred|thousand|million|billion|dozens?|half|twice|once|no|several|many|few"
)
_KINDS: Sequence[tuple[str, str]] = (
    (r"how (?:many|much|often|long|old|far|large|big|high|tall)|what (?:number|share|percentage)",
     rf"\b(?!(?:1[89]|20)\d\d\b)\d|\b(?:{_NUMBER_WORDS})\b"),
    (r"cu[aá]nt[oa]s?|combien|wie ?viele?|quant[oei]|quanti|hoeveel|сколько|多少|几",
     r"\d|[一二三四五六七八九十百千万]"),
    (r"when|(?:what|which|in what) (?:year|date|day|month|century)|since when|how recently",
     rf"\d{{3,4}}|\b(?:{_MONTHS})\b|\b(?:century|year|month|week|day|today|ago|recently|next|last)"),
    (r"cu[aá]ndo|quand|wann|quando|wanneer|когда|何时|什么时候", r"\d"),
    (r"who(?:m|se)?|which (?:person|people|leader|minister|politician)", r"(?-i:\b\p{Lu}\p{Ll}+)"),
    (r"where|(?:what|which|in what) (?:country|city|place|state|region|town)",
     r"(?-i:(?<!^)\b\p{Lu}\p{Ll}+)"),
    (r"why|(?:for )?what (?:reason|cause|motive)|how come",
     r"\b(?:because|due to|since|so that|owing|caus|reason|result|therefore|in order|led|worr)"),
)  # fmt: skip
_FLAGS = regex.IGNORECASE | regex.VERSION1
_ASKED = [
    (regex.compile(rf"\b(?:{asks})\b", _FLAGS), regex.compile(given, _FLAGS)) for asks, given in _KINDS
]
_COUNTED = regex.compile(r"\b(?:how many|what (?:number|share|percentage)|percent)\b", _FLAGS)
"""Questions that nothing without a number answers."""
_SEVERAL = regex.compile(
    r"\b(?:why|list|how (?:do|does|did|can|could|might)"
    r"|(?:what|which|who) (?:are|were|other|two|three|four|all|kinds?|sorts?)"
    r"|what (?:\w+ )?(?:causes?|reasons|conditions|signs|hopes|goals|factors|groups))",
    _FLAGS,
)
"""Questions that one sentence may not answer whole."""
_ASKS = r"(?:what|who|whom|whose|when|where|why|how|which)"
_AND = regex.compile(
    rf"[,;]?\s+and\s+(?=(?:(?:in|at|for|from|to|of|by|with|within|on|since|until)\s+)?{_ASKS}\b)",
    _FLAGS,
)
"""What parts two questions that are asked at once."""
_ASK = regex.compile(rf"\b{_ASKS}\b", _FLAGS)
_LEANS = regex.compile(
    r"\b(?:it|its|he|him|his|she|hers?|they|them|their|this|that|these|those)\b", _FLAGS
)
"""What refers to the question before."""
LEAST = (3, 4)
"""Words of the first and of a further question: "when and …" is one, and "… and which did not"."""
_FIGURE = regex.compile(r"\d+")
_MARK = regex.compile(r"\s*\[\d+(?:\s*,\s*\d+)*\]")
"""A reference of the seed's own, which would read as one of ours."""
_NO_STATEMENT = regex.compile(r"""^\#|[:?？؟\u037e]["'”’»)\]]*$""")
"""Headings, what only announces, and questions: a FAQ's question is no answer to itself."""
_PARAGRAPH = regex.compile(r"\n[^\S\n]*\n")
_BULLET = regex.compile(r"^(?:[-*+•>|]|\d{1,3}[.)])\s+")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A sentence of a passage, and what speaks for it; each signal is 0..1."""

    said: str
    number: int
    stems: frozenset[str]
    signals: Mapping[str, float]

    @property
    def worth(self) -> float:
        return sum(weight * self.signals[name] for name, weight in WEIGHTS.items())


@dataclass(frozen=True, slots=True)
class _Pointed:
    """A statement that the reader sees the answer to a question in."""

    question: str
    number: int
    passage: Passage
    reading: Reading
    said: str

    @property
    def short(self) -> Short:
        """The words themselves, and where they stand."""
        passage, start, end = self.passage, self.reading.start, self.reading.end
        return Short(passage.text[start:end], passage.doc, passage.start + start, passage.start + end)


class ExtractiveBackend:
    """Quotes the sentences of the passages that answer the question best."""

    name = "extractive"
    chat = None

    def __init__(self, encoder: Encoder, reader: SpanReader | None = None) -> None:
        self._encoder = encoder
        self._reader = reader

    def generate(self, request: Request, say: Callable[[str], None], stop: Stop) -> Draft:
        """Return up to three sentences with their passages' numbers; none where nothing was found.

        The draft's signals: `coverage`, the share of the question's stems, by rarity, in what is
        quoted; `kind`, whether it is of the kind that is asked for. With a reader: `span` and
        `relevance`, what it said of the passage that it answers from, a half where the odds are
        even, on average over the questions that are asked at once. Without: `cosine`, the best
        sentence's.
        """
        found = self._read(request, stop)
        return found if found is not None else self._quoted(request)

    def _read(self, request: Request, stop: Stop) -> Draft | None:
        """Return what the reader answers; None where it cannot read, or points at no statement."""
        reader, retrieval = self._reader, request.retrieval
        if reader is None or not _reads(reader, request):
            return None
        parts = _parts(text.squeeze(request.question))
        found: list[_Pointed] = []
        for part in parts:
            stop.check()
            found += _found(reader, part, retrieval.passages, len(parts) == 1, found)
        return self._pointed(request, parts, found) if found else None

    def _pointed(self, request: Request, parts: Sequence[str], found: Sequence[_Pointed]) -> Draft:
        """Return the sentences that the reader points at, with others where several are asked for.

        Of several questions at once, one that the passages rather do not answer gets no sentence, and
        a notice says so.
        """
        retrieval, alone = request.retrieval, len(parts) == 1
        sure = [each for each in found if each.reading.worth > 0]
        chosen: list[_Candidate] = []
        for each in sure or found[:1]:
            stems = frozenset(text.stems(each.said, retrieval.language))
            if not any(each.said in other.said for other in chosen):
                signals = {"kind": _kind(each.question, each.said)}
                chosen.append(_Candidate(each.said, each.number, stems, signals))
        kind = min(each.signals["kind"] for each in chosen)
        if alone and _SEVERAL.search(request.question):
            ranked = sorted(self._candidates(request), key=_order)
            chosen = _with_others(chosen[0], ranked, request)
        held = frozenset[str]().union(*(c.stems for c in chosen))
        return Draft(
            _answer(chosen),
            model=self.name,
            short=found[0].short if alone else None,
            signals={
                "coverage": _coverage(held, retrieval.terms),
                "kind": kind,
                "span": float(np.mean([_within(each.reading.worth) for each in found])),
                "relevance": float(np.mean([_within(each.reading.relevance) for each in found])),
            },
            notices=_left_out(parts, sure) if sure else (),
        )

    def _quoted(self, request: Request) -> Draft:
        """Return the best sentences by words and vectors."""
        candidates = self._candidates(request)
        if not candidates:
            return Draft("", abstained=True, model=self.name)
        ranked = sorted(candidates, key=_order)
        chosen = _with_others(ranked[0], ranked, request)
        if _COUNTED.search(request.question) and not any(c.signals["kind"] for c in chosen):
            return Draft("", abstained=True, model=self.name, signals=chosen[0].signals)
        best = chosen[0].signals
        held = frozenset[str]().union(*(c.stems for c in chosen))
        signals = {**best, "coverage": _coverage(held, request.retrieval.terms)}
        return Draft(_answer(chosen), model=self.name, signals=signals)

    def _candidates(self, request: Request) -> list[_Candidate]:
        found = list(_sentences(request.retrieval.passages))
        terms, language = request.retrieval.terms, request.retrieval.language
        stems = [frozenset(text.stems(said, language)) for said, _ in found]
        shares = [_coverage(each, terms) for each in stems]
        order = sorted(range(len(found)), key=lambda at: (-shares[at], found[at][1], at))[:READ]
        if not order:
            return []
        question = text.squeeze(request.question)
        vectors = self._encoder.encode_queries([question, *(found[at][0] for at in order)])
        cosines = vectors[1:] @ vectors[0]
        return [
            _Candidate(
                found[at][0],
                found[at][1],
                stems[at],
                {
                    "coverage": shares[at],
                    "cosine": float(np.clip(cosine, 0, 1)),
                    "passage": _score(request.retrieval.passages[found[at][1] - 1]),
                    "kind": _kind(question, found[at][0]),
                },
            )
            for at, cosine in zip(order, cosines, strict=True)
        ]


def _sentences(passages: Sequence[Passage]) -> Iterator[tuple[str, int]]:
    """Yield each statement once, on one line and without its bullet, with its passage's number.

    An order to whoever answers states nothing, nor does what follows it in its paragraph.
    """
    seen = set()
    for number, passage in enumerate(passages, 1):
        orders = _orders(passage.text)
        for start, end in text.sentences(passage.text):
            if any(start < until and since < end for since, until in orders):
                continue
            said = _BULLET.sub("", text.squeeze(_MARK.sub("", passage.text[start:end])))
            if said not in seen and not _NO_STATEMENT.search(said):
                seen.add(said)
                yield said, number


def _orders(said: str) -> list[Span]:
    """Return where orders to whoever answers stand, each up to its paragraph's end."""
    ends = ((start, _PARAGRAPH.search(said, end)) for start, end in text.instructions(said))
    return [(start, found.start() if found else len(said)) for start, found in ends]


def _kind(question: str, said: str) -> float:
    """Return 1 where a sentence holds what the question asks for, 0 where not, 0.5 if untold.

    A figure of the question is no answer to it.
    """
    for asks, given in _ASKED:
        if asks.search(question):
            for figure in _FIGURE.findall(question):
                said = said.replace(figure, " ")
            return float(bool(given.search(said)))
    return 0.5


def _coverage(stems: frozenset[str], terms: Mapping[str, float]) -> float:
    """Return the share of the terms that are among the stems, each counted by its rarity."""
    whole = sum(terms.values())
    return sum(rarity for term, rarity in terms.items() if term in stems) / whole if whole else 0.0


def _score(passage: Passage) -> float:
    """Return what the search gave a passage, before it was ordered anew, on 0..1."""
    return float(np.clip(passage.signals.get("fused", passage.score), 0, 1))


def _order(candidate: _Candidate) -> tuple[float, int, str]:
    return -candidate.worth, candidate.number, candidate.said


def _answer(chosen: Sequence[_Candidate]) -> str:
    return " ".join(f"{_closed(each.said)} [{each.number}]" for each in chosen)


def _reads(reader: SpanReader, request: Request) -> bool:
    """Tell whether a reader knows the question's language, or else that of what was searched."""
    language = text.language(request.question)
    if language == text.UNKNOWN:
        language = request.retrieval.language
    return reader.languages is None or language in (*reader.languages, text.UNKNOWN)


def _parts(question: str) -> Sequence[str]:
    """Return the questions that are asked at once: "Who is …, and when did …?" are two.

    What asks nothing, or more than one thing ("the officer who led … and who died"), is not parted.
    """
    first, *others = _AND.split(question)
    asks = [len(_ASK.findall(part)) == 1 for part in (first, *others[:-1])]
    long = [len(part.split()) >= LEAST[at > 0] for at, part in enumerate((first, *others))]
    return (first, *others) if len(others) < MOST and all(asks) and all(long) else (question,)


def _found(
    reader: SpanReader,
    question: str,
    passages: Sequence[Passage],
    alone: bool,
    before: Sequence[_Pointed],
) -> Sequence[_Pointed]:
    """Return the statement that answers a question, if there is one.

    Of a question asked `alone` only the passages are looked at that were read when they were ordered,
    as it was sure by then. What leans on a question `before` is looked for in the document of that
    one's answer. All are looked at where none of these answers.
    """
    numbered = list(enumerate(passages, 1))
    near = [each for each in numbered if alone and "span" in each[1].signals]
    if before and _LEANS.search(question):
        near = [each for each in numbered if each[1].doc == before[0].passage.doc]
    for looked_at in (near, numbered[:LOOKED_AT]):
        readings = reader.read(question, [passage for _, passage in looked_at])
        pairs = zip(looked_at, readings, strict=True)
        ranked = sorted(pairs, key=lambda pair: (-_value(pair[0][1], pair[1]), pair[0][0]))
        found = [
            _Pointed(question, number, passage, said, _statement(passage, said))
            for (number, passage), said in ranked
        ]
        if found and found[0].said and (alone or found[0].reading.worth > 0):
            break
    return [each for each in found if each.said][:1]


def _left_out(parts: Sequence[str], answered: Sequence[_Pointed]) -> Sequence[Notice]:
    """Return a notice for each part of a question that no sentence answers."""
    known = {each.question for each in answered}
    left = [part.rstrip("?.! ") for part in parts if part not in known]
    said = "The documents do not answer this part: {}?"
    return [Notice("part_unanswered", said.format(part)) for part in left]


def _value(passage: Passage, said: Reading) -> float:
    """Return how much speaks for answering from a passage."""
    return said.worth + RELEVANCE * said.relevance + PASSAGE * _score(passage)


def _within(logit: float) -> float:
    """Return the logarithm of odds, as far as it is within `_FAR` of even ones, on 0..1."""
    return max(0.0, min(1.0, 0.5 + logit / (2 * _FAR)))


def _statement(passage: Passage, said: Reading) -> str:
    """Return the sentences that hold a span, on one line; nothing where they state nothing."""
    orders = _orders(passage.text)
    held = [
        (start, end)
        for start, end in text.sentences(passage.text)
        if start < said.end and said.start < end
    ]
    if not held or any(held[0][0] < until and since < held[-1][1] for since, until in orders):
        return ""
    quoted = passage.text[held[0][0] : held[-1][1]]
    sentence = _BULLET.sub("", text.squeeze(_MARK.sub("", quoted)))
    return "" if _NO_STATEMENT.search(sentence) else sentence


def _with_others(first: _Candidate, ranked: Sequence[_Candidate], request: Request) -> list[_Candidate]:
    """Return the best sentence and those that add something to it."""
    chosen = [first]
    several = bool(_SEVERAL.search(request.question))
    for candidate in ranked:
        if candidate is first:
            continue
        if len(chosen) == MOST or candidate.worth < ALSO * ranked[0].worth:
            break
        if any(_overlap(candidate.stems, other.stems) > SAME for other in chosen):
            continue
        held = frozenset[str]().union(*(other.stems for other in chosen))
        terms = request.retrieval.terms
        news = _coverage(held | candidate.stems, terms) - _coverage(held, terms)
        if several or news >= NEWS:
            chosen.append(candidate)
    return chosen


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    smaller = min(len(one), len(other))
    return len(one & other) / smaller if smaller else 1.0


def _closed(said: str) -> str:
    """Return a sentence with a stop, so that the next does not run into it."""
    bare = said.rstrip("\"'”’»)]）」』")
    return said if bare[-1:] in tuple(".!?…。！？؟।") else f"{said.rstrip(':;')}."
