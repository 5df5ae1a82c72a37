# make serve: the server on http://localhost:5000; make test: everything the tests need, then the tests.
PYTHON ?= python3
SERVE := .venv
DEV := .venv-dev

.PHONY: serve test lint benchmark image-check clean

serve: $(SERVE)/.done
	$(SERVE)/bin/python -m gunicorn -c gunicorn.conf.py

test: $(DEV)/.done .browser .emulator
	$(DEV)/bin/python -m ruff check .
	$(DEV)/bin/python -m ruff format --check .
	$(DEV)/bin/python -m pytest

lint: $(DEV)/.done
	$(DEV)/bin/python -m ruff check --fix .
	$(DEV)/bin/python -m ruff format .

benchmark: $(SERVE)/.done
	$(SERVE)/bin/python -m structbert_lite benchmark

image-check:
	deploy/image-check.sh

clean:
	rm -rf $(SERVE) $(DEV) .browser .emulator

# A stamp is written last, so that a broken installation is done again.
$(SERVE)/.done: requirements.txt
	$(PYTHON) -m venv $(SERVE)
	$(SERVE)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(DEV)/.done: requirements.txt requirements-export.txt requirements-train.txt requirements-evaluate.txt requirements-dev.txt
	$(PYTHON) -m venv $(DEV)
	$(DEV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

# The browser test needs Debian's Chromium; without root or apt it is skipped, and says so.
.browser:
	@command -v chromium >/dev/null || { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] \
	  && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-cjk >/dev/null; } \
	  || echo "Chromium is not installed: the browser test will be skipped (apt-get install chromium)"
	@touch $@

# The test of CPUs without VNNI needs Debian's emulator; without root or apt it is skipped, and says so.
.emulator:
	@command -v qemu-x86_64 >/dev/null || { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] \
	  && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends qemu-user >/dev/null; } \
	  || echo "qemu-x86_64 is not installed: the test without VNNI will be skipped (apt-get install qemu-user)"
	@touch $@
