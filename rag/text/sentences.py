"""Where sentences end, in any script, without a model.

A sentence is a span; together the spans cover all of the text that is not white space.
"""

import regex

from rag.types import Span

_ABBREVIATIONS = frozenset(
    """mr mrs ms dr prof sr jr st mt vs etc al cf e.g i.e eg ie nos vol figs eqs sec ch pp
    approx incl excl dept est inc ltd co corp gen col capt lt sgt rep sen gov pres rev hon jan feb apr
    jun jul aug sep sept oct nov u.s u.k u.n e.u a.m p.m ph.d
    bzw usw z.b d.h ca nr sog vgl hrsg bzgl inkl str sra dra srta ud uds núm pág
    mme mlle env p.ex c.-à-d г гг тыс млн млрд руб стр рис им т.е т.д т.п""".split()
)
_BEFORE_NUMBER = frozenset("no fig eq p dec mar mon tue wed thu fri sat sun art n".split())
"""Abbreviations that are words of their own unless a number follows."""
_CLOSERS = r"""["'”’»›)\]】」』）》]*+(?:\s?\[\d+(?:\s*,\s*\d+)*\])*"""
_BREAK = regex.compile(
    rf"""
    (?P<wide>[。！？｡．]+{_CLOSERS})(?![\p{{M}}\u200c\u200d])  # needs no blank after it
  | (?P<stop>(?<![.!?…؟۔։।॥።᙮⸮])[.!?…؟۔։।॥።᙮⸮]++{_CLOSERS})(?=\s|$) # needs one
  | (?P<para>\n[^\S\n]*\n\s*)                  # a blank line always ends a sentence
  | (?P<item>\n(?=[^\S\n]*(?:[-*+•]\s|\d{{1,3}}[.)]\s|\#{{1,6}}\s|\||>\s)))  # so does a list item
    """,
    regex.VERBOSE,
)
_LAST_WORD = regex.compile(r"[\p{L}\p{M}\p{N}.]+$")
_LONGEST = 40
"""More characters than an abbreviation has: what stands before a stop is looked at so far back."""
_ORDINAL = regex.compile(r"(?:^|[^\p{N}.,])\d{1,2}$")
_MONTHS = tuple(
    """Januar Jänner Februar März April Mai Juni Juli August September Oktober November Dezember januar
    februar mars marts april maj mai juni juli august september oktober november desember december tammi
    helmi maalis huhti touko kesä heinä elo syys loka marras joulu""".split()
)
"""Before these a number of one or two digits with a stop is a day: German, the Nordic languages."""
_LIST_NUMBER = regex.compile(r"^\s*\d{1,3}[.)]?$")


def sentences(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Return the spans of the sentences of `text[start:end]`, trimmed of white space."""
    end = len(text) if end is None else end
    spans: list[Span] = []
    begin = start
    for match in _BREAK.finditer(text, start, end):
        if match["stop"] is not None and not _ends(text, begin, match.start(), match.end(), end):
            continue
        stop = match.start() if match["para"] or match["item"] else match.end()
        _append(spans, text, begin, stop)
        begin = match.end() if match["para"] or match["item"] else stop
    _append(spans, text, begin, end)
    return spans


def _append(spans: list[Span], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append((start, end))


def _ends(text: str, begin: int, stop: int, after: int, end: int) -> bool:
    """Tell whether the stop at `text[stop]`, whose closers run to `after`, ends a sentence."""
    at = after
    while at < end and text[at].isspace():
        at += 1
    if at >= end:
        return True
    follows = text[at]
    if follows.islower() and text[stop] in ".…":
        return False
    if text[stop] != "." or after - stop > 1:
        return True
    match = _LAST_WORD.search(text, max(begin, stop - _LONGEST), stop)
    if match is None:
        return True
    said = match.group()
    if text.startswith(_MONTHS, at) and _ORDINAL.search(text, max(begin, stop - 4), stop):
        return False
    if stop - begin < _LONGEST and _LIST_NUMBER.match(text[begin:stop]):
        return False
    word_form = said.casefold().rstrip(".")
    if word_form in _ABBREVIATIONS or (word_form in _BEFORE_NUMBER and follows.isdigit()):
        return False
    return not (len(said) == 1 and said.isupper() and follows.isupper())
