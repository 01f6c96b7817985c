import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rag.config import Settings
from rag.embed import models, open_encoder
from rag.embed.compile import PROBES
from rag.embed.onnx import OnnxEncoder
from rag.errors import ConfigError, EncoderError
from rag.protocols import Encoder

TEXTS = ["A short one.", "Rivers carry sand to the sea. " * 30, "¿Qué es esto?", "x"]


def test_the_bundled_weights_are_the_published_ones() -> None:
    models.check_bundled(models.model_folder(models.BUNDLED))


def test_vectors_are_unit_rows_and_close_to_float32(minilm: Encoder) -> None:
    ours = minilm.encode_passages(list(PROBES))
    exact = open_encoder(Settings(encoder="st:minilm")).encode_passages(list(PROBES))
    assert ours.dtype == np.float32
    assert np.allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)
    assert np.sum(ours * exact, axis=1).min() >= 0.97


def test_a_texts_vector_depends_on_that_text_alone(minilm: Encoder) -> None:
    together = minilm.encode_passages(TEXTS)
    for text, vector in zip(TEXTS, together, strict=True):
        assert np.array_equal(minilm.encode_passages([text])[0], vector)


def test_threads_do_not_change_vectors(minilm: Encoder) -> None:
    one = open_encoder(Settings(threads=1)).encode_passages(TEXTS)
    assert np.array_equal(one, open_encoder(Settings(threads=3)).encode_passages(TEXTS))


def test_no_text_gives_no_rows(minilm: Encoder) -> None:
    assert minilm.encode_passages([]).shape == (0, 384)


def test_queries_never_load_torch(minilm: Encoder) -> None:
    code = (
        "import sys; from rag.config import Settings; from rag.embed import open_encoder;"
        "open_encoder(Settings()).encode_queries(['hello']);"
        "print(sorted({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_changed_graph_is_refused(tmp_path: Path, minilm: Encoder) -> None:
    from rag.config import cache_dir

    shutil.copytree(cache_dir(Settings()) / "encoders", tmp_path / "encoders")
    [graph] = list(tmp_path.glob("encoders/*/model.onnx"))[:1]
    data = bytearray(graph.read_bytes())
    data[len(data) // 2] ^= 1
    graph.write_bytes(data)
    with pytest.raises(EncoderError, match="damaged"):
        OnnxEncoder.open(models.BUNDLED, tmp_path)


def test_a_folder_of_ones_own_is_compiled_and_has_its_own_fingerprint(
    tmp_path: Path, minilm: Encoder
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(models.model_folder(models.BUNDLED), folder)
    config = folder / "config_sentence_transformers.json"
    prompts = json.loads(config.read_text(encoding="utf-8")) | {"prompts": {"query": "query: "}}
    config.write_text(json.dumps(prompts), encoding="utf-8")
    encoder = OnnxEncoder.open(str(folder), tmp_path / "cache")
    assert encoder.spec.fingerprint != minilm.spec.fingerprint
    assert encoder.spec.languages is None
    assert np.array_equal(encoder.encode_passages(TEXTS), minilm.encode_passages(TEXTS))
    prefixed = minilm.encode_passages([f"query: {text}" for text in TEXTS])
    assert np.array_equal(encoder.encode_queries(TEXTS), prefixed)


def test_other_weights_under_the_bundled_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"not the weights")
    with pytest.raises(EncoderError, match="reinstall"):
        models.check_bundled(tmp_path)


@pytest.mark.parametrize("spec", ["minilm", "onnx:", "word2vec:x", ""])
def test_a_spec_that_names_nothing_is_a_sentence(spec: str) -> None:
    with pytest.raises(ConfigError, match="No encoder"):
        open_encoder(Settings(encoder=spec))


@pytest.mark.parametrize("spec", ["onnx:nobody/nothing", "st:nobody/nothing", "onnx:no/such/folder"])
def test_a_model_that_is_not_here_is_not_fetched(spec: str) -> None:
    with pytest.raises(EncoderError, match="on this machine"):
        open_encoder(Settings(encoder=spec))


def test_an_unwritable_cache_names_the_mend(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(EncoderError, match="RAG_CACHE_DIR"):
        OnnxEncoder.open(models.BUNDLED, blocked)


def test_declared_languages_can_be_set(minilm: Encoder) -> None:
    assert minilm.spec.languages == ("en",)
    assert open_encoder(Settings(encoder_languages="en,de")).spec.languages == ("en", "de")
