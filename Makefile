# labelrisk: `make repro` runs the study, `make test` the tests; both set up what they need and may be repeated.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export DVC_NO_ANALYTICS := 1
export HF_HUB_DISABLE_TELEMETRY := 1

.PHONY: help setup repro curves curves-small studies table compare test test-all test-real fuzz check check-remote lint docs benchmark lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-10s %s\n", $$1, $$2}'

setup: .venv/installed .labelrisk/page.html ## create .venv with the pinned dependencies, and set how git merges what runs write
	@! git rev-parse --git-dir >/dev/null 2>&1 || git config --get merge.ours.driver >/dev/null \
	  || git config merge.ours.driver true

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "make: $(PYTHON) is older than 3.11; run make PYTHON=python3.11 (or newer)" >&2; exit 1; }
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@echo "installing the pinned dependencies into .venv (once, a few minutes) ..."
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

# the page of `dvc plots show` with its script inside
.labelrisk/page.html: .dvc/plots/page.html .venv/installed
	@.venv/bin/labelrisk vega

repro: setup check ## run the study, students side by side (JOBS=1: one by one), and print the comparison
	@labelrisk repro $(if $(JOBS),--jobs $(JOBS))
	@$(MAKE) --no-print-directory table

curves: setup ## learning curves: students of fewer rows of each source (curves-small: a few, in minutes)
	@labelrisk curves $(if $(JOBS),--jobs $(JOBS))

curves-small: setup
	@labelrisk curves --small $(if $(JOBS),--jobs $(JOBS))

studies: setup ## run the two studies of ../shared/data (an hour on two cores), then one table of all
	@python benchmarks/study_texts.py
	@for study in policy_uk babe; do (cd studies/$$study && labelrisk repro $(if $(JOBS),--jobs $(JOBS))) || exit 1; done
	@labelrisk studies

check: setup ## check params.yaml and the files that it names
	@labelrisk check

check-remote: setup ## fail where the DVC remote lacks outputs that the last commit names
	@labelrisk check-remote

table: setup ## print the comparison of the last run
	@labelrisk table

compare: setup ## experiments, or REVS="main mine", side by side, only what differs
	@labelrisk compare $(REVS)

# two workers on two cores: their libraries' own threads would wait for each other
test test-all fuzz: export OMP_NUM_THREADS := 1

test: setup lint ## lint, type check and tests
	python -m pytest --numprocesses 2 --dist loadfile

test-all: setup lint ## the same and the slow ones, some minutes more
	python -m pytest --numprocesses 2 --dist loadfile -m 'slow or not slow'

test-real: setup ## the same against LiteLLM's proxy, transformers serve and Label Studio's own parser
	LABELRISK_REAL=1 python -m pytest -rsP tests/real

fuzz: setup ## files, answers, headers and params drawn at random, 10,000 of each: for a night
	python -m pytest --numprocesses 2 -m fuzz --hypothesis-profile many

lint: setup
	ruff check .
	ruff format --check .
	mypy

docs: setup ## build docs/ as a site, with the reference of keys and commands, and without a warning
	@sphinx-build -W --keep-going -n -q docs docs/_build/html
	@echo "open docs/_build/html/index.html"

benchmark: setup ## measure intervals against known truths, training and annotation against the usual recipes
	for file in benchmarks/validity*.py; do python $$file; done
	python benchmarks/evaluation.py
	python benchmarks/prediction.py
	python benchmarks/repairs.py
	python benchmarks/training.py
	python benchmarks/annotation.py speed
	python benchmarks/annotation.py faults
	python benchmarks/annotation.py limits
	python benchmarks/annotation.py million
	python benchmarks/scale.py

lock: ## make requirements.lock anew from pyproject.toml, with the newest versions
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet pip-tools
	pip-compile --quiet --upgrade --extra dev --extra onnx --extra openvino --extra ray --strip-extras --no-header \
	  --no-emit-index-url --no-emit-find-links --no-emit-options --annotation-style line --output-file requirements.lock pyproject.toml
	sed -i -E 's/^(torch==[0-9.]+)\+cpu/\1/' requirements.lock

clean: ## remove what make and DVC made in this folder, but not the answers that were paid for
	rm -rf .venv .venv-real data/{code,declared,prepared,vectors,labels,ballots,baselines,training,predictions,logs,runs,names,*.parquet} \
	  models classifiers .dvc/cache
