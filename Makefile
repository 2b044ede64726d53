# Every target does its own set-up: Python 3.11 or newer, make and git are all it needs.
#
#   make demo    import the bundled reports into a fresh store and list them
#   make test    run the tests
#   make check   formatter, linter, type checkers, docstrings, wheel contents
#   make peers   try the newest release of the official client, and say what changed
#   make lock    pin the newest dependencies that pyproject.toml allows
#   make clean   remove everything that these commands made
#
# PYTEST_ARGS is handed to pytest: make test PYTEST_ARGS="tests/packaging -k lock"

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: demo test check peers lock clean setup

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
SOURCES := core adapters plugins
PYTEST_ARGS ?=

# Hundreds of processes start here; each would compile every module that it imports.
unexport PYTHONDONTWRITEBYTECODE

demo: setup
	@$(BIN)/rigbridge demo

test: setup
	@$(BIN)/pytest --numprocesses=auto $(PYTEST_ARGS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	# Side by side: each of the two takes a minute of one core.
	$(BIN)/mypy & mypy=$$!; failed=0; \
	$(BIN)/pyright --pythonpath $(BIN)/python || failed=1; \
	wait $$mypy || failed=1; exit $$failed
	$(BIN)/interrogate --quiet $(SOURCES) tests noxfile.py
	rm -rf build/wheel
	$(BIN)/python -m build --wheel --no-isolation --outdir build/wheel . >/dev/null
	$(BIN)/check-wheel-contents build/wheel

peers: setup
	@RIGBRIDGE_PEERS=1 $(BIN)/pytest --quiet --no-header --capture=no \
		tests/plugins/store/official/releases/test_newest.py

# Universal: one lock for every platform, with markers where they differ.
# LOCK_ARGS= keeps the versions and only adds what pyproject.toml newly asks for.
LOCK_ARGS ?= --upgrade
lock: .venv/locked
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 \
		--all-extras --group dev $(LOCK_ARGS) --quiet --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links \
		--output-file requirements-dev.lock

clean:
	rm -rf .venv build dist rigbridge-demo .nox .coverage htmlcov \
		.benchmarks .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup: .venv/installed

# A stamp is written last, so that an interrupted set-up is begun anew. uv needs a fifth
# of pip's time for the 220 packages, but does not read pip's own configuration (an index
# of one's own, a proxy): where uv finds no package, pip installs them.
.venv/locked: requirements-dev.lock
	@echo "Setting up .venv; the first time takes a minute."
	@python=$$(bash .ci/find-python) && "$$python" -m venv --clear .venv
	@grep '^uv==' requirements-dev.lock > .venv/uv.txt
	@$(PIP) install --quiet --no-compile --no-deps --requirement .venv/uv.txt
	@$(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python --no-deps \
		--requirement requirements-dev.lock \
	|| $(PIP) install --quiet --no-compile --no-deps --requirement requirements-dev.lock
	@touch $@

# pyproject.toml names the dependencies and the entry points, hence the check.
.venv/installed: .venv/locked pyproject.toml
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@$(PIP) check --quiet
	@touch $@
