"""What Prometheus may read at `/metrics`: of this process alone."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from rag.types import Answer

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
"""Those that are counted by name; a client may send any word."""


class Metrics:
    """The service's counters, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "seedrag_requests", "Requests.", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "seedrag_request_seconds", "Time to the last byte.", ["route"],
            buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.stages = Histogram(
            "seedrag_stage_seconds", "Time of an answer's stages.", ["stage"],
            buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.answers = Counter(
            "seedrag_answers",
            "Answers and abstentions.",
            ["backend", "outcome"],
            registry=self.registry,
        )
        self.verdicts = Counter(
            "seedrag_citations", "Citations by verdict.", ["verdict"], registry=self.registry
        )
        self.backend_errors = Counter(
            "seedrag_backend_errors",
            "Failures of backends.",
            ["backend", "kind"],
            registry=self.registry,
        )
        self.generation = Gauge(
            "seedrag_index_generation", "Number of the generation in use.", ["collection"],
            registry=self.registry,
        )  # fmt: skip
        self.in_work = Gauge("seedrag_requests_in_work", "Requests in work.", registry=self.registry)

    def answered(self, answer: Answer) -> None:
        """Count an answer."""
        outcome = "abstained" if answer.abstained else "answered"
        self.answers.labels(answer.backend, outcome).inc()
        for citation in answer.citations:
            self.verdicts.labels(citation.verdict).inc()
        for stage, milliseconds in answer.timings_ms.items():
            self.stages.labels(stage).observe(milliseconds / 1000)

    def turned(self, collection: str, generation: str) -> None:
        """Note the generation that a collection is searched in."""
        self.generation.labels(collection).set(int(generation.removeprefix("gen-")))

    def text(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self.registry)
