# The commands of this project; `make` alone prints them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
# Test processes, each with servers of its own: one more than cores, since one of them often waits for a whole service.
JOBS ?= $(shell $(PYTHON) -c 'import os; print(1 + len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1 + os.cpu_count())')
# Tests, and the service, start processes all the time; without bytecode each compiles every module anew.
unexport PYTHONDONTWRITEBYTECODE
# Any number: the tests in an order of their own, modules and within modules, for example SHUFFLE=7.
SHUFFLE ?=
PYTEST = $(BIN)/python -m pytest -n $(JOBS) $(if $(SHUFFLE),--random-order --random-order-seed=$(SHUFFLE))

help:  ## print the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | awk -F '\t' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: .venv/ready  ## set everything up and train the tutorial's eight stages through the whole service
	@$(BIN)/gradyard demo

up: .venv/ready  ## start the service on this machine and keep it up until Ctrl-C
	@$(BIN)/gradyard up

test: .venv/ready-for-tests  ## lint, types, import contracts and the tests, on SQLite and PostgreSQL; what CI runs
	$(MAKE) --no-print-directory lint
	$(PYTEST) -m "not long" --durations=20

long: .venv/ready-for-tests  ## what make test leaves out: the same stories on SQLite too, and builds that the fault runner must fail
	$(PYTEST) -m long --durations=20

quick: .venv/ready-for-tests  ## in two minutes: lint, types, import contracts and the tests that need no server
	$(MAKE) --no-print-directory lint
	$(PYTEST) -m "not server and not slow and not long and not gpu"

lint: .venv/ready-for-tests  ## style, types and import contracts alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# By name: no other test file needs to be importable on a machine with a GPU. tests/test_make_targets.py keeps the list.
GPU_TESTS := tests/workers/trainers/test_on_gpu.py tests/workers/trainers/test_engines_on_gpu.py tests/stack/test_real_gpu.py tests/stack/test_two_slots_on_a_gpu.py

test-gpu: .venv/ready-for-tests  ## the tests that need a GPU; those of widths write down where they passed
	$(BIN)/python -m pytest -m gpu $(GPU_TESTS)

faults: .venv/ready-for-tests  ## hurt a whole service for minutes on each database, and prove that nothing was lost
	$(BIN)/python -m tests.faults --database sqlite
	$(BIN)/python -m tests.faults --database postgresql
	$(BIN)/python -m pytest -m long tests/faults

# What draws its examples, and the interleavings. tests/test_make_targets.py keeps the list.
FUZZ_TESTS := tests/store/test_interleavings.py tests/store/test_lifecycle_model.py \
  tests/store/dependencies/test_random_pipelines.py tests/store/questions/test_answers.py \
  tests/store/questions/test_groups.py tests/service/test_openapi.py tests/service/test_openapi_with_keys.py \
  tests/service/test_questions.py tests/jobs/test_bounded_reading.py tests/jobs/test_any_json.py \
  tests/jobs/test_curves.py tests/jobs/test_visible_text.py tests/jobs/files tests/jobs/evidence \
  tests/jobs/questions tests/workers/protocol tests/workers/celery_side/test_heard.py

fuzz: .venv/ready-for-tests  ## half an hour of random lives of jobs, every interleaving of any two moves, random requests, bodies and frames
	FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-1000} EVERY_INTERLEAVING=1 $(PYTEST) $(FUZZ_TESTS)

bench: .venv/ready-for-bench  ## measure everything beside its peers, on this machine: half an hour; bench/RESULTS.md
	@for what in overhead packs throughput floor postgresql_queues alive waiting history exports pages fairness blocked scale gpu; do $(BIN)/python -m bench.$$what || exit 1; done

pictures: .venv/ready-for-tests  ## draw the pictures of docs and examples anew, run the notebook, record the terminal, take the pages
	@for what in analysis notebook recordings screenshots; do $(BIN)/python -m bench.$$what || exit 1; done

pythons: .venv/ready-for-tests  ## the fast tests on every Python from 3.11 to 3.14 of this machine, each in a fresh environment
	$(BIN)/python -m tests.packaging.pythons $(VERSIONS)

release: .venv/ready-for-tests  ## a wheel, a source archive and two images of the tagged commit, into dist/; CONTRIBUTING.md
	$(BIN)/python .ci/release.py $(if $(REGISTRY),--registry $(REGISTRY))

constraints: .venv/ready-for-bench  ## pin what is installed now into constraints.txt
	@{ sed -n '/^#/p' constraints.txt; $(BIN)/pip freeze --exclude-editable | sed -E 's/\+cpu//' | grep -vE '^(pip|setuptools|wheel|triton)=='; } > .venv/constraints && mv .venv/constraints constraints.txt

clean:  ## remove the virtual environment and everything that was built
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gradyard needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	@echo "setting up .venv"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "python3 -m venv failed; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

# editable_mode=compat: mypy, pyright and editors do not find a package behind setuptools' import hook.
.venv/ready: .venv/bin/python pyproject.toml constraints.txt
	@echo "installing gradyard with PyTorch and an embedded Redis server (the first time takes a minute or more)"
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --config-settings editable_mode=compat -e '.[server,worker,embedded,postgresql]'
	@touch $@

.venv/ready-for-tests: .venv/ready
	@echo "installing what the tests need"
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --config-settings editable_mode=compat -e '.[server,worker,embedded,postgresql,test]'
	@touch $@

.venv/ready-for-bench: .venv/ready-for-tests
	@echo "installing what benchmarks measure ours against, and real data"
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --config-settings editable_mode=compat -e '.[server,worker,embedded,postgresql,test,bench,real-data]'
	@touch $@

.PHONY: help demo up test long quick test-gpu lint faults fuzz bench pictures pythons release constraints clean
