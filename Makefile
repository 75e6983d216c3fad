# Everything starts here. `make` alone lists what can be done.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
FUZZ := tests/unit/gateway/test_fuzz.py tests/unit/gateway/test_schemathesis.py

.PHONY: help demo dev check lint format types imports unit contract integration e2e test test-slow test-docker bench docs ci-deps clean

help: ## List what can be done here
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Watercooler needs Python 3.11 or newer; set PYTHON=/path/to/one")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check --progress-bar on -q -e '.[standalone]'
	@touch $@

$(VENV)/.dev: $(STAMP)
	$(BIN)/pip install --disable-pip-version-check -q -e '.[standalone,dev]'
	@touch $@

demo: $(STAMP) ## Run everything on this machine with real activities of an open-source organisation
	$(BIN)/watercooler up --demo

dev: $(VENV)/.dev ## Install what developing needs (again, after a change of pyproject.toml)

check: lint types imports ## Look without running: ruff, mypy, import rules

lint: $(VENV)/.dev ## Style and common mistakes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: $(VENV)/.dev ## Types, strictly
	$(BIN)/mypy

imports: $(VENV)/.dev ## Who may import whom
	$(BIN)/lint-imports

unit: $(VENV)/.dev ## Tests without servers
	$(BIN)/pytest tests/unit -q

contract: $(VENV)/.dev ## The same tests over memory twins and the real servers
	$(BIN)/pytest tests/contract -q -m 'not slow'

integration: $(VENV)/.dev ## Tests on real servers
	$(BIN)/pytest tests/integration -q -m 'not slow'

e2e: $(VENV)/.dev ## Tests of the whole stack
	$(BIN)/pytest tests/e2e -q -m 'not slow'

test: check ## All checks and every ring of tests
	$(BIN)/pytest -m 'not slow'

test-slow: $(VENV)/.dev ## The long ones: kills at full size, long fuzzing, Keycloak; last results in docs/test-slow.md
	$(BIN)/pytest -m slow --timeout 3600
	$(BIN)/pytest $(FUZZ) --hypothesis-profile=long --timeout 3600

test-docker: $(VENV)/.dev ## The image and containers; starts a Docker engine where none runs (Debian, root)
	TESTCONTAINERS_RYUK_DISABLED=true WATERCOOLER_REQUIRE=docker \
	  deploy/with-engine.sh $(BIN)/pytest tests/integration/test_containers.py

bench: $(VENV)/.dev ## Measure, each figure as a ratio in the same run (DATA=FILE imports a large one, too)
	$(BIN)/python -m bench $(if $(DATA),--data $(DATA))

docs: $(VENV)/.dev ## Write the tables of docs/ anew from the code
	$(BIN)/python tools/docs.py

ci-deps: ## Install the system packages that tests use (Debian)
	apt-get update -q
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends python3-venv git kcat chromium \
	  curl mediawiki php-cli php-sqlite3 php-mbstring php-xml php-intl php-curl util-linux
	command -v node npm >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends nodejs npm

clean: ## Remove what was built here (not the data in .watercooler)
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
