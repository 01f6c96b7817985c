"""Any server of embeddings that takes OpenAI's `/v1/embeddings`: vLLM, TEI, llama.cpp, a cloud."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import httpx
import numpy as np
from pydantic import SecretStr

from rag.config import Settings
from rag.embed import models
from rag.embed.onnx import HubSpans
from rag.errors import ConfigError, EncoderError
from rag.protocols import EncoderSpec
from rag.types import Vectors

BATCH = 32
"""Texts of one request."""
AT_ONCE = 4
"""Requests that are under way at the same time."""
TRIES = 5
_PAUSE = 0.5
"""Seconds before a second try; each further one waits twice as long, or what the server says."""
_LONGEST_PAUSE = 30.0
_PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_PROBE = "How long is a vector?"


class HttpEncoder:
    """Has texts embedded by a server. Safe to share between threads.

    Chunks are measured by the bundled model's tokenizer: the server's own is not known.
    """

    def __init__(self, model: str, settings: Settings, languages: tuple[str, ...] | None) -> None:
        """Connect; raises `EncoderError` where the server cannot be had or gives no vectors."""
        self._model = model
        self._prefixes = settings.encoder_query_prefix, settings.encoder_passage_prefix
        self._url = settings.encoder_base_url.rstrip("/") + "/"
        try:
            self._client = httpx.Client(
                base_url=self._url,
                headers=_authorised(settings.encoder_api_key),
                timeout=httpx.Timeout(120, connect=10),
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise ConfigError(f"encoder_base_url {self._url} is no address: {error}.") from None
        self._pool = ThreadPoolExecutor(AT_ONCE, "embed")
        self._dimension = 0
        self._dimension = self._asked([_PROBE]).shape[1]
        identity = {"http": model, "dimension": self._dimension, "prefixes": list(self._prefixes)}
        self.spec = EncoderSpec(
            name=f"http:{model}",
            fingerprint=models.fingerprint(identity),
            dimension=self._dimension,
            max_tokens=settings.encoder_max_tokens,
            precision="float32",
            languages=languages,
        )

    @cached_property
    def tokenizer(self) -> HubSpans:
        """The bundled model's, as an estimate."""
        file = models.model_folder(models.BUNDLED) / "tokenizer.json"
        return HubSpans(file.read_text(encoding="utf-8"))

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, float32, shape (len(texts), dimension); raises `EncoderError`."""
        return self._encode([self._prefixes[0] + text for text in texts])

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, float32, shape (len(texts), dimension); raises `EncoderError`."""
        return self._encode([self._prefixes[1] + text for text in texts])

    def _encode(self, texts: list[str]) -> Vectors:
        if not texts:
            return np.empty((0, self._dimension), np.float32)
        batches = [texts[at : at + BATCH] for at in range(0, len(texts), BATCH)]
        run = map if len(batches) == 1 else self._pool.map
        return np.concatenate(list(run(self._asked, batches)))

    def _asked(self, texts: Sequence[str]) -> Vectors:
        """Return what the server says of some texts, at unit length."""
        value = self._replied({"model": self._model, "input": list(texts)})
        try:
            data = sorted(value["data"], key=lambda each: each["index"])
            rows = np.array([each["embedding"] for each in data], np.float32)
            norms = np.linalg.norm(rows, axis=1, keepdims=True)
        except (KeyError, TypeError, ValueError):
            raise EncoderError(f"{self._where} gave no embeddings as OpenAI's API has them.") from None
        wanted = (len(texts), self._dimension or rows.shape[-1])
        if rows.shape != wanted or not np.isfinite(rows).all() or not norms.all():
            raise EncoderError(
                f"{self._where} gave vectors of shape {rows.shape} instead of {wanted}, or such that "
                "have no direction."
            )
        unit: Vectors = rows / norms
        return unit

    def _replied(self, body: Mapping[str, object]) -> Any:
        said = ""
        for attempt in range(TRIES):
            pause = _PAUSE * 2**attempt
            try:
                response = self._client.post("embeddings", json=body)
            except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL):
                said = "the address or the key cannot be used as it is"
                break
            except httpx.HTTPError as error:
                said = str(error) or type(error).__name__
                if isinstance(error, httpx.ConnectError) and not self._dimension:
                    break
            else:
                if response.is_success:
                    try:
                        return response.json()
                    except ValueError:
                        raise EncoderError(f"{self._where} did not answer in JSON.") from None
                said = f"{response.status_code} {' '.join(response.text.split())[:200]}"
                if response.status_code not in _PASSING:
                    break
                pause = max(pause, _seconds(response.headers.get("retry-after")))
            if attempt + 1 < TRIES:
                time.sleep(min(pause, _LONGEST_PAUSE))
        raise EncoderError(f"{self._where} did not embed: {said}.")

    @property
    def _where(self) -> str:
        return f"{self._model} at {self._url}"


def _authorised(key: SecretStr | None) -> dict[str, str]:
    said = key.get_secret_value().strip() if key else ""
    if not said.isascii() or not said.isprintable():
        raise ConfigError("encoder_api_key holds characters that no header can carry.")
    return {"authorization": f"Bearer {said}"} if said else {}


def _seconds(said: str | None) -> float:
    try:
        return float(said or 0)
    except ValueError:
        return 0.0
