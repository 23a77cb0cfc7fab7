# `make help` lists the targets. Everything is installed into .venv from hash-locked files.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
PROTOS := $(shell cd proto && find hub -name '*.proto' | LC_ALL=C sort)
T ?= tests
DATA ?=
# A Chinese font that `python -m tests.chinese_font` has fetched; without one the system's is looked for.
FONT ?= $(firstword $(wildcard $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sealway-tests/fonts/*.ttc))

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

# Compiled once: where Python may not write, each process would compile its libraries anew.
.venv/runtime: .venv/uv requirements.lock pyproject.toml
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

.venv/development: .venv/runtime requirements-dev.lock
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: install
install: .venv/development ## Install everything into .venv
	@echo "Installed. Next: $(BIN)/sealway --help"

# ---- the two commands of the README --------------------------------------------------------------
.PHONY: demo
demo: .venv/runtime ## The whole way once, on embedded defaults (DATA=folder for real registrations)
	@$(BIN)/python -m examples.demo $(if $(DATA),--data $(DATA)) $(if $(FONT),--font $(FONT))

.PHONY: test
test: .venv/development ## Everything, against real engines; what cannot be had is named at the end
	@$(BIN)/python -m tests.minio_server > /dev/null || true
	@$(BIN)/python -m tests.ofdrw > /dev/null || true
	@$(BIN)/python -m tests.pdfsig > /dev/null || true
	@$(BIN)/python -m tests.softhsm > /dev/null || true
	@$(BIN)/python -m tests.chromium > /dev/null || true
	@$(BIN)/python -m pytest $(T) -n 2 --dist loadfile --no-loadscope-reorder -q -rs

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

.PHONY: fuzz
fuzz: .venv/development ## Every parser of strangers' bytes under atheris: make fuzz FUZZ_S=600 FUZZ=pdf
	@$(BIN)/python -m tests.fuzz $(FUZZ) --seconds $(or $(FUZZ_S),60) $(if $(FUZZ),,--page)

.PHONY: timing
timing: .venv/development ## Can a clock tell what another department has? Writes docs/timing.md (minutes)
	@$(BIN)/python -m tests.attacks.timing $(or $(CALLS),2000) $(WORD)

.PHONY: plan-campaign
plan-campaign: .venv/development ## A million generated plans against a second reading of the rules
	@$(BIN)/python -m tests.exchange.plan_campaign --cases $(or $(PLAN_CASES),1000000)

.PHONY: check
check: .venv/development ## Format, lint, types, API lint, generated code up to date
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/buf lint
	@$(MAKE) --no-print-directory proto
	@git diff --exit-code --stat -- 'hub/**/v1/*' || { echo "Generated code differs: commit what make proto wrote."; exit 1; }

.PHONY: format
format: .venv/development ## Format and fix what can be fixed
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

.PHONY: proto
proto: .venv/development ## Generate hub/**/v1/ from proto/
	@$(BIN)/python -m grpc_tools.protoc -Iproto --python_out=. --pyi_out=. --grpc_python_out=. $(PROTOS)

.PHONY: golden
golden: .venv/development ## Rewrite golden files; review the difference like code
	@SEALWAY_GOLDEN=write $(BIN)/python -m pytest tests -q -k golden

.PHONY: lock
lock: .venv/development ## Resolve the locked versions anew
	@$(BIN)/uv pip compile -q --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11 \
	  --extra demo --extra build pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile -q --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11 \
	  --extra demo --extra build --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

.PHONY: run
run: .venv/runtime ## A hub on loopback with its home in .hub
	@$(BIN)/sealway init .hub && $(BIN)/sealway serve --config .hub/hub.toml

.PHONY: up-local
up-local: .venv/development ## PostgreSQL, MinIO, two hubs and Prometheus as processes
	@$(BIN)/python -m deploy.topology

.PHONY: bench
bench: .venv/development ## Benchmarks as ratios; results go to docs/bench/
	@$(BIN)/python -m tests.bench.run $(BENCH)

.PHONY: clean
clean: ## Remove what was built or run; keeps .hub
	@rm -rf .venv .demo .test .mypy_cache .ruff_cache *.egg-info build dist
