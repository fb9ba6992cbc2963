# make train [ENV=FlatPJCube-v0] [NP=2] [ARGS="--set epochs=5"]
# make test  [ARGS="-m slow"]
# make lint
# Each sets up .venv by itself; an MPI library and mpirun come along as a wheel.

PYTHON ?= python3.11
VENV ?= .venv
ENV ?= FlatPJCube-v0
ARGS ?=

# mpirun counts physical cores; nproc also counts hardware threads, but knows of limits
CORES := $(shell lscpu -p=CORE,SOCKET 2>/dev/null | grep -v '^\#' | sort -u | wc -l)
CPUS := $(shell nproc 2>/dev/null || echo 1)
NP ?= $(shell if [ "$(CORES)" -gt 0 ] && [ "$(CORES)" -lt "$(CPUS)" ]; then echo $(CORES); else echo $(CPUS); fi)

# Open MPI refuses to run as root unless told twice, as in containers
ROOT := $(if $(filter 0,$(shell id -u)),OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1)
RUN := PATH="$(abspath $(VENV))/bin:$$PATH" $(ROOT)

.PHONY: train test lint

train: $(VENV)/.installed
	$(RUN) mpirun -n $(NP) python examples/train.py --env $(ENV) $(ARGS)

test: $(VENV)/.installed
	$(RUN) pytest $(ARGS)

lint: $(VENV)/.installed
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy

$(VENV)/.installed: pyproject.toml
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install -e ".[mpi,dev]"
	touch $@
