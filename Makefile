# `make help` lists the targets. Everything is installed into .venv from hash-locked files.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
PROTOS := $(shell cd proto && find hub -name '*.proto' | LC_ALL=C sort)
T ?= tests
DATA ?=

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  %-12s %s\n", $$1, $$2}'

# ---- installation -----------------------------------------------------------------------------
.venv/uv: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 …"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@grep -A 40 '^uv==' requirements.lock | awk 'NR==1 || /--hash/ {print; next} {exit}' > .venv/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.lock
	@touch $@

.venv/runtime: .venv/uv requirements.lock pyproject.toml
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

.venv/development: .venv/runtime requirements-dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: install
install: .venv/development ## Install everything into .venv
	@echo "Installed. Next: $(BIN)/sealway --help"

# ---- the two commands of the README --------------------------------------------------------------
.PHONY: demo
demo: .venv/runtime ## The whole way once, on embedded defaults (DATA=folder for real registrations)
	@$(BIN)/python -m examples.demo $(if $(DATA),--data $(DATA))

.PHONY: test
test: .venv/development ## Everything, against real engines; what cannot be had is named at the end
	@$(BIN)/python -m tests.minio_server > /dev/null || true
	@$(BIN)/python -m pytest $(T) -n 2 --dist loadfile -q -rs

# ---- daily work -----------------------------------------------------------------------------------
.PHONY: quick
quick: .venv/development ## A part, stop at the first failure: make quick T=tests/exchange
	@$(BIN)/python -m pytest $(T) -x -q

.PHONY: coverage
coverage: .venv/development ## Tests with branch coverage
	@$(BIN)/python -m coverage run -m pytest $(T) -q && $(BIN)/python -m coverage report --skip-covered

.PHONY: faults
faults: .venv/development ## A long campaign of crashes: make faults FAULT_ROUNDS=200
	@FAULT_ROUNDS=$(or $(FAULT_ROUNDS),200) $(BIN)/python -m pytest tests/faults -q

.PHONY: timing
timing: .venv/development ## Can a clock tell what another department has? Writes docs/timing.md (minutes)
	@$(BIN)/python -m tests.attacks.timing $(CALLS)

.PHONY: plan-campaign
plan-campaign: .venv/development ## A million generated plans against a second reading of the rules
	@$(BIN)/python -m tests.exchange.plan_campaign --cases $(or $(PLAN_CASES),1000000)
