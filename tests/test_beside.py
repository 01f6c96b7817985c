"""A part of a search runs beside the rest where a core is free, and comes to the same anywhere."""

import os
import subprocess
import sys
import threading
from functools import partial

import pytest

from rag import Retriever
from rag.config import Settings
from rag.errors import FilterError
from rag.retrieve import beside as module
from rag.retrieve.beside import beside

QUESTION = "Who built the mill?"


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be two cores, whatever this machine has."""
    monkeypatch.setattr(module.os, "cpu_count", lambda: 2)
    module._cores.cache_clear()


@pytest.fixture(scope="module")
def retriever() -> Retriever:
    return Retriever.from_documents(
        ["The mill was built by masons.", "The toll was a penny."], Settings(reader="off")
    )


@pytest.mark.usefixtures("cores")
def test_a_part_runs_beside_only_while_a_core_is_free() -> None:
    names: list[str] = []
    part = lambda: names.append(threading.current_thread().name)  # noqa: E731
    with beside(part) as first:
        with beside(part) as second:
            second()
        first()
    with beside(part) as again:
        again()
    assert names.count(threading.current_thread().name) == 1
    assert sum(name.startswith("beside") for name in names) == 2


@pytest.mark.usefixtures("cores")
def test_what_fails_gives_its_cores_back() -> None:
    for _ in range(5):
        with pytest.raises(ZeroDivisionError), beside(partial(divmod, 1, 0)) as part:
            part()
        with pytest.raises(KeyError), beside(int):
            raise KeyError
    assert module._cores(os.getpid(), 2).free._value == 2


def test_no_more_threads_are_taken_than_allowed() -> None:
    with beside(threading.current_thread, 1) as part:
        assert part() is threading.current_thread()
    with beside(threading.current_thread, 2) as part:
        assert part() is not threading.current_thread()


@pytest.mark.usefixtures("cores")
def test_where_no_thread_can_be_had_it_is_done_here() -> None:
    module._cores(os.getpid(), 2)._threads.shutdown()
    with beside(threading.current_thread) as part:
        assert part() is threading.current_thread()
    module._cores.cache_clear()


def test_searches_go_on_while_the_interpreter_ends() -> None:
    program = """
import threading
from rag import Retriever
from rag.config import Settings
retriever = Retriever.from_documents(["The mill was built by masons."], Settings(reader="off"))
def late():
    threading.main_thread().join()
    print(retriever.search("Who built the mill?")[0].text)
threading.Thread(target=late).start()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "The mill was built by masons.\n"
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("cores")
def test_a_search_whose_words_fail_says_so(retriever: Retriever) -> None:
    with pytest.raises(FilterError):
        retriever.search(QUESTION, filter={"colour": "red"})
    assert retriever.search(QUESTION, 1)[0].text == "The mill was built by masons."


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.usefixtures("cores")
def test_a_process_that_was_forked_off_searches(retriever: Retriever) -> None:
    found = retriever.search(QUESTION)
    child = os.fork()
    if child == 0:
        code = 2
        try:
            code = 0 if retriever.search(QUESTION) == found else 1
        finally:
            os._exit(code)
    for _ in range(200):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        threading.Event().wait(0.05)
    else:
        os.kill(child, 9)
        os.waitpid(child, 0)
        pytest.fail("it hangs")
    assert status == 0
