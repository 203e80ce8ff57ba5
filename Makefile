# Needs Python 3.11 or newer. `make test` also wants Java 17 and Maven for Kafka, and npm for one
# schema; what is not there is skipped with a line that says so.

PYTHON ?= python3
UV_VERSION := 0.13.8
# uv has a place of its own: `uv pip sync` removes from an environment what its lock does not name.
UV := .venv-uv/bin/uv

INPUT ?= samples/conversation.flac
OUT ?= captions

.DEFAULT_GOAL := help
.PHONY: help setup run test test-engines check format lock upgrade schemas release bench bench-subtitles clean

help:  ## List what there is to make
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

setup: .venv/.dev  ## Make .venv, with all that working on voxmesh needs

# INPUT goes through the shell. Quote names with spaces and addresses once more:
#     make run INPUT="'my talk.mp4' 'https://example.org/?a=1&b=2'"
# A set-up .venv is used as it is; on a new machine only what running needs is installed.
run: $(if $(wildcard .venv/.dev),.venv/.dev,.venv/.run)  ## Caption recordings: INPUT="a.mp4 b.mp3" OUT=captions
	.venv/bin/voxmesh run $(INPUT) --output "$(OUT)"

test: .venv/.dev  ## Run all tests but those of the torch engines; starts Kafka when it can
	.venv/bin/pytest -m "not torch"

test-engines: .venv-engines/.engines  ## Run the torch engines' tests, in an environment of their own
	.venv-engines/bin/pytest -m torch tests/contract/test_*_torch.py

check: .venv/.dev  ## Lint, check types, and see that locks and schemas are fresh
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/python scripts/lock --check
	.venv/bin/python -m voxmesh_schemas.generate check schemas/json

format: .venv/.dev  ## Put the code into its form
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

lock: $(UV)  ## Pin the dependencies anew, as pyproject.toml and requirements/dev.in have it
	UV=$(UV) $(PYTHON) scripts/lock

upgrade: $(UV)  ## Pin the newest versions of the dependencies
	UV=$(UV) $(PYTHON) scripts/lock --upgrade

schemas: .venv/.dev  ## Generate the JSON Schemas and the AsyncAPI document
	.venv/bin/python -m voxmesh_schemas.generate write schemas/json

release: .venv/.dev  ## Keep this version's schemas as those that later ones must be able to read
	.venv/bin/python -m voxmesh_schemas.generate release schemas/released.json

bench-subtitles: .venv/.dev  ## Compare our captions with those of others, and time them
	.venv/bin/python benchmarks/subtitles.py

bench: .venv/.dev  ## Run the benchmarks
	set -e; for benchmark in benchmarks/*.py; do .venv/bin/python $$benchmark; done

clean:  ## Remove environments and caches
	rm -rf .venv .venv-engines .venv-uv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find services schemas tests -name __pycache__ -prune -exec rm -rf {} +

$(UV): Makefile
	$(PYTHON) -m venv .venv-uv
	.venv-uv/bin/pip install --quiet uv==$(UV_VERSION)
	touch $@

# $(call synced,environment,lock): exactly what the lock names, and voxmesh itself.
define synced
	test -x $(1)/bin/python || $(UV) venv --quiet --python $(PYTHON) $(1)
	rm -f $(1)/.run $(1)/.dev $(1)/.engines
	$(UV) pip sync --quiet --python $(1)/bin/python --require-hashes requirements/$(2).txt
	$(UV) pip install --quiet --python $(1)/bin/python --no-deps --editable schemas --editable .
	touch $(1)/.$(2)
endef

PROJECTS := pyproject.toml schemas/pyproject.toml $(UV)

.venv/.run: requirements/run.txt $(PROJECTS)
	$(call synced,.venv,run)

.venv/.dev: requirements/dev.txt $(PROJECTS)
	$(call synced,.venv,dev)

.venv-engines/.engines: requirements/engines.txt $(PROJECTS)
	$(call synced,.venv-engines,engines)
