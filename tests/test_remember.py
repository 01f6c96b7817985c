import threading

import numpy as np

from rag.config import Settings
from rag.embed import RememberingEncoder, open_encoder
from tests.conftest import LetterEncoder


class Counting(LetterEncoder):
    """Notes every text that it is asked to embed as a query."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def encode_queries(self, texts):  # type: ignore[no-untyped-def]
        self.asked += texts
        return super().encode_queries(texts)


def test_a_text_is_embedded_once_and_its_vector_stays_the_same() -> None:
    plain, counting = LetterEncoder(), Counting()
    encoder = RememberingEncoder(counting, 10)
    for texts in (["b", "a", "b"], ["a"], [], ["c", "a"]):
        got = encoder.encode_queries(texts)
        assert np.array_equal(got, plain.encode_queries(texts))
        assert got.shape == (len(texts), 26)
    assert counting.asked == ["b", "a", "c"]


def test_what_was_not_asked_for_longest_is_forgotten_first() -> None:
    counting = Counting()
    encoder = RememberingEncoder(counting, 2)
    for text in ("a", "b", "a", "c", "a", "b"):
        encoder.encode_queries([text])
    assert counting.asked == ["a", "b", "c", "b"]


def test_threads_share_it() -> None:
    encoder = RememberingEncoder(Counting(), 50)
    plain = LetterEncoder()
    wrong: list[str] = []

    def ask(seed: int) -> None:
        for n in range(200):
            texts = [f"text {(seed * n) % 97}", f"text {n % 31}"]
            if not np.array_equal(encoder.encode_queries(texts), plain.encode_queries(texts)):
                wrong.append(texts[0])

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_it_can_be_switched_off() -> None:
    assert isinstance(open_encoder(Settings()), RememberingEncoder)
    assert not isinstance(open_encoder(Settings(remembered=0)), RememberingEncoder)
