# MiniTelecom.  `make run` and `make test` set up what is missing and are all that a newcomer needs.

# Debian's own Python where it is new enough (it runs this code about a quarter faster than a self-built one); looked up
# when it is needed, since setup-apt may have completed it.
PYTHON = $(shell /usr/bin/python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
           && echo /usr/bin/python3 || echo python3)

.PHONY: setup run test bench check fuzz compiled

setup:
	@scripts/setup-apt run test
	@$(PYTHON) scripts/setup_venv.py

run:
	@scripts/setup-apt run
	@$(PYTHON) scripts/setup_venv.py
	@exec .venv/bin/minitelecom demo

# SEEDS=1000 make test: more seeds for the simulation.  make test ARGS="tests/rating -k cost": a part.
test: setup
	@.venv/bin/pytest $(ARGS)

check: setup
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/pytest -q tests/test_architecture.py tests/test_house.py

# Each parser in turn for so many seconds: SECONDS=600 make fuzz.  The fuzzer comes as a binary, for some machines only.
SECONDS ?= 60
fuzz: setup
	@.venv/bin/pip install --quiet --editable '.[fuzz]'
	@for target in message description digest; do \
	    .venv/bin/python -m tests.fuzz.run $$target -max_total_time=$(SECONDS) || exit 1; \
	done

# The SIP core as compiled modules beside their sources: calls take less of the processor.  Optional; same source, same tests.
compiled: setup
	@scripts/setup-apt compile
	@.venv/bin/python scripts/compile_sip.py

bench: compiled
	@bench/run
