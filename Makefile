# Two commands do all the set-up on a fresh Debian 12 machine: `make test` and `make demo`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help install check test demo bench bench-drain generate lock clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

install: $(VENV)/.installed ## Make .venv from the lock

$(VENV)/.installed: requirements-dev.lock pyproject.toml
	@echo "==> $(VENV) from requirements-dev.lock"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

check: install ## Lint, types, layers, unit tests, generated files fresh (under a minute)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports | tail -n 8
	@$(BIN)/python -m gemma_operator.cli.generate --check
	@$(BIN)/pytest -q -n 2 -m "not integration and not e2e" tests

test: install ## Everything: check, real control plane, real kubelet with real vLLM
	@$(BIN)/python -m e2e.tiers

demo: install ## A real cluster, the chart, a 256K plan, and a tiny Gemma 4 that answers
	@$(BIN)/python -m e2e.demo

bench: install ## Print figures: planning, the operator on a real API server, the scaling policy
	@$(BIN)/python -m tests.bench
	@$(BIN)/python -m tests.bench_autoscaling

bench-drain: install ## Scale-downs, evictions and roll-outs under load on real vLLM; goes on where it was broken off
	@$(BIN)/python -m tests.bench_drain

generate: install ## Write the CRD, the API reference and the other generated files
	@$(BIN)/python -m gemma_operator.cli.generate
	@$(BIN)/python -m monitoring

lock: ## Renew the locks from pyproject.toml (needs pip-tools)
	pip-compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-annotate --no-header --strip-extras -o requirements.lock pyproject.toml
	pip-compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-annotate --no-header --strip-extras --extra cli --extra dev -o requirements-dev.lock pyproject.toml
	pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-annotate --no-header --strip-extras -o e2e/chart_tools/requirements.lock e2e/chart_tools/requirements.in

clean: ## Stop the local cluster and remove what it left
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m e2e.cluster clean; fi
