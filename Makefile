# Every target sets up what it needs. Windows: the README gives the plain commands.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
SIZE   ?= small
SEED   ?= 1
TARGET ?= python3.13

.PHONY: help demo test quick lint types format readme bench bench-scale bench-hooks functions clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/'

# One stamp per requirement set, so that changing a pin reinstalls and nothing else does.
$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; say: make PYTHON=python3.13")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.created requirements.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# What only tests need and the pinned requirements have not: a package for its data, without what it depends on; the
# storage emulator (npm); the Functions worker in an environment of its own; and the system's Chromium (apt-get, or
# SYNC_CHROMIUM names another).
$(VENV)/.services: $(VENV)/.dev tests/support/azurite/package.json tests/support/browser.py tests/support/mini_host/install.py azure-functions/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps lifetimes==0.11.3  # for its buying data
	$(BIN)/python -m tests.support.azurite install
	$(BIN)/python -m tests.support.browser install
	$(BIN)/python -m tests.support.mini_host install
	@touch $@

demo: $(VENV)/.run  ## the whole story on two local emulators (SIZE=small|typical; KEEP=1 leaves console and lists serving)
	$(BIN)/economic-sync demo --size $(SIZE) --seed $(SEED) $(if $(KEEP),--serve)

# CI sets CI, and so runs the long tests too.
test: lint types $(VENV)/.services  ## lint, types, layers and tests (LONG=1: every test)
	$(BIN)/python -m pytest -n 2 --dist worksteal $(if $(CI)$(LONG),,-m "not long")

quick: $(VENV)/.services  ## the tests that take no more than a moment each
	$(BIN)/python -m pytest -n 2 -m "not slow and not long"

lint: $(VENV)/.dev  ## style and import arrows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.dev  ## strict types
	$(BIN)/mypy

format: $(VENV)/.dev  ## rewrite the files in the one style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

readme: $(VENV)/.dev  ## write the generated parts of the README anew
	$(BIN)/python -m tests.support.readme

bench: $(VENV)/.dev  ## requests, seconds and memory by size, beside the plain loop; the link assistant
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench.links

bench-scale: $(VENV)/.dev  ## how far 2 and 4 workers carry, and one tenant's unit budget
	$(BIN)/python -m tests.bench.scale

bench-hooks: $(VENV)/.dev  ## how calls of webhooks are answered when 2,000 come, 40 at a time
	$(BIN)/python -m tests.bench.hooks

functions: $(VENV)/.dev  ## the zip for Azure Functions, in dist/ (TARGET=python3.13)
	$(BIN)/python azure-functions/build.py --python $(TARGET)

clean:  ## remove what the other targets made
	rm -rf $(VENV) .data build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
