"""Receipts: what an answer rests on, kept so that it can be asked again and compared.

considered = answerer.consider(question)
write_receipt(path, receipt_of(considered, answerer, question))
assert replay(read_receipt(path)).same
"""

from rag.receipt.file import parse_receipt, read_receipt, receipt_bytes, write_receipt
from rag.receipt.form import Receipt
from rag.receipt.make import receipt_of
from rag.receipt.replay import Replay, replay
from rag.receipt.tell import replay_json

__all__ = [
    "Receipt",
    "Replay",
    "parse_receipt",
    "read_receipt",
    "receipt_bytes",
    "receipt_of",
    "replay",
    "replay_json",
    "write_receipt",
]
