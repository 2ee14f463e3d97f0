# Everything a developer runs. `make setup` is implied by the others.
PYTHON ?= python3
BIN := .venv/bin
# Compiling 340 modules takes 0.3 s of each start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test test-lowest containers lint format lock bench bench-curve bench-peers docs

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

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
	$(BIN)/pytest -n 3 -m "not alone"
	$(BIN)/pytest -m alone

LOWEST := .venv-lowest
# FastAPI is the application's own; starlette as of then.
LOWEST_FASTAPI := fastapi==0.115.0 starlette==0.38.6

test-lowest: setup ## the tests of what applications use, with the lowest versions of the libraries that they need
	$(BIN)/pip install --quiet uv
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(LOWEST)
	$(BIN)/uv pip install --quiet --python $(LOWEST)/bin/python --require-hashes -r requirements.lock
	$(BIN)/uv pip compile --quiet --resolution lowest-direct --python-version 3.11 --extra sync pyproject.toml -o $(LOWEST)/lowest.txt
	$(BIN)/uv pip install --quiet --python $(LOWEST)/bin/python --no-deps -r $(LOWEST)/lowest.txt $(LOWEST_FASTAPI)
	$(BIN)/uv pip install --quiet --python $(LOWEST)/bin/python --no-deps --no-build-isolation --editable .
	$(LOWEST)/bin/pytest tests/models -k "not beside_the_running_service"

containers: setup ## the image and docker-compose.yml, from a clean checkout of what is committed; needs Docker
	$(BIN)/python -m tests.containers.check

lint: setup ## formatting, style, types, the one-way import rule
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	cd docs/examples/reading_app && ../../../$(BIN)/mypy --strict --config-file= --cache-dir ../../../.mypy_cache/reading_app .
	$(BIN)/lint-imports

format: setup ## put the code in form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup ## the service beside what Postgres alone can do: bench/RESULTS.md
	$(BIN)/python -m bench

bench-curve: setup ## verify and rebuild by the number of rows: a section of bench/RESULTS.md; about 20 minutes
	$(BIN)/python -m bench.curve

bench-peers: setup ## the service beside Debezium's sink and the row-by-row way: bench/PEERS.md; needs Java and Maven
	$(BIN)/python -m bench.peers

docs: setup ## docs/errors.md, docs/contract/, the table in docs/publishing.md, the files in docs/adding-an-entity.md and the dashboard, from the code
	$(BIN)/python -m neon_projector.consumer.cli.error_document > docs/errors.md
	$(BIN)/python -m neon_projector.consumer.cli.contract_documents docs/contract
	$(BIN)/python -m neon_projector.projections.contract.words.document docs/publishing.md
	$(BIN)/python -m tests.support.vectors
	$(BIN)/python -m tests.support.comments.guide docs/adding-an-entity.md
	$(BIN)/python -m monitoring.grafana.build

COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11

lock: setup ## pin the dependencies again: all of them; what the image runs with; what builds it
	$(BIN)/pip install --quiet uv
	$(COMPILE) --all-extras pyproject.toml -o requirements.lock
	$(COMPILE) --extra service --extra otel --constraints requirements.lock pyproject.toml -o requirements-runtime.lock
	echo 'hatchling' | $(COMPILE) --constraints requirements.lock - -o requirements-build.lock
