# Needs Python >= 3.11 with venv and pip, and make; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.installed
LOCK := requirements/dev.lock
# Without build isolation: what builds a package is in a hashed lock too, not fetched unseen.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help run test browser install check bench oracle mutants drill fuzz lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 20

run: $(READY) ## install if needed, then serve the demo on http://127.0.0.1:8000
	$(BIN)/samaki demo

test: $(READY) ## the whole test suite
	$(BIN)/pytest -n 2

browser: $(READY) ## the HTML report in Debian's Chromium (apt-get install chromium fonts-khmeros): width, network, axe
	$(BIN)/python -m tests.browser

install: $(READY) ## make .venv from the hashed lock

check: $(READY) ## lint, format, types and the inventory of row policies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest tests/test_inventory.py

bench: $(READY) ## requests a second at a million cases, against the bare reference
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.referrals
	$(BIN)/python -m benchmarks.report
	$(BIN)/python -m benchmarks.imports
	$(BIN)/python -m benchmarks.hooks
	$(BIN)/python -m benchmarks.exports

oracle: $(READY) ## 100,000 operations compared with the plain rules of access
	$(BIN)/python -m tests.oracle

mutants: $(READY) ## every policy and permission disabled in turn must fail a test
	$(BIN)/python -m tests.mutants

drill: $(READY) ## real processes killed, restarted, crowded out and filled up: what is lost, what is refused
	$(BIN)/python -m tests.drills

fuzz: $(READY) .pycanon/.installed ## 20,000 generated requests as every role, hostile text in every field: never a 5xx; exports against pycanon
	$(BIN)/python -m tests.fuzz
	$(BIN)/python -m tests.fuzz.canon

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-config --fork-strategy fewest

lock: ## renew requirements/*.lock from pyproject.toml; UPGRADE=--upgrade for newer versions
	$(COMPILE) $(UPGRADE) requirements/build.in --output-file requirements/build.lock
	$(COMPILE) $(UPGRADE) pyproject.toml --extra embedded --extra dev --output-file requirements/dev.lock
	$(COMPILE) pyproject.toml --constraint requirements/dev.lock --extra embedded --output-file requirements/embedded.lock
	$(COMPILE) pyproject.toml --constraint requirements/dev.lock --output-file requirements/run.lock
	$(COMPILE) $(UPGRADE) requirements/pycanon.in --output-file requirements/pycanon.lock
	@! grep -n -E '://|^-|@ ' requirements/*.lock || { echo "an address slipped into a lock" >&2; exit 1; }

clean: ## remove .venv and caches (data are kept)
	rm -rf .venv .pycanon .browser .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(READY): $(LOCK) requirements/build.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Samaki needs Python 3.11 or later; say which with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(PIP) --require-hashes --requirement requirements/build.lock
	$(PIP) --require-hashes --no-build-isolation --requirement $(LOCK)
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@

# An environment of its own: 390 MB, and an older numpy than ours.
.pycanon/.installed: requirements/pycanon.lock
	$(PYTHON) -m venv .pycanon
	.pycanon/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes --requirement $<
	touch $@
