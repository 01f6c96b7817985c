"""A cross-encoder of one's own orders the passages, run by sentence-transformers or ONNX Runtime."""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

from rag import Retriever
from rag.bundled import bundled_folder
from rag.config import Settings
from rag.errors import ConfigError, ReaderError
from rag.reader import open_reranker, reader_digest
from rag.reader.cross import MOST, CrossReranker, digest
from rag.types import Document, Passage

QUESTION = "Who built the engine?"
TEXTS = ("Babbage built a part of it.", "It rained.", "The engine was never finished. " * 60)


def _made(folder: Path, labels: int = 1) -> Path:
    """Make a small network with weights by chance, and the bundled model's tokenizer."""
    torch.manual_seed(3)
    config = BertConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        num_labels=labels,
        initializer_range=0.5,
    )
    BertForSequenceClassification(config).eval().save_pretrained(folder)
    AutoTokenizer.from_pretrained(bundled_folder()).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _made(tmp_path_factory.mktemp("cross"))


@pytest.fixture(scope="module")
def graph(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same network as an ONNX file, beside what else its folder holds, without its weights."""
    folder = tmp_path_factory.mktemp("graph")
    for name in ("tokenizer.json", "config.json"):
        shutil.copy(model / name, folder / name)
    network = BertForSequenceClassification.from_pretrained(model, attn_implementation="eager").eval()
    names = ["input_ids", "attention_mask", "token_type_ids"]
    shown = dict.fromkeys(names, torch.ones((1, 9), dtype=torch.int64))
    (folder / "onnx").mkdir()
    torch.onnx.export(
        network,
        (shown,),
        str(folder / "onnx" / "model.onnx"),
        input_names=names,
        output_names=["logits"],
        dynamic_axes={name: {0: "batch", 1: "tokens"} for name in names},
        dynamo=False,
    )
    return folder


def _passages() -> list[Passage]:
    return [Passage(f"d{n}", 0, len(text), text, 0.9 - n / 10) for n, text in enumerate(TEXTS)]


def _told(model: Path) -> np.ndarray:
    network = CrossEncoder(str(model), device="cpu")
    pairs = [(QUESTION, text) for text in TEXTS]
    return np.asarray(network.predict(pairs, activation_fn=torch.nn.Identity()), np.float64)


def test_passages_stand_as_the_model_says(model: Path, graph: Path) -> None:
    said = _told(model)
    assert len(set(np.round(said, 3))) == len(TEXTS)
    for folder in (model, graph):
        ranked = CrossReranker.open(str(folder)).rerank(QUESTION, _passages())
        assert [each.doc for each in ranked] == [f"d{n}" for n in np.argsort(-said)]
        cross = {each.doc: each.signals["cross"] for each in ranked}
        assert [cross[f"d{n}"] for n in range(3)] == pytest.approx(said, abs=1e-3)
        best = ranked[0]
        assert best.score == pytest.approx(1 / (1 + np.exp(-max(said))), abs=1e-3)
        assert best.signals["fused"] == next(p.score for p in _passages() if p.doc == best.doc)
        assert CrossReranker.open(str(folder)).rerank(QUESTION, []) == []
        long = CrossReranker.open(str(folder)).rerank("why? " * 900, _passages())
        assert len(long) == len(TEXTS)


def test_it_is_one_setting_away(graph: Path) -> None:
    documents = [Document(f"d{n}", text) for n, text in enumerate(TEXTS)]
    settings = Settings.load(reranker=f"cross:{graph}")
    found = Retriever.from_documents(documents, settings).search(QUESTION)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    assert all("cross" in each.signals for each in found)
    plain = Retriever.from_documents(documents, settings).search(QUESTION, rerank=False)
    assert not any("cross" in each.signals for each in plain)
    assert open_reranker(settings.model_copy(update={"rerank": False})) is None


def test_only_the_first_are_read(graph: Path) -> None:
    many = [Passage(f"d{n}", 0, 9, f"Text {n}.", 0.5) for n in range(MOST + 2)]
    ranked = CrossReranker.open(str(graph)).rerank(QUESTION, many)
    assert [(each.doc, each.score) for each in ranked[-2:]] == [(f"d{MOST}", 0), (f"d{MOST + 1}", 0)]
    assert "cross" in ranked[MOST - 1].signals


@pytest.mark.parametrize("said", [RuntimeError("out of room\nat 0x0"), [0.5, float("nan"), 1.0]])
def test_a_model_that_fails_is_said_to(said: Exception | list[float]) -> None:
    def scorer(question: str, texts: Sequence[str]) -> np.ndarray:
        if isinstance(said, Exception):
            raise said
        return np.array(said, np.float32)

    with pytest.raises(ReaderError) as caught:
        CrossReranker(scorer).rerank(QUESTION, _passages())
    assert "\n" not in str(caught.value)


def test_what_a_receipt_names_changes_with_the_weights(graph: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(graph, tmp_path / "model")
    settings = Settings.load(reranker=f"cross:{folder}")
    named = reader_digest(settings)
    assert named is not None
    assert reader_digest(Settings.load()) == named.partition(",")[0]
    assert digest(str(folder)) in named
    with (folder / "onnx" / "model.onnx").open("ab") as file:
        file.write(b"\0")
    assert digest(str(folder)) not in named


@pytest.mark.parametrize("broken", ["missing", "labels", "graph", "config", "encoder"])
def test_what_is_no_cross_encoder_is_refused(broken: str, graph: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    if broken == "labels":
        _made(folder, labels=2)
    elif broken == "encoder":
        shutil.copytree(bundled_folder(), folder)
    elif broken != "missing":
        shutil.copytree(graph, folder)
    if broken == "graph":
        os.truncate(folder / "onnx" / "model.onnx", 1000)
    if broken == "config":
        (folder / "config.json").write_text(json.dumps([]))
    with pytest.raises(ReaderError) as caught:
        open_reranker(Settings.load(reranker=f"cross:{folder}"))
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_kind_of_reranker_is_named() -> None:
    with pytest.raises(ConfigError, match="No reranker 'bm42'"):
        open_reranker(Settings.load(reranker="bm42"))


def test_a_model_loads_in_silence(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    CrossReranker.open(str(model))
    assert "".join(capfd.readouterr()) == ""
