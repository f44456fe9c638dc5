# Everything runs in .venv, which the first target that needs it creates.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help install demo test check format lint types contracts policies docs bench bench-plots clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

$(BIN)/adjudge: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed; name it with PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: $(BIN)/adjudge
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

install: $(VENV)/.dev ## Create .venv with everything for development

demo: $(BIN)/adjudge ## Judge the shipped examples: one denied release, one allowed
	@$(BIN)/python examples/demo.py

test: $(VENV)/.dev ## Run the tests
	$(BIN)/python -m pytest -n auto

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only .

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

contracts: $(VENV)/.dev
	$(BIN)/lint-imports

policies: $(VENV)/.dev ## Lint the shipped policies and run their tests
	$(BIN)/adjudge lint policies --fail-on notice
	$(BIN)/adjudge test policies

docs: $(VENV)/.dev
	$(BIN)/python docs/check.py

# The tests come last: their closing line is the last thing a reader sees.
check: lint types contracts policies docs test ## Everything that CI runs

bench: $(VENV)/.dev ## Compare with OPA and regorus, as ratios
	$(BIN)/python -m benchmarks

bench-plots: $(VENV)/.dev ## Measure growth; write benchmarks/results
	$(BIN)/python -m benchmarks --plots

clean: ## Remove .venv and what tools leave behind
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist build
