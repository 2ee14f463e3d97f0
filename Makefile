# Everything a developer runs. `make setup` is implied by the others.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup demo test lint format lock bench docs

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: .venv/ready ## the virtual environment, with pinned and hashed dependencies

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## the whole service on an embedded Postgres and broker, with a lively stream
	$(BIN)/projector demo

test: setup ## the whole suite, on real parts
	$(BIN)/pytest

lint: setup ## formatting, style, types, the one-way import rule
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## put the code in form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup ## drain 500,000 events and print the rate
	$(BIN)/python -m bench

docs: setup ## docs/errors.md, from the code
	$(BIN)/python -m consumer.error_document > docs/errors.md

lock: setup ## pin the dependencies anew
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --universal --generate-hashes --no-header --no-annotate --all-extras --python-version 3.11 pyproject.toml -o requirements.lock
