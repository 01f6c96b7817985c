"""The trained network → the files that the library ships."""

from pathlib import Path

import torch

from eval.reader.network import Reader
from rag.embed.compile import quantise
from rag.reader.model import INPUTS, OUTPUTS

OPSET = 17
SMALL = "reader.onnx"
EXACT = "exact.onnx"


class _Graph(torch.nn.Module):  # type: ignore[misc]
    """The network without what only training needs: all tokens of a window are seen."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader = reader

    def forward(self, ids: torch.Tensor, types: torch.Tensor) -> tuple[torch.Tensor, ...]:
        said = self.reader(ids, types, torch.ones_like(ids))
        return said.start, said.end, said.relevance


def export(reader: Reader, folder: Path) -> None:
    """Write the graph, in int8 and in float32."""
    folder.mkdir(parents=True, exist_ok=True)
    exact, small = folder / EXACT, folder / SMALL
    reader.body.set_attn_implementation("eager")
    sample = torch.tensor([[101, 7592, 102, 2088, 102]])
    with torch.no_grad():
        torch.onnx.export(
            _Graph(reader.eval()),
            (sample, torch.zeros_like(sample)),
            str(exact),
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_axes={
                name: {0: "batch"} if name == "relevance" else {0: "batch", 1: "tokens"}
                for name in (*INPUTS, *OUTPUTS)
            },
            opset_version=OPSET,
            dynamo=False,
        )
    quantise(exact, small)
