# Every target sets up .venv by itself: Python 3.11 or newer and make are all it takes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.PHONY: help run cluster test test-faults test-rl audit ui bench lint format docs

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(VENV)/.installed: $(SETUP)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,scale]'
	@touch $@

$(VENV)/.installed-rl: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,scale,rl]'
	@touch $@

$(VENV)/.installed-audit: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,scale,audit]'
	@touch $@

$(VENV)/.installed-scale: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[scale]'
	@touch $@

run: $(VENV)/.installed ## Compute every finished race, then print the best line-up for the next one
	$(BIN)/f1-pipeline run

cluster: $(VENV)/.installed-scale ## Run the graph on PostgreSQL, MLflow, Dask and Dagster as services of this machine
	$(BIN)/f1-pipeline cluster

ui: $(VENV)/.installed ## Start the Dagster UI and daemon at localhost:3000
	$(BIN)/f1-pipeline open ui --no-browser

lint: $(VENV)/.installed-dev ## Check style, types and SQL
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/ty check
	$(BIN)/sqlfluff lint --disable-progress-bar dbt_like_sql

test: lint ## Lint, then run every test
	$(BIN)/python -m pytest --numprocesses logical --dist loadfile --no-loadscope-reorder

SCALE ?= 1
FAULTS ?= f1_pipeline_tests
test-faults: $(VENV)/.installed-dev ## A rehearsed fortnight; kills, full disks, fuzzing by the thousand; SCALE=0.02 does a part of it
	$(BIN)/python -m pytest $(FAULTS) -m faults --numprocesses logical --dist loadfile --fault-scale $(SCALE)

audit: $(VENV)/.installed-audit ## Known vulnerabilities of what is installed, and its licences
	$(BIN)/python -m f1_pipeline_tests.audit

test-rl: $(VENV)/.installed-rl ## Run the tests that need the extra rl (torch, hundreds of megabytes)
	$(BIN)/python -m pytest f1_pipeline_tests/unit/test_ppo.py

bench: $(VENV)/.installed-dev ## Measure; one JSON line per figure
	$(BIN)/python -m benchmarks

format: $(VENV)/.installed-dev ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.installed ## Write the generated documents again
	$(BIN)/f1-pipeline docs
