# Everything sets up what it needs; run any of these again at will.
#   make demo      run the network, embed a text through it, lose a device half way    TEXT=path QUESTION=...
#   make test      all tests on this machine's RabbitMQ;  make unit: those that start no process of ours
#   make test-all  the same with classic queues, and on RABBITMQ_NEXT if that names another rabbitmq-server
#   make bench     what a task costs, how well tasks are placed, on STARAI_RABBITMQ_SERVER    BENCH='overhead --runs 3'
#   make check     refuse what ruff, mypy and import-linter refuse;  make format: format
#   make lock      pin the newest versions that pyproject.toml allows

PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/pytest --numprocesses auto

.PHONY: setup rabbitmq demo test unit test-all bench check format lock clean

demo: setup
	@$(BIN)/starai demo $(if $(TEXT),--text "$(TEXT)") $(if $(QUESTION),--question "$(QUESTION)")

test: setup
	$(PYTEST)

unit: .venv/complete
	$(PYTEST) -m "not process"

test-all: test
	STARAI_QUEUE_TYPE=classic $(PYTEST)
	$(if $(RABBITMQ_NEXT),STARAI_RABBITMQ_SERVER="$(RABBITMQ_NEXT)" $(PYTEST))
	$(if $(RABBITMQ_NEXT),STARAI_QUEUE_TYPE=classic STARAI_RABBITMQ_SERVER="$(RABBITMQ_NEXT)" $(PYTEST))

bench: setup
	$(BIN)/python -P -m bench $(BENCH)

check: .venv/complete
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/complete
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

setup: .venv/complete rabbitmq

.venv/complete: requirements/cpu.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("StarAI needs Python 3.11 or newer." if sys.version_info < (3, 11) else 0)'
	@echo "Setting up .venv (once; about a minute)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/cpu.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

rabbitmq: .venv/complete
	@$(BIN)/python -P -m broker_config.node_server >/dev/null 2>&1 || ops/install-rabbitmq

lock: .venv/complete
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes --no-annotate \
	  --extra device --extra platform --extra cpu --group dev pyproject.toml -o requirements/cpu.txt

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
