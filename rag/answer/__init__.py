"""The one pipeline from question to checked answer: retrieve, prompt, write, cite, judge."""

from rag.answer.answerer import Answerer, Considered
from rag.answer.signals import signals

__all__ = ["Answerer", "Considered", "signals"]
