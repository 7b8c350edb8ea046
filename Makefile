# `make run` and `make test` install what they need first; everything else is for developers.
PYTHON ?= python3
PORT ?= 5000
BIN := .venv/bin
NPM := $(shell command -v npm 2>/dev/null)
# The tests start Python over a hundred times: it need not compile the same modules each time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run graphiql-if-possible test quick explore chaos check format schema schema-diff openapi graphiql constraints bench bench-plans live siege soak clean

run: .venv/run graphiql-if-possible  ## Start the service on http://127.0.0.1:$(PORT)/graphql
	@PORT=$(PORT) exec $(BIN)/python app.py

test: .venv/dev graphiql tests/node_modules/.installed tests/clients/node_modules/.installed  ## Run every test
	$(BIN)/python -m pytest -n 2 --dist loadfile --timeout 600

quick: .venv/dev  ## Run most tests, on the embedded engine
	$(BIN)/python -m pytest -n 2 --dist worksteal --engines embedded -m "not whole and not thorough"

explore: PLANS ?= 1000
explore: .venv/dev  ## Try what always holds on examples that no run has seen
	EXPLORE=1 PLANS=$(PLANS) $(BIN)/python -m pytest -n 2 --engines embedded -m hypothesis

chaos: SECONDS ?= 120
chaos: .venv/dev  ## Kill its processes for SECONDS, and check what clients saw; SEED repeats a run
	CHAOS_SECONDS=$(SECONDS) CHAOS_SEED=$(SEED) $(BIN)/python -m pytest --no-header -q tests/process/chaos

check: .venv/dev  ## Format check, lint, types, security lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml graphql_api app.py

format: .venv/dev  ## Format and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schema: .venv/run openapi  ## Write schema.graphql and docs/openapi.json anew
	$(BIN)/python -c 'from graphql_api.api.graphql.schema import SCHEMA; print(SCHEMA.as_str())' > schema.graphql

openapi: .venv/run  ## Write docs/openapi.json anew
	$(BIN)/python -c 'from graphql_api import __version__; from graphql_api.api.graphql.schema import SCHEMA; \
		from graphql_api.api.rest import openapi; \
		print(openapi.dumps(openapi.document(SCHEMA._schema, __version__)), end="")' > docs/openapi.json

schema-diff: .venv/dev  ## Print how the schema differs from the last release's
	@$(BIN)/python tests/support/evolution.py

bench: .venv/run bench/peers/node_modules/.installed  ## Measure against Apollo Server, GraphQL Yoga and the floor
	@$(BIN)/python bench/run.py $(BENCH)

siege: SECONDS ?= 15
siege: .venv/run bench/peers/node_modules/.installed  ## See what ten users notice while others do their worst
	@$(BIN)/python bench/siege.py --seconds $(SECONDS)

live: .venv/run bench/peers/node_modules/.installed  ## See what subscribers cost and how soon they hear, beside GraphQL Yoga
	@$(BIN)/python bench/live.py

soak: SECONDS ?= 600
soak: .venv/run bench/peers/node_modules/.installed  ## See whether memory stays flat under SECONDS of mixed load
	@$(BIN)/python bench/soak.py --seconds $(SECONDS)

bench-plans: .venv/planning  ## Measure plans against CP-SAT and, if WT_DATA has OR-Library's files, the published optima
	@test -z "$(WT_DATA)" || .venv/planning/bin/python bench/tardiness.py --data "$(WT_DATA)" --cp-sat 1 $(BENCH)
	@.venv/planning/bin/python bench/plans.py --seconds 10 --workers 1 --seeds 2
	@.venv/planning/bin/python bench/families.py

# An environment of its own: OR-Tools needs an older protobuf than traces do.
.venv/planning: bench/requirements.txt requirements/service.txt constraints.txt | .venv/bin/python
	@$(BIN)/python -m venv $@
	@grep -v '^protobuf=' constraints.txt > $@/constraints.txt
	@$@/bin/python -m pip install --quiet --disable-pip-version-check \
		-r requirements/service.txt -r bench/requirements.txt -c $@/constraints.txt
	@touch $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 …" >&2; exit 1; }
	@echo "Creating .venv with $(PYTHON) …"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "Python's venv module is needed: apt install python3-venv" >&2; exit 1; }

.venv/run: requirements/service.txt requirements/run.txt constraints.txt | .venv/bin/python
	@echo "Installing the Python packages (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/run.txt -c constraints.txt
	@touch $@

.venv/dev: requirements.txt $(wildcard requirements/*.txt) .venv/run
	@echo "Installing the packages for tests and checks (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt -c constraints.txt
	@touch $@

# Without its files the page takes them from a CDN: that must not stop the service.
graphiql-if-possible:
	@$(MAKE) --no-print-directory graphiql || echo "GraphiQL's files could not be installed: they will come from its CDN."

ifdef NPM
graphiql: graphiql/node_modules/.installed

%/node_modules/.installed: %/package.json %/package-lock.json
	@echo "Installing the npm packages of $* (once) …"
	@cd $* && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && touch node_modules/.installed
else
bench/peers/node_modules/.installed:
	@echo "npm is needed for what is compared: Apollo Server, GraphQL Yoga and the engine." >&2; exit 1

graphiql tests/node_modules/.installed tests/clients/node_modules/.installed:
	@echo "npm is not installed: GraphiQL will come from its CDN, and tests that need Node skip."
endif

constraints: .venv/dev  ## Pin what is installed now
	$(BIN)/python -m pip freeze --exclude-editable > constraints.txt

help:  ## Print what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {sub(/\$$\(PORT\)/, "$(PORT)"); printf "%-12s %s\n", $$1, $$2}' Makefile

clean:  ## Remove what was installed; keeps data/
	rm -rf .venv graphiql/node_modules tests/node_modules tests/clients/node_modules bench/peers/node_modules
