# `make demo` and `make test` do all set-up on a fresh machine; nothing else has to be installed first but Python 3.11 or later.

PYTHON ?= python3
BIN := .venv/bin
# The numeric libraries' own threads only get in each other's way when tests run side by side.
TEST_ENV := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

.PHONY: demo atoms test test-fast lint types floors check wheel bench clean

demo: .venv/stamp
	$(BIN)/dpp demo

# The page of the atoms, from their records.
atoms: .venv/stamp
	$(BIN)/dpp atoms --markdown > docs/atoms.md

test: .venv/stamp editors/vscode/node_modules/.stamp .venv/neovim.stamp
	$(TEST_ENV) $(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not slow"
	$(TEST_ENV) $(BIN)/python -m pytest -q -n 2 --dist worksteal -m slow

test-fast: .venv/stamp editors/vscode/node_modules/.stamp
	$(TEST_ENV) $(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not slow"

lint: .venv/stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/stamp
	$(BIN)/pyright

floors: .venv/stamp
	$(BIN)/lint-imports

check: lint types floors

wheel: .venv/stamp
	$(BIN)/python -m build --wheel --no-isolation --outdir dist

.venv/stamp: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "dpplang needs Python 3.11 or later; name one with: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

# The packages that VS Code itself uses, for the tests of the editors; without node or a registry those are skipped, aloud.
editors/vscode/node_modules/.stamp: editors/vscode/package-lock.json
	@command -v npm >/dev/null || echo "npm is missing: the tests of the editors on VS Code's own packages will be skipped" >&2
	-@! command -v npm >/dev/null || { cd editors/vscode && npm ci --loglevel=error --no-fund --no-audit && \
	  sha256sum package-lock.json | cut -d ' ' -f 1 | tr -d '\n' > node_modules/.stamp; }

# Neovim, for the test in which it drives the language server; installed where that is ours to do, else the test is skipped, aloud.
.venv/neovim.stamp: .venv/stamp
	@command -v nvim >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
	  { apt-get install -y -qq --no-install-recommends neovim || { apt-get update -qq && apt-get install -y -qq --no-install-recommends neovim; }; } >/dev/null 2>&1; } || \
	  echo "Neovim is missing: the test that drives the language server with it will be skipped" >&2
	@touch $@

# Peers beside us, on the same data in the same run; the tables and figures land in docs/. Rows that were measured are kept under
# build/benchmarks: `make bench BENCH=--resume` goes on where a run was broken off.
bench: .venv/stamp
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m pip install --quiet --no-deps qpth==0.0.18 diffapqp==0.2.0 # their pins clash with the others'
	$(BIN)/python -m benchmarks.growth $(BENCH)
	$(BIN)/python -m benchmarks --out docs $(BENCH)

clean:
	rm -rf .venv dist build editors/vscode/node_modules editors/vscode/dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
