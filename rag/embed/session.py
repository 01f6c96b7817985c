"""How a compiled graph is run, which is part of what its vectors are."""

from pathlib import Path

import onnxruntime

RECIPE = 1
"""Raised whenever compiling or running gives other vectors from the same files."""


def open_session(graph: Path) -> onnxruntime.InferenceSession:
    """Open a graph for one thread a run: parallel runs beat parallel operators here."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
