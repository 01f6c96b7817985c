"""`python -m eval`: check, run, compare, bless, calibrate, canary, ground, harvest, convert."""

from eval.cli.main import main

__all__ = ["main"]
