# Needs Python 3.11+ and make. `make clients` also needs node, npm and a Python older than 3.13 (for
# aider); `make bench` needs Linux, nginx and gcc. Nothing is installed outside this folder.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
SERVER := .server
CLIENTS := .clients
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check
DEPLOYMENTS := $(wildcard deployments/*.yaml)

.PHONY: demo test lint refresh bench clients lock

demo: $(VENV)/installed
	$(RUN)/interlock demo

test: $(VENV)/installed
	$(RUN)/python -m pytest

lint: $(VENV)/installed
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/lint-imports
	for file in $(DEPLOYMENTS); do $(RUN)/interlock build $$file --check || exit 1; done

# Writes anew all that is generated: packages, reference, expected reports and snapshots. Read the difference.
refresh: $(VENV)/installed
	for file in $(DEPLOYMENTS); do $(RUN)/interlock build $$file || exit 1; done
	$(RUN)/python -m compiler.docs
	$(RUN)/python tests/compiler/test_diagnostics.py
	$(RUN)/python -m tests.runtime.metrics.catalogue_page
	$(RUN)/python -m tests.golden.cases
	$(RUN)/python -m tests.compiler.review.cases
	$(RUN)/python -m pytest --quiet --snapshot-update tests/runtime/dialects/test_captures.py tests/testing/test_deployments.py tests/bridges/test_requests.py tests/bridges/test_answers.py tests/bridges/test_cells.py tests/runtime/events/test_decoders_recordings.py

bench: $(VENV)/installed $(SERVER)/installed
	BENCH_PYTHON=$(CURDIR)/$(SERVER)/bin/python $(RUN)/python -m tests.benchmarks

clients: $(VENV)/installed $(CLIENTS)/node/installed $(CLIENTS)/aider/installed
	$(RUN)/python -m pytest -m clients tests/clients

# The environments are made anew when their lock changes; the stamp is written last.

$(VENV)/installed: requirements-test.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv --clear $(VENV)
	$(RUN)/python $(PIP_INSTALL) --require-hashes -r requirements-test.lock
	$(RUN)/python $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

# What a server has, and nothing of what tests need.
$(SERVER)/installed: requirements.lock
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python $(PIP_INSTALL) --require-hashes -r requirements.lock
	@touch $@

# `install`, not `ci`: the lock may lack an agent's binaries for other platforms, which `ci` refuses.
$(CLIENTS)/node/installed: tests/clients/package-lock.json
	rm -rf $(@D) && mkdir -p $(@D)
	cp tests/clients/package.json tests/clients/package-lock.json $(@D)
	cd $(@D) && npm install --no-save --no-audit --no-fund
	@touch $@

$(CLIENTS)/aider/installed: tests/clients/aider.lock
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python $(PIP_INSTALL) --only-binary :all: --require-hashes -r tests/clients/aider.lock
	@touch $@

# Written again by hand when a dependency changes; `uv` is needed for this only.

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

lock:
	$(COMPILE) pyproject.toml --group build -o requirements.lock
	$(COMPILE) pyproject.toml --extra redis --extra asyncpg --extra otel --group build -o requirements-stores.lock
	$(COMPILE) pyproject.toml --extra test --group build -o requirements-test.lock
	$(COMPILE) tests/clients/aider.in -o tests/clients/aider.lock
	cd tests/clients && npm install --package-lock-only --omit-lockfile-registry-resolved=true
