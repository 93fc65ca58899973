# `make run` and `make test` need Python 3.11 or newer and the package registries;
# everything else they install, below this folder. ARGS= passes options on:
#   make run ARGS='--port 9000 --no-demo'      make test ARGS='-k booking'

.PHONY: run test check bench chaos schemathesis set-up set-up-tests
.DEFAULT_GOAL := run
CALENDAR := src/scheduling/entrypoints/calendar

run: set-up
	@exec .venv/bin/scheduling dev $(ARGS)

test: set-up-tests
	@.ci/npm $(CALENDAR) run --silent test
	@exec .venv/bin/pytest -n 2 $(ARGS)

check: set-up-tests
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.ci/set-up --check-lock
	.ci/npm $(CALENDAR) run --silent check
	.ci/npm $(CALENDAR) run --silent test
	.venv/bin/pytest -n 2 $(ARGS)

# make schemathesis SECONDS=1800 SEED=7: for staff, and for a patient
SECONDS ?= 120
schemathesis: set-up-tests
	@SCHEMATHESIS_SECONDS=$(SECONDS) SCHEMATHESIS_SEED=$(SEED) \
		exec .venv/bin/pytest -s tests/acceptance/test_schemathesis.py $(ARGS)

bench: set-up
	@exec .venv/bin/python -m tests.bench $(ARGS)

# make chaos ARGS='p2 p12 --seed=7 --short'
chaos: set-up
	@exec .venv/bin/python -m tests.chaos $(ARGS)

set-up:
	@.ci/set-up

set-up-tests:
	@.ci/set-up --tests
