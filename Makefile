# `make` alone says what there is. Everything a target needs is set up on the way (scripts/set_up.py).

PYTHON ?= python3
PY := .venv/bin/python
SET_UP := $(PYTHON) scripts/set_up.py
NPM := $(PYTHON) scripts/npm.py
# Two at a time, each with servers and a browser of its own. A file stays with one of them, in the order they have here:
# the long ones are not the last.
SIDE_BY_SIDE := -n 2 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help run dev test check check-quick format admin bench chaos hostile web lighthouse screenshots types env test-compose lock upgrade clean

help: ## this list
	@echo "Inkstream: make <what>"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

run: ## start everything here, without containers; the page is at http://127.0.0.1:8080
	@$(SET_UP) python web
	@exec $(PY) -m standalone

dev: ## as `run`, with hot reload of the page and a restart of each service whose sources change
	@$(SET_UP) python page-packages
	@exec $(PYTHON) scripts/dev.py

admin: ## accounts of what `make run` started: make admin ARGS="users", add NAME, reset-password NAME, sign-out NAME
	@$(SET_UP) python
	@$(PY) -m standalone.admin $(or $(ARGS),--help)

test: ## every test, on real PostgreSQL, NATS and Chromium
	@$(SET_UP) python web browser
	$(NPM) run test
	$(PY) -m pytest $(SIDE_BY_SIDE)

check: check-quick ## lint, types, architecture, lock files: the gate before a commit
	@$(SET_UP) web
	$(PY) -m pyright
	$(PY) scripts/page_types.py --check
	$(PY) scripts/page_size.py
	$(NPM) run check

check-quick: ## the part of `check` that takes seconds, for every commit
	@$(SET_UP) python
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	.venv/bin/lint-imports
	$(PY) scripts/lock.py --check

format: ## put the code into its form
	@$(SET_UP) python web
	$(PY) -m ruff check --fix
	$(PY) -m ruff format
	$(NPM) run format

bench: ## measure all beside its references; ONLY=chats,resume: some rows, PEERS=1: other products too, BENCH: options
	@$(SET_UP) python web browser
	$(PY) -m bench $(if $(ONLY),--only $(ONLY)) $(if $(PEERS),--with-peers) $(BENCH)

hostile: ## attack a running system and print what a user has of it meanwhile; some twenty minutes
	@$(SET_UP) python
	$(PY) -m tests.hostile

web: ## build the page into web/dist
	@$(SET_UP) python web

chaos: ## kill every process many times in the middle of work, and count what is lost; some 15 minutes
	@$(SET_UP) python
	$(PY) -m tests.chaos

lighthouse: ## what Lighthouse says of the built page, signed out and signed in; some four minutes
	@$(SET_UP) python web browser
	$(PY) scripts/lighthouse.py

screenshots: ## take the pictures in docs/ from the running page
	@$(SET_UP) python web browser
	$(PY) scripts/screenshots.py

types: ## make the page's types from the contracts
	@$(SET_UP) python web
	$(PY) scripts/page_types.py

env: ## make .env with new passwords for `docker compose`; what is there stays
	@$(PYTHON) scripts/make_env.py

test-compose: ## build and start the containers, scaled, and run the cross-tab loop through them
	@$(SET_UP) python browser
	@$(PYTHON) scripts/test_compose.py

lock: ## bring the lock files up to date with the pyproject files
	@$(SET_UP) python
	@$(PY) scripts/lock.py

upgrade: ## move every dependency to its current release
	@$(SET_UP) python
	@$(PY) scripts/lock.py --upgrade
	$(NPM) update

clean: ## remove what was built and installed; your data stays
	rm -rf .venv web/node_modules web/dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
