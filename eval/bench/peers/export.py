"""python -m eval.bench.peers.export FROM TO: a model for sentence-transformers' ONNX backend."""

import sys

from sentence_transformers import SentenceTransformer


def main() -> None:
    """Write the folder `TO`, with the float32 graph in `onnx/model.onnx`."""
    source, target = sys.argv[1:]
    SentenceTransformer(source, backend="onnx", device="cpu").save_pretrained(target)


if __name__ == "__main__":
    main()
