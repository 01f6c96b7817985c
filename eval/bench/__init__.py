"""Benchmarks: what is measured, against what, as ratios; `python -m eval.bench` runs them.

Each sub-benchmark is a module with `run(options) -> list[Row]` and runs in a process of its own, so
that none sees what another has loaded. Nothing here asserts a time: machines differ, ratios less.
"""
