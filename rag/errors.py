"""Every error that leaves the library, each with one sentence for the person who meets it.

RagError
├── ConfigError            a setting is unknown, malformed or contradicts another
├── CorpusError            the seeds cannot be used as given
│   ├── SeedsNotFoundError     a source path does not exist
│   └── DuplicateIdError       two documents claim one id
├── EncoderError           an encoder cannot be found, compiled or run
│   └── EncoderMismatchError   the index was built with another encoder
├── ReaderError            the reader's files are missing or damaged
├── SnapshotError          the index cannot be used
│   ├── IndexMissingError      there is no index, or nothing was published in it
│   ├── IndexCorruptError      a file's bytes are not those that were written
│   ├── IndexFormatError       another format version wrote it
│   ├── IndexBusyError         another process is building it
│   └── SourcesChangedError    other sources were named than the index remembers
├── ClusterError           the cluster that a build runs on cannot be reached, or failed
├── StoreError             what vectors are searched in cannot be reached, or lacks the index
├── FilterError            a filter names something that cannot be filtered on
├── QuestionError          the question (or a batch line) is not usable
├── PromptError            a template is missing, malformed or breaks the contract
├── BackendError           a backend is unknown or failed
│   ├── BackendTimeoutError    it was silent for too long
│   └── BackendUnreachableError    it could not be reached, or broke off
├── ReceiptError           a receipt cannot be read, written or given
└── StoppedError           whoever asked no longer waits for the answer
"""


class RagError(Exception):
    """Anything that seedrag reports to its user; `str(error)` is one clear sentence."""

    exit_code: int = 1
    """What a command that ends with this error exits with."""


class ConfigError(RagError):
    """A setting is unknown, malformed or contradicts another."""


class CorpusError(RagError):
    """The seeds cannot be used as given."""


class SeedsNotFoundError(CorpusError):
    """A source path does not exist."""


class DuplicateIdError(CorpusError):
    """Two documents claim one id."""


class EncoderError(RagError):
    """An encoder cannot be found, compiled or run."""


class EncoderMismatchError(EncoderError):
    """The index was built with another encoder than the one that opens it."""


class ReaderError(RagError):
    """The reader's files are missing or damaged."""


class SnapshotError(RagError):
    """The index cannot be used."""


class IndexMissingError(SnapshotError):
    """There is no index, or nothing was ever published in it."""


class IndexCorruptError(SnapshotError):
    """A file of the index does not hold the bytes that were written."""


class IndexFormatError(SnapshotError):
    """The index was written in another format version."""


class IndexBusyError(SnapshotError):
    """Another process is building this index."""


class SourcesChangedError(SnapshotError):
    """Other sources were named than the index remembers."""


class ClusterError(RagError):
    """The cluster that a build runs on cannot be reached, or failed."""


class StoreError(RagError):
    """What vectors are searched in cannot be reached, or lacks the index."""


class FilterError(RagError):
    """A filter names something that cannot be filtered on."""


class QuestionError(RagError):
    """The question, or a line of a batch of them, is not usable."""


class PromptError(RagError):
    """A prompt template is missing, malformed or breaks the contract."""


class BackendError(RagError):
    """A backend is unknown, or it failed to answer."""


class BackendTimeoutError(BackendError):
    """A backend was silent for longer than is allowed."""


class BackendUnreachableError(BackendError):
    """A backend could not be reached, or the connection to it broke off."""


class ReceiptError(RagError):
    """A receipt cannot be read, written or given."""


class StoppedError(RagError):
    """Whoever asked no longer waits for the answer."""
