"""The cross-encoder: question and passage in one pass, three heads on what comes out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from eval.reader.examples import UNKNOWN, Example
from rag.bundled import bundled_folder

RELEVANCE = 0.5
"""Weight of the relevance head's loss beside that of the spans."""


class Said(NamedTuple):
    """What the heads say of a batch of b windows of t tokens, as logits."""

    start: torch.Tensor
    """(b, t); place 0 stands for "not here"."""
    end: torch.Tensor
    """(b, t); place 0 stands for "not here"."""
    relevance: torch.Tensor
    """(b,)"""


class Batch(NamedTuple):
    """Windows as tensors; those of one batch are padded to the longest."""

    ids: torch.Tensor
    types: torch.Tensor
    mask: torch.Tensor
    readable: torch.Tensor
    """(b, t): where an answer can be: the text's own tokens, and place 0."""
    start: torch.Tensor
    end: torch.Tensor
    relevant: torch.Tensor


class Reader(torch.nn.Module):  # type: ignore[misc]
    """MiniLM with a head for start and end, one for "not here" and one for relevance.

    "Not here" has one logit, which stands at place 0 of both start and end, so that a span's worth,
    `start[i] + end[j] - 2 * null`, compares between passages (Devlin et al. 2019, section 4.3).
    """

    def __init__(self) -> None:
        super().__init__()
        from transformers import AutoConfig, AutoModel

        folder = str(bundled_folder())
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        # Its random numbers cost as much time here as the layers themselves.
        config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
        self.body = AutoModel.from_pretrained(
            folder, config=config, local_files_only=True, add_pooling_layer=False,
            attn_implementation="sdpa", dtype=torch.float32,
        )  # fmt: skip
        wide = config.hidden_size
        self.span = torch.nn.Linear(wide, 2)
        self.null = torch.nn.Linear(wide, 1)
        self.relevance = torch.nn.Linear(wide, 1)
        for head in (self.span, self.null, self.relevance):
            torch.nn.init.normal_(head.weight, std=0.02)
            torch.nn.init.zeros_(head.bias)

    def forward(self, ids: Any, types: Any, mask: Any) -> Said:
        """Return the logits of windows, each (b, t); nothing is masked yet."""
        states = self.body(input_ids=ids, token_type_ids=types, attention_mask=mask).last_hidden_state
        whole = states[:, 0]
        spans = self.span(states)
        null = self.null(whole)
        start = torch.cat([null, spans[:, 1:, 0]], 1)
        end = torch.cat([null, spans[:, 1:, 1]], 1)
        return Said(start, end, self.relevance(whole)[:, 0])

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return the mean loss of a batch."""
        said = self(batch.ids, batch.types, batch.mask)
        out = torch.finfo(torch.float32).min
        cross = torch.nn.functional.cross_entropy
        known = (batch.start != UNKNOWN).any()
        total = torch.zeros(())
        if known:
            for logits, place in ((said.start, batch.start), (said.end, batch.end)):
                shown = logits.float().masked_fill(~batch.readable, out)
                total = total + cross(shown, place, ignore_index=UNKNOWN) / 2
        told = batch.relevant != UNKNOWN
        if told.any():
            binary = torch.nn.functional.binary_cross_entropy_with_logits
            total = total + RELEVANCE * binary(
                said.relevance.float()[told], batch.relevant[told].float()
            )
        return total

    def keep(self, file: Path) -> None:
        """Write the weights."""
        save_file({name: value.contiguous() for name, value in self.state_dict().items()}, file)

    @classmethod
    def open(cls, file: Path) -> "Reader":
        """Read weights that `keep` wrote."""
        reader = cls()
        reader.load_state_dict(load_file(file))
        reader.eval()
        return reader


def collated(examples: Sequence[Example]) -> Batch:
    """Return windows as one batch."""
    count, longest = len(examples), max(len(each.ids) for each in examples)
    ids = np.zeros((count, longest), np.int64)
    types, mask, readable = np.zeros_like(ids), np.zeros_like(ids), np.zeros(ids.shape, bool)
    for at, each in enumerate(examples):
        length = len(each.ids)
        ids[at, :length] = each.ids
        types[at, each.second : length] = 1
        mask[at, :length] = 1
        readable[at, each.text : length - 1] = True
        readable[at, 0] = True
    numbers = np.array([(each.start, each.end, each.relevant) for each in examples], np.int64)
    columns = [torch.from_numpy(np.ascontiguousarray(numbers[:, at])) for at in range(3)]
    return Batch(*map(torch.from_numpy, (ids, types, mask, readable)), *columns)
