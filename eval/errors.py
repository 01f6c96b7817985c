"""What can go wrong in the harness, each with one sentence for the person who meets it.

RagError
└── EvalError              whatever the harness reports
    ├── GoldError              a gold file cannot be used as it is
    ├── DataError              the reader's training data cannot be used as it is
    ├── ReportError            a file is no report of ours
    ├── NotComparableError     two runs did not measure the same thing
    └── NothingScoredError     no item was left to ask
"""

from enum import IntEnum

from rag.errors import RagError


class Exit(IntEnum):
    """What `python -m eval` exits with; scripts rely on these numbers."""

    PASS = 0
    ERROR = 1
    USAGE = 2
    STALE = 3
    NOT_COMPARABLE = 4
    INCONCLUSIVE = 5
    NOTHING_SCORED = 6
    REGRESSION = 7


class EvalError(RagError):
    """Anything that the harness reports to its user."""


class GoldError(EvalError):
    """A gold file cannot be used as it is; the sentence names the line."""


class DataError(EvalError):
    """The reader's training data cannot be used as it is; the sentence names the file."""


class ReportError(EvalError):
    """A file is no report of ours, or of another version."""


class NotComparableError(EvalError):
    """Two runs did not measure the same thing, so their difference says nothing."""

    exit_code = Exit.NOT_COMPARABLE


class NothingScoredError(EvalError):
    """No item was left to ask, and a run of nothing proves nothing."""

    exit_code = Exit.NOTHING_SCORED
