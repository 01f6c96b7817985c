"""Turns a sentence-transformers model into one ONNX graph, once: tokens in, unit vector out.

Pooling and normalisation are inside the graph. It is quantised to int8 and kept so if a probe set
comes out close enough to sentence-transformers in float32; else it stays in float32.
"""

import contextlib
import json
import logging
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag.embed import models
from rag.errors import EncoderError
from rag.quiet import quiet
from rag.session import open_session
from rag.types import Vectors

log = logging.getLogger("rag")

INT8_COSINE = 0.97
"""Least cosine between int8 and float32 over the probes; MiniLM's own least is 0.986."""
FLOAT_COSINE = 0.9999
PROBES = (
    "How many people walked free?",
    "When was the bridge across the river built, and who paid for it?",
    "red",
    "The committee met on 3 March 1998 and approved a budget of 4.2 million dollars.",
    "Photosynthesis stores the energy of light in sugars. Plants, algae and some bacteria do it; "
    "the oxygen that they give off is what animals breathe.",
    "def area(r): return 3.14159 * r ** 2  # of a circle",
    "| year | births | deaths |\n| 1990 | 1204 | 998 |\n| 1991 | 1187 | 1010 |",
    "Wer hat das Haus am See gekauft? Niemand weiß es genau.",
    "The treaty ended a war of nine years. Its first article returned the northern provinces; the "
    "second opened three harbours to merchants of either side; the third, which was never carried "
    "out, promised a common coin. Historians still argue why the third failed. Some name the bad "
    "harvest of the following year, others the quarrel about who should keep the mint, and a few "
    "hold that nobody who signed it had meant it seriously in the first place.",
)


def compile_model(model: str, folder: Path, home: Path) -> None:
    """Write `model.onnx`, `tokenizer.json` and `encoder.json` into `home`, all or nothing.

    Raises `EncoderError` where the model does not load or export, or `home` cannot be written.
    """
    if model == models.BUNDLED:
        models.check_bundled(folder)
    log.warning("Compiling the encoder %s; this happens once and takes some seconds.", model)
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent, prefix=".compile-") as scratch:
            work = Path(scratch, "encoder")
            work.mkdir()
            _write(model, folder, work)
            with contextlib.suppress(FileExistsError):
                _publish(work, home)
    except OSError as error:
        raise EncoderError(
            f"The compiled encoder cannot be kept in {home.parent} ({error.strerror or error}); make "
            "that folder writable or set RAG_CACHE_DIR to another."
        ) from None


def _publish(work: Path, home: Path) -> None:
    """Rename `work` to `home`; another process that was faster has written the same."""
    if home.exists() and not (home / "encoder.json").exists():
        shutil.rmtree(home)
    try:
        work.rename(home)
    except OSError:
        if not (home / "encoder.json").exists():
            raise


def _write(model: str, folder: Path, work: Path) -> None:
    exact = work / "float32.onnx"
    with quiet():
        reference, max_tokens = _export(model, folder, exact)
    tokenizer = folder / "tokenizer.json"
    if not tokenizer.exists():
        raise EncoderError(f"{model} has no tokenizer.json; run it as st:{model} instead.")
    shutil.copyfile(tokenizer, work / "tokenizer.json")
    small = work / "int8.onnx"
    quantise(exact, small)
    probes = _token_ids(work / "tokenizer.json", max_tokens)
    if _least_cosine(exact, probes, reference) < FLOAT_COSINE:
        raise EncoderError(f"{model} gives other vectors once exported; run it as st:{model}.")
    cosine = _least_cosine(small, probes, reference)
    precision, kept = ("int8", small) if cosine >= INT8_COSINE else ("float32", exact)
    if kept is exact:
        log.warning(
            "%s stays in float32: int8 comes only to cosine %.3f of it (bound %.2f).",
            model, cosine, INT8_COSINE,
        )  # fmt: skip
    kept.rename(work / "model.onnx")
    for left in (exact, small):
        left.unlink(missing_ok=True)
    files = {name: models.file_sha256(work / name) for name in ("model.onnx", "tokenizer.json")}
    identity = {
        "source": models.source_digest(model, folder),
        "tokenizer": files["tokenizer.json"],
        "precision": precision,
        "recipe": models.RECIPE,
    }
    known = {
        "identity": identity,
        "dimension": int(reference.shape[1]),
        "max_tokens": max_tokens,
        "precision": precision,
        "cosine": round(cosine, 5),
        "files": files,
    }
    (work / "encoder.json").write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")


def _export(model: str, folder: Path, target: Path) -> tuple[Vectors, int]:
    """Write the float32 graph; return the probes' vectors by sentence-transformers, and its limit."""
    try:
        import torch
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise EncoderError(
            f"Compiling an encoder needs torch and sentence-transformers ({error}); reinstall seedrag "
            "with its dependencies."
        ) from None

    class Whole(torch.nn.Module):  # type: ignore[misc]
        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, input_ids: Any) -> Any:
            vector = self.inner({"input_ids": input_ids})["sentence_embedding"]
            return torch.nn.functional.normalize(vector, dim=-1)

    try:
        network = SentenceTransformer(
            str(folder),
            device="cpu",
            local_files_only=True,
            model_kwargs={"attn_implementation": "eager", "dtype": torch.float32},
        ).eval()
        reference = network.encode(
            list(PROBES), batch_size=1, normalize_embeddings=True, show_progress_bar=False
        )
        with torch.no_grad():
            torch.onnx.export(
                Whole(network),
                (torch.tensor([[101, 7592, 2088, 102]]),),
                str(target),
                input_names=["input_ids"],
                output_names=["embedding"],
                dynamic_axes={"input_ids": {0: "batch", 1: "tokens"}},
                opset_version=17,
                dynamo=False,
            )
    except (RuntimeError, ValueError, TypeError, KeyError, OSError, AttributeError) as error:
        raise EncoderError(
            f"{model} cannot be exported ({str(error).splitlines()[0][:200]}); run it as st:{model}."
        ) from None
    return np.asarray(reference, np.float32), int(network.max_seq_length or 512)


def quantise(exact: Path, small: Path) -> None:
    """Write a float32 graph with its weights in int8, each column with a scale of its own."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        quantize_dynamic(exact, small, weight_type=QuantType.QInt8, per_channel=True)
    finally:
        root.setLevel(level)


def _token_ids(tokenizer_file: Path, max_tokens: int) -> list[list[int]]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return [each.ids for each in tokenizer.encode_batch(list(PROBES))]


def _least_cosine(graph: Path, probes: Sequence[list[int]], reference: Vectors) -> float:
    session = open_session(graph)
    rows = [session.run(None, {"input_ids": np.array([ids], np.int64)})[0][0] for ids in probes]
    return float(np.min(np.sum(np.stack(rows) * reference, axis=1)))
