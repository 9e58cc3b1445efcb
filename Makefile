# make demo    train a network on real digits and leave pictures in out/
# make test    the whole suite;  make lint: linter and type checker
# make bench   against PyTorch, JAX, autograd and MyGrad, in an environment of their own

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	&& echo $$p && break; done)
VENV := .venv
RUN := $(VENV)/bin/python

.PHONY: demo test lint bench clean

demo: $(VENV)/.ready
	@$(RUN) examples/digits.py $(ARGS)

test: $(VENV)/.ready
	@$(RUN) -m pytest -q -n 2 --cov=dezero --cov-report=term:skip-covered $(ARGS)
	@$(RUN) -m coverage report --include='dezero/core/*,dezero/functions/*' --fail-under=95 | tail -1

lint: $(VENV)/.ready
	@$(RUN) -m ruff check . && $(RUN) -m ruff format --check . && $(RUN) -m mypy

$(VENV)/.ready: pyproject.toml
	@bash scripts/environment.sh "$(PYTHON)" $(VENV) '.[demo,dev]'
	@touch $@

bench: .venv-bench/.ready
	@.venv-bench/bin/python benchmarks/run.py $(ARGS)

.venv-bench/.ready: pyproject.toml benchmarks/requirements.txt
	@bash scripts/environment.sh "$(PYTHON)" .venv-bench . -r benchmarks/requirements.txt
	@touch $@

clean:
	rm -rf .venv .venv-bench out .coverage
