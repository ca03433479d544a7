# Two commands do everything: `make reproduce` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One BLAS thread a process: the parallelism is over tests and over claims.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export MPLBACKEND ?= Agg

.PHONY: reproduce test test-all fuzz lint figures notebooks docs data clean

reproduce: $(VENV)/.installed
	$(BIN)/scc verify --workers 2 --out out

test: $(VENV)/.installed
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

test-all: $(VENV)/.installed
	$(BIN)/python -m pytest -n 2 --dist worksteal

fuzz: $(VENV)/.installed
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

figures: $(VENV)/.installed
	$(BIN)/scc figure all --out out/figures

notebooks: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[notebooks]'
	$(BIN)/python paper-notebooks/execute.py --out out/notebooks

# Pages in docs/_build/html. Figures of claims are those of `make reproduce` if it has run.
docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	$(BIN)/python -m sphinx -W --keep-going -j auto -b html docs docs/_build/html

# Hours: see data/water/README.md. What is finished is kept; run it again to go on.
data: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[data]'
	$(BIN)/python data/water/generate.py

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "scc needs Python 3.11 or newer, found " + sys.version'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) out build *.egg-info
