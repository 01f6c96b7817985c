"""A gold quote in today's text; what is merely like it is a proposal for a person."""

from eval.anchor.resolve import Resolution, Status, resolve
from eval.anchor.sentence import sentence_digest, sentence_digests

__all__ = ["Resolution", "Status", "resolve", "sentence_digest", "sentence_digests"]
