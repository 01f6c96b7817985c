"""Claims in which one thing is changed that an overlap of words hardly sees.

A corruption is false, or at least nowhere said, given its passage; generators leave out what they
cannot be sure of, and a person read a sample of every kind.
"""

from eval.ground.corrupt.make import PER_KIND, SEED, corruptions

__all__ = ["PER_KIND", "SEED", "corruptions"]
