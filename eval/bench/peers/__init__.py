"""seedrag beside txtai, LangChain, LlamaIndex and Haystack: same weights, same corpus, same questions.

Each system is a small program `with_<system>.py`, used as its documentation says, that speaks the
protocol of `protocol.py` and runs in an environment of its own. docs/peers.md says what is compared.
"""

from eval.bench.rows import Options, Row


def run(options: Options) -> list[Row]:
    """Measure every system; the programs' environments lack what measuring imports."""
    from eval.bench.peers.measure import measure

    return measure(options)
