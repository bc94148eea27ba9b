# Everything a developer or a CI machine calls. Needs Python 3.11 or newer and the package index, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
SEED ?= 1
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help

help: ## this text
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/run.stamp: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	@echo "Installing into $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements-dev.lock
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

run: $(VENV)/run.stamp ## install, create the database and root, print two calls, serve on port 8080
	@$(BIN)/xmlrpc-api init
	@exec $(BIN)/xmlrpc-api serve

test: $(VENV)/dev.stamp ## the whole suite, on SQLite and PostgreSQL, in WORKERS processes
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

quick: $(VENV)/dev.stamp ## the tests that need no database: declarations, codecs, keys, storage; half a minute
	$(BIN)/python -m pytest -q --quick --ignore tests/cli --ignore tests/test_migrations.py

soak: $(VENV)/dev.stamp ## the same tests of races and crashes at full length, and what is timed, on a quiet machine
	$(BIN)/python -m pytest -m "soak or timing" --soak --timeout 3600 --durations 20

fuzz: $(VENV)/dev.stamp ## 100,000 mutated calls, others with each SEED
	$(BIN)/python -m pytest -n 2 tests/test_fuzz.py --soak --seed $(SEED)

bench: $(VENV)/dev.stamp ## measure beside the peers, about half an hour, or ONLY="info funds"; writes docs/performance.md
	$(BIN)/python -m benchmarks $(addprefix --only ,$(ONLY))

pair: $(VENV)/dev.stamp ## REV=tag: what a call costs beside an earlier revision, in turns, about 10 minutes
	$(BIN)/python -m benchmarks.pair $(REV)

mutants: $(VENV)/dev.stamp ## put deliberate defects into copies: a test must notice each
	$(BIN)/python -m tests.mutants

sbom: $(VENV)/dev.stamp ## list what is installed to run it, as CycloneDX, in dist/sbom.json
	@mkdir -p dist
	$(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --spec-version 1.6 --output-format JSON --output-file dist/sbom.json

check: $(VENV)/dev.stamp ## style, types, layers, migrations
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.check_migrations

format: $(VENV)/dev.stamp ## put the source into house style
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

reference: $(VENV)/dev.stamp ## write down the public API and the settings, after a change on purpose
	$(BIN)/python -m tests.contract

migration: $(VENV)/dev.stamp ## NAME="add a table": the next migration, from what has changed in models/
	@test -n "$(NAME)" || { echo 'Give it a name: make migration NAME="add a table"'; exit 2; }
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && export XMLRPC_API_DATABASE_URL="sqlite:///$$folder/head.db" \
		&& $(BIN)/alembic upgrade head && $(BIN)/alembic revision --autogenerate -m "$(NAME)"

lock: $(VENV)/dev.stamp ## refresh the lock files (needs uv: pip install uv)
	uv pip compile pyproject.toml --extra build --universal --python-version 3.11 --generate-hashes --no-annotate -q -o requirements.lock
	uv pip compile pyproject.toml --extra build --extra dev --universal --python-version 3.11 --generate-hashes --no-annotate -q -c requirements.lock -o requirements-dev.lock
	uv pip compile benchmarks/requirements.in --universal --python-version 3.11 --generate-hashes --no-annotate -q -c requirements-dev.lock -o benchmarks/requirements.lock

clean: ## remove the environment and every cache, but not var/ (your data)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.PHONY: help run test quick soak fuzz bench pair mutants sbom check format reference migration lock clean
