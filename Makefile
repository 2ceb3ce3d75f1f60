# make report: the quickstart study and its report.  make test: the tests.  make docs: the documentation site.
# All make .venv first, from the versions pinned in constraints.txt, and only when those change.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: report test check docs clean

report: $(READY)
	$(BIN)/python studies/quickstart.py

test: $(READY)
	$(BIN)/python -m pytest -n auto --dist loadfile

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: $(READY)
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -b html docs docs/build
	@echo docs/build/index.html

# torch first: a torchvision resolved beside it then takes the torch that is already there.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt pip setuptools torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[giotto,fuzz,dev,docs]"
	touch $(READY)

clean:
	rm -rf $(VENV) docs/build data/store reports/quickstart
