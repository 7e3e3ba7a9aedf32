# Caret: everything a person or a CI machine runs. `make help` lists the targets.

PYTHON ?= python3
MODEL ?= qwen2.5-coder-1.5b
PYTEST_ARGS ?=
# llama.cpp for `make bench`: `caret bench peer` says how to get it.
PEER ?= $(LLAMA_SERVER)
DRAWN := keystrokes prefill decode
LISTED := load memory
# An extra package index to take torch from; README.md says when that is worth it.
TORCH_INDEX ?=

VENV := .venv
BIN := $(VENV)/bin
# A folder of packages whose kernels were built with sanitizers comes before this one. Python leaves
# memory behind when it ends, which is no leak of ours.
SANITIZE := -fsanitize=address,undefined,float-cast-overflow -fno-omit-frame-pointer
SANITIZED = LD_PRELOAD="$(foreach name,asan ubsan stdc++,$(shell gcc -print-file-name=lib$(name).so))" \
  ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 PYTHONSAFEPATH=1 PYTHONPATH=$(CURDIR)/build/sanitizers/lib:$(CURDIR)
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
TOGETHER := $(MAKE) --no-print-directory --output-sync
DOCS := README.md $(wildcard docs/*.md)

# Some machines forbid bytecode; hundreds of processes here would compile Caret anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-code test-server test-engine test-bench fuzz torture optimized devmode sanitizers test-editors test-terminals test-vscode test-plugins editors vsix screenshots bench figures setup check format clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.installed ## Install, pull the default model and complete code in seven languages
	@$(BIN)/caret pull $(MODEL)
	@$(BIN)/caret demo --model $(MODEL)

test: setup ## Everything that CI runs: setup, check and all tests
	@$(TOGETHER) --jobs=2 check editors # one waits for mypy, one for the network
	@echo "Running all tests, three groups at a time: twenty minutes on 2 cores ..."
	@$(TOGETHER) --jobs=3 test-server test-terminals test-engine test-vscode test-bench

test-code: setup ## All tests but those in real editors
	$(BIN)/pytest --ignore=tests/editors $(PYTEST_ARGS)

test-server: setup
	$(BIN)/pytest $(patsubst %,--ignore=tests/%,editors engine quant bench) $(PYTEST_ARGS)

test-engine: setup
	$(BIN)/pytest tests/engine tests/quant $(PYTEST_ARGS)

test-bench: setup
	$(BIN)/pytest tests/bench $(PYTEST_ARGS)

fuzz: setup ## The property tests with 3,000 new examples each
	$(BIN)/pytest -m hypothesis --hypothesis-profile fuzz --timeout 0 $(PYTEST_ARGS)

torture: setup ## Hard use for an hour or two, with figures (ROWS="protocol", SEED=N)
	$(BIN)/python -m tests.torture $(ROWS) $(if $(SEED),--seed $(SEED))

optimized: setup ## The engine's tests in a Python without asserts (PYTHONOPTIMIZE=1)
	PYTHONOPTIMIZE=1 $(BIN)/pytest tests/quant tests/engine -W ignore::pytest.PytestConfigWarning $(PYTEST_ARGS)

devmode: setup ## The engine's tests in Python's development mode (-X dev)
	PYTHONDEVMODE=1 $(BIN)/pytest tests/quant tests/engine $(PYTEST_ARGS)

sanitizers: setup ## The kernels' tests under AddressSanitizer and UndefinedBehaviorSanitizer (needs gcc)
	CC=gcc CFLAGS="$(SANITIZE) -fno-sanitize-recover=all -fno-wrapv -g" LDFLAGS="$(SANITIZE)" $(BIN)/python \
	  -c "from setuptools import setup; setup()" -q build --build-base build/sanitizers --build-lib build/sanitizers/lib
	$(SANITIZED) $(BIN)/python -c "import quant._kernels as k, sys; sys.exit('build/sanitizers' not in k.__file__)"
	$(SANITIZED) $(BIN)/python -m pytest -o pythonpath= -p no:cacheprovider --timeout 0 \
	  tests/quant tests/engine/test_compiled.py $(PYTEST_ARGS)

test-editors: setup editors ## Only the tests in real editors
	@$(TOGETHER) --jobs=2 test-terminals test-vscode

test-terminals: editors
	$(BIN)/pytest tests/editors --ignore-glob='*/test_vscode*' $(PYTEST_ARGS)

test-vscode: editors
	$(BIN)/pytest tests/editors/test_vscode*.py $(PYTEST_ARGS)

test-plugins: setup editors ## Neovim beside nvim-cmp, blink.cmp and lazy.nvim, from GitHub
	@$(BIN)/python -m tests.editors.plugins
	$(BIN)/pytest tests/editors/test_neovim_plugins.py $(PYTEST_ARGS)

editors: setup
	@$(BIN)/python -m tests.editors.fetch

vsix: setup ## Build the extension for VS Code: build/caret.vsix (needs Node.js 20)
	$(BIN)/python editors/vscode/package.py build/caret.vsix

screenshots: setup editors ## Draw the README's pictures of the editors again
	$(BIN)/pytest tests/editors/test_vscode_window.py
	@$(BIN)/python -m tests.editors.picture docs/figures
	for name in ghost-text explain fix menu; do \
	  cp artefacts/vscode/4.139.1/$$name.png docs/figures/vscode-$$name.png || exit 1; done

bench: setup ## Measure Caret beside llama.cpp, in short (PEER=FOLDER, or none)
	@for name in $(DRAWN) $(LISTED); do \
	  LLAMA_SERVER=$(PEER) $(BIN)/caret bench $$name --quick $(if $(PEER),,--no-peer) || exit 1; done

figures: setup ## Measure all that docs/benchmarks.md shows, again (PEER=FOLDER; half an hour)
	@for name in $(DRAWN); do LLAMA_SERVER=$(PEER) $(BIN)/caret bench $$name \
	  --json docs/figures/$$name.json --plot docs/figures/$$name.svg || exit 1; done
	@for name in $(LISTED) 7b; do LLAMA_SERVER=$(PEER) $(BIN)/caret bench $$name \
	  --json docs/figures/$$name.json || exit 1; done
	LLAMA_SERVER=$(PEER) $(BIN)/caret bench keystrokes --accept --json docs/figures/keystrokes-accept.json
	$(BIN)/cog -r -PI . docs/benchmarks.md

setup: $(VENV)/.installed-dev ## Make .venv with Caret and the developers' tools

check: setup ## Style, types, import contracts and generated parts of the docs
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/cog --check --check-fail-msg="run 'make format'" -PI . $(DOCS)
	$(BIN)/python editors/vscode/configure.py --check

format: setup ## Put style and generated parts of the docs right
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/cog -r -PI . $(DOCS)
	$(BIN)/python editors/vscode/configure.py

clean: ## Remove .venv and caches; models stay
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# A stamp is as new as the last successful installation, so a second call has nothing to do.
$(VENV)/.installed: pyproject.toml $(wildcard quant/kernels/*)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Caret needs Python 3.11 or newer; $(PYTHON) is not. Name one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "Installing Caret into $(VENV) (torch is large: this can take minutes) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP_INSTALL) -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "Installing the developers' tools ..."
	@$(PIP_INSTALL) -e '.[dev]'
	@touch $@
