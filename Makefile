# Each target sets up what it needs by itself; a fresh machine with Python 3.11 to 3.13 and make is enough.
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 2024
SHOP ?= home

.PHONY: setup dev serve demo show attack test test-thorough coverage coverage-floor test-all chaos chaos-postgres chaos-short cluster bench test-services services lint migration classifier pictures dashboard screenshots alerts-test clean

setup: .venv/ready .tokens.json .tokens.sha256.json

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.12 …"; exit 2; }
	@echo "Installing into .venv (about a minute the first time) …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

.tokens.json .tokens.sha256.json: | .venv/ready
	@$(BIN)/desk tokens init

dev: setup  ## the server for Studio and the UIs, on 127.0.0.1:2024
	@$(BIN)/python -c 'import socket; socket.create_server(("127.0.0.1", $(PORT))).close()' 2>/dev/null || { echo "port $(PORT) is taken: make dev PORT=…, and DESK_URL=http://127.0.0.1:… for desk"; exit 2; }
	LANGGRAPH_STRICT_MSGPACK=true STUDIO_MODE=act $(BIN)/langgraph dev --no-browser --host 127.0.0.1 --port $(PORT)

serve: setup  ## one machine that keeps everything: threads, orders and caches in .data outlive a kill
	@$(BIN)/desk serve --port $(PORT)

attack: setup  ## 26 ways round an approval gate, against an ordinary one and ours side by side
	@$(BIN)/python -m attack

demo: setup  ## a shop survives an outage and a kill while people approve and refuse; the other one: make demo SHOP=market
	@SHOP_DIR=shops/$(SHOP) $(BIN)/python -m demo

show: setup  ## a living shop with its desk in a browser: stop the card network, kill the server, and see; make show SHOP=market
	@SHOP_DIR=shops/$(SHOP) $(BIN)/python -m show

# Workers, servers and commands of the tests start a hundred times: what Python compiled for one is there for the next,
# also where it is told to keep nothing.
test test-thorough: export PYTHONDONTWRITEBYTECODE :=
MEASURE ?=
ifneq ($(SHOP),home)
test test-thorough: export TEST_SHOP := $(SHOP)
OTHER_SHOP := and not of_home
endif

test: setup  ## unit and integration tests on the embedded defaults; for the other shop: make test SHOP=market
	@$(BIN)/python -m pytest -n auto -m "not thorough $(OTHER_SHOP)" $(MEASURE)

test-thorough: setup
	@$(BIN)/python -m pytest -n auto -m "thorough $(OTHER_SHOP)" $(MEASURE)

# Apart from `make test`, since noting each branch takes two thirds more of the processor: only Python 3.12 has a cheaper way.
coverage: setup  ## both of these, and how much of src they reach; fails below the floor in pyproject.toml
	@$(BIN)/coverage erase
	@$(MAKE) test test-thorough MEASURE="--cov --cov-append --cov-report= --cov-fail-under=0"
	@$(MAKE) coverage-floor

coverage-floor: setup
	@$(BIN)/coverage report

test-all: test test-thorough test-services chaos-short  ## the same at every node, on real services, and three minutes of chaos

chaos: setup  ## a live server is killed 300 times while its card network is slow, down and lying; then the books
	@SHOP_DIR=shops/$(SHOP) $(BIN)/python -m tests.chaos

chaos-postgres: setup  ## the same, with the ledger on PostgreSQL
	@SHOP_DIR=shops/$(SHOP) $(BIN)/python -m tests.chaos --postgres

chaos-short: setup
	@$(BIN)/python -m tests.chaos --minutes 2
	@SHOP_DIR=shops/market $(BIN)/python -m tests.chaos --minutes 1

cluster: setup  ## two workers on a PostgreSQL and a Redis of their own, until Ctrl-C; make cluster DRILL=200: one is killed, one freezes; CHAOS=5: five minutes of kills; ATTACK=1: 26 ways round the gate
	@SHOP_DIR=shops/$(SHOP) $(BIN)/python -m tests.cluster $(if $(DRILL),--drill $(DRILL)) $(if $(CHAOS),--chaos $(CHAOS)) $(if $(ATTACK),--attack)

bench: setup  ## measure against peers in the same run; one JSON line a figure
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@$(BIN)/python -m benchmarks.breaker
	@$(BIN)/python -m benchmarks.approvals
	@$(BIN)/python -m benchmarks.orders
	@$(BIN)/python -m benchmarks.model_turns
	@$(BIN)/python -m benchmarks.turns
	@$(BIN)/python -m benchmarks.observed
	@$(BIN)/python -m benchmarks.ledger_capacity
	@$(BIN)/python -m benchmarks.fleet
	@$(BIN)/python -m benchmarks.two_workers
	@$(BIN)/python -m benchmarks.engines

test-services: setup
	@$(BIN)/python -m pytest -n 2 tests/services

SERVICES := postgresql redis-server chromium prometheus prometheus-alertmanager
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

services: setup  ## install what tests/services start by themselves (Debian, Ubuntu)
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[services]'
	@dpkg --status $(SERVICES) >/dev/null 2>&1 || { $(SUDO) apt-get update --quiet && $(SUDO) DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends $(SERVICES); }

alerts-test: services  ## each alert fires when it must, and is silent when it must; and what its programs say of their files
	@promtool test rules deploy/prometheus/alerts_test.yml
	@promtool check config --syntax-only deploy/prometheus/prometheus.yml
	@amtool check-config deploy/prometheus/alertmanager.yml
	@for severity in page warning; do \
		amtool config routes test --config.file deploy/prometheus/alertmanager.yml --verify.receivers $$severity severity=$$severity || exit 1; done

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

migration: setup  ## the next revision of the ledger's schema, from its tables: make migration NAME=what_changed
	@$(BIN)/python -m agent.ledger.migrations $(NAME)
	@$(BIN)/ruff format --quiet src/agent/ledger/migrations

classifier: setup  ## train the embedded classifier from src/agent/capabilities/examples
	@SHOP_DIR=shops/home $(BIN)/python -m agent.assistant.train

pictures: setup  ## draw the graphs, and the states of orders and payments, from the code into the documents
	@$(BIN)/python -m docs.pictures README.md docs/architecture.md

dashboard: setup  ## the Grafana dashboard, from deploy/dashboard.py
	@$(BIN)/python -m deploy.dashboard

screenshots: services  ## the desk in a browser, as docs/ shows it
	@$(BIN)/python -m docs.screenshots

clean:
	rm -rf .venv .venv-aegra .data .langgraph_api .tokens.json .tokens.sha256.json .tokens.sha256.json.lock
