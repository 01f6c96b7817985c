"""Logits of a window → the spans that answer best, by what they are worth."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.reader.windows import Window
from rag.types import Reading

LENGTH = 40
"""Most tokens of a span."""

Logits = NDArray[np.float32]


def best(window: Window, starts: Logits, ends: Logits, relevance: float) -> Reading:
    """Return the best span of one window from its logits, each (t,) with "not here" at place 0.

    A span's worth is `starts[i] + ends[j] - starts[0] - ends[0]` (Devlin et al. 2019, section 4.3).
    """
    since, until = window.text, window.text + len(window.offsets)
    first, last = starts[since:until], ends[since:until]
    count = len(first)
    if not count:
        return Reading(0, 0, -np.inf, relevance)
    padded = np.concatenate([last, np.full(LENGTH - 1, -np.inf, np.float32)])
    worth = first[:, None] + np.lib.stride_tricks.sliding_window_view(padded, LENGTH)
    at = int(worth.argmax())
    begin, end = at // LENGTH, at // LENGTH + at % LENGTH
    null = float(starts[0] + ends[0])
    span = window.offsets[begin][0], window.offsets[end][1]
    return Reading(*span, float(worth.flat[at]) - null, relevance)


def over_windows(readings: Sequence[Reading]) -> Reading:
    """Return what the windows of one text say together: the best span, the highest relevance."""
    chosen = max(readings, key=lambda each: each.worth)
    relevance = max(each.relevance for each in readings)
    return Reading(chosen.start, chosen.end, chosen.worth, relevance)
