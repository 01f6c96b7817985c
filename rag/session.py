"""How a compiled graph is run, which is part of what comes out of it."""

import os
from pathlib import Path
from typing import TypeAlias

# Read when the runtime is imported. Without it, it keeps records of its use below the home folder.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime

Session: TypeAlias = onnxruntime.InferenceSession
_SLOW = "SkipLayerNormFusion"
"""Its kernel takes several times as long as what it stands for: a seventh of all that MiniLM takes."""


def open_session(graph: Path) -> Session:
    """Open a graph for one thread a run: parallel runs beat parallel operators here."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return Session(str(graph), options, providers=["CPUExecutionProvider"], disabled_optimizers=[_SLOW])
