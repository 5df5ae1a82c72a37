# The server alone: no torch, no transformers, no compiler. How to build, run and check it: docs/docker.md

# One base for every stage, because the virtual environment points at its interpreter.
ARG BASE=docker.io/library/python:3.11-slim

FROM ${BASE} AS venv
COPY requirements.txt requirements-redis.txt /build/
# The secret is optional: a pip.conf that names another registry, seen by this step only.
# With the client of Redis, because that is what several containers share.
# Then out goes what only tests, installs or downloads (tokenizers brings the hub client), and the rest
# is compiled: the server may not write its bytecode. Unchecked, because these files never change.
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    python3 -m venv /venv \
    && /venv/bin/python3 -m pip install --no-cache-dir --no-compile --only-binary=:all: -r /build/requirements-redis.txt \
    && /venv/bin/python3 -m pip uninstall --quiet --yes huggingface-hub hf-xet setuptools pip \
    && find /venv -type d -name tests -prune -exec rm -r {} + \
    && /venv/bin/python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /venv/lib

FROM ${BASE} AS files
COPY models /models
COPY static /app/static
COPY templates /app/templates
COPY structbert_lite /app/structbert_lite
COPY app.py gunicorn.conf.py /app/
# Readable by any user whatever the umask of the checkout was, writable by root alone.
RUN chmod -R u=rwX,go=rX /models /app \
    && python3 -m compileall -q --invalidation-mode unchecked-hash /app

FROM ${BASE}
COPY --from=venv /venv /venv
COPY --from=files /models /app/models
COPY --from=files /app /app
# onnxruntime's Linux wheels report to their maker unless told not to before they load.
# Prepacked weights would be made anew in each container, whose root may be read-only besides.
# Every address of a container: who reaches it is decided where its port is published, so keys are not forced here.
ENV PATH=/venv/bin:$PATH \
    ORT_DISABLE_TELEMETRY=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    STRUCTBERT_HOST=0.0.0.0 \
    STRUCTBERT_PREPACKED=off \
    STRUCTBERT_ALLOW_PUBLIC_WITHOUT_KEYS=1
WORKDIR /app
# The official base has no bytecode of the standard library: leave that of the modules used here.
RUN env -u PYTHONDONTWRITEBYTECODE python3 -c "import app, gunicorn.app.wsgiapp, gunicorn.workers.gasgi, uvloop, urllib.request"
USER 10001:10001
EXPOSE 5000
STOPSIGNAL SIGTERM
# No proxy: the engine may inject one through the environment, and loopback is not behind it.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python3", "-c", "import os, urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:' + os.environ.get('STRUCTBERT_PORT', '5000') + '/health', timeout=4)"]
CMD ["gunicorn", "-c", "gunicorn.conf.py"]
