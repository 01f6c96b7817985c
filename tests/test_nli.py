"""A user's model of natural language inference as the judge: a real one, tiny and untrained."""

from pathlib import Path

import numpy as np
import pytest

from rag.cite import Checker
from rag.cite.judge import open_judge
from rag.cite.nli import NLIJudge
from rag.config import Settings
from rag.embed import open_encoder
from rag.errors import ConfigError


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a BERT of two layers with random weights and three labels."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("nli")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"the bridge is red blue long".split()]
    plain = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=plain,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    ).save_pretrained(folder)
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=64,
        id2label={0: "contradiction", 1: "entailment", 2: "neutral"},
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def test_the_probability_of_entailment_is_the_score(model: Path) -> None:
    judge = open_judge(f"nli:{model}", open_encoder(Settings()))
    assert isinstance(judge, NLIJudge)
    texts = ["the bridge is red", "the bridge is long", "blue"]
    scores = judge.scores("the bridge is red", texts, "en")
    assert len(scores) == 3
    assert all(0 < score < 1 for score in scores)
    assert np.ptp(scores) > 0
    assert scores == judge.scores("the bridge is red", texts, "en")
    assert judge.scores("the bridge is red", [], "en") == []


def test_the_rules_stay_in_force(model: Path) -> None:
    judge = NLIJudge(str(model))
    judge.threshold = 0.0
    checker = Checker(judge)
    assert checker.support("blue the bridge is", "the bridge is blue, all 3 of it", "en").supported
    assert not checker.support(
        "blue the 4 bridge is", "the bridge is blue, all 3 of it", "en"
    ).supported


@pytest.mark.parametrize("where", ["nowhere", "empty"])
def test_what_is_no_model_is_a_sentence(tmp_path: Path, where: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"There is no model in .*; set RAG_JUDGE") as told:
        NLIJudge(str(tmp_path / where)).scores("a", ["b"], "en")
    assert "\n" not in str(told.value)


def test_a_model_without_a_label_for_entailment_is_refused(model: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(model, tmp_path / "other")
    config = tmp_path / "other" / "config.json"
    config.write_text(config.read_text().replace("entailment", "same"))
    with pytest.raises(ConfigError, match="no label for entailment among contradiction, same, neutral"):
        NLIJudge(str(tmp_path / "other")).scores("a", ["b"], "en")
