"""Bulk reading and embedding on a Ray cluster (Ray Data; Apache-2.0), to the same bytes as here.

Workers need seedrag, and the seeds under the same path. Ray gives out the work, restarts what dies and
keeps the order; a text's vector depends on that text alone, so it does not matter who embeds it, as
long as their processors are of one kind.
"""

import json
import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any

import numpy as np

from rag.config import Settings
from rag.corpus import Asked, Limits, Said, Workers
from rag.embed import EncoderAround, open_encoder
from rag.errors import ClusterError, ConfigError
from rag.protocols import Encoder
from rag.types import Vectors

BULK = 50_000
"""Chunks of one job: a worker opens its model once for each."""
_BATCH = 64
"""Texts that a worker is handed at a time."""
_JOB = 2000
"""Files of one job, whose text memory holds."""
_FILES = 200
"""Parts that files are handed out in."""


class RayEncoder(EncoderAround):
    """An encoder whose passages are embedded by a cluster's workers."""

    def __init__(self, encoder: Encoder, settings: Settings) -> None:
        super().__init__(encoder)
        self._settings = settings.model_dump(exclude_none=True)  # keys among them, unmasked

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, float32, shape (len(texts), dimension); raises `ClusterError`."""
        if len(texts) < 2 * _BATCH:
            return super().encode_passages(texts)
        import ray

        rows = [{"at": at, "text": text} for at, text in enumerate(texts)]
        with _told():
            most = max(1, int(ray.cluster_resources().get("CPU", 1)))
            found = ray.data.from_items(rows, override_num_blocks=-(-len(rows) // (4 * _BATCH)))
            found = found.map_batches(
                _Embed,
                fn_constructor_args=(self._settings, self.spec.fingerprint),
                batch_size=_BATCH,
                concurrency=(1, most),
                num_cpus=1,
            )
            vectors = np.empty((len(texts), self.spec.dimension), np.float32)
            for batch in found.iter_batches(batch_size=4096, batch_format="numpy"):
                vectors[batch["at"]] = np.stack(batch["vector"])
        return vectors


class _Embed:
    """What a worker embeds with."""

    def __init__(self, settings: Mapping[str, Any], fingerprint: str) -> None:
        self._encoder = open_encoder(Settings(**{**settings, "threads": 1, "remembered": 0}))
        if self._encoder.spec.fingerprint != fingerprint:
            raise RuntimeError("a worker's encoder is another one than the builder's")

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "at": batch["at"],
            "vector": self._encoder.encode_passages([str(text) for text in batch["text"]]),
        }


class RayReaders:
    """Reads all files in one job, as soon as the first of them is wanted."""

    count = sys.maxsize
    """How many may be begun before the first is waited for: all."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._asked: list[Asked] = []
        self._said: list[Said] = []

    def read(self, asked: Asked) -> Callable[[], Said]:
        """Note a file; what is returned waits for what it holds. Raises `ClusterError` then."""
        self._asked.append(asked)
        return partial(self._result, len(self._asked) - 1)

    def _result(self, at: int) -> Said:
        if at >= len(self._said):
            self._said += self._read(self._asked[at : at + _JOB])
        said = self._said[at]
        self._said[at] = {}  # it is asked for once, and may be long
        return said

    def _read(self, asked: Sequence[Asked]) -> list[Said]:
        import ray

        rows = [{"at": at, "asked": json.dumps(each)} for at, each in enumerate(asked)]
        with _told():
            found = ray.data.from_items(rows, override_num_blocks=min(len(rows), _FILES))
            said = found.map(_read, fn_args=(self._limits,), num_cpus=1).take_all()
        return [json.loads(row["said"]) for row in sorted(said, key=lambda row: int(row["at"]))]


def _read(row: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    return {"at": row["at"], "said": json.dumps(_workers(limits).read(json.loads(row["asked"]))())}


@lru_cache(maxsize=1)
def _workers(limits: Limits) -> Workers:
    return Workers(limits)


@contextmanager
def on_ray(address: str) -> Iterator[None]:
    """Connect to a cluster for as long as the context lasts; `local` is one on this machine."""
    try:
        import ray
        import ray.data
    except ImportError:
        raise ConfigError("Ray needs an extra: pip install 'seedrag[ray]'.") from None
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    _reached(address)
    with _told():
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            include_dashboard=False,
        )
        ray.data.DataContext.get_current().enable_progress_bars = False
    try:
        yield
    finally:
        ray.shutdown()


def _reached(address: str) -> None:
    """Raise `ClusterError` where nobody listens: Ray would end the process over that."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        try:
            socket.create_connection((host, int(port)), timeout=10).close()
        except OSError as error:
            raise ClusterError(
                f"No Ray cluster at {address}: {error.strerror or error}; start one with `ray start`, "
                "or say --ray local."
            ) from None


@contextmanager
def _told() -> Iterator[None]:
    """Turn what Ray raises into one sentence."""
    from ray.exceptions import RayError

    try:
        yield
    except (RayError, ConnectionError, RuntimeError, ValueError) as error:
        said = " ".join(str(error).split())[:300]
        raise ClusterError(f"The Ray cluster failed: {said}.") from None
