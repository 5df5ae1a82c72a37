#!/usr/bin/env bash
# Builds the image of ./Dockerfile without a Docker engine and checks what it promises.
#
#   sudo deploy/image-check.sh        or: make image-check
#
# Needs root, buildah, debootstrap and about 3 GB below $TMPDIR for some minutes. The base is a stand-in for
# python:3.11-slim, made of Debian 12's own Python 3.11. Debian's mirror and pip's registry are those of this
# machine's configuration; DEBIAN_MIRROR and PYTHON (whose pip downloads the wheels) override them.
# It leaves nothing behind. docs/docker.md says what this shows and what it cannot show.
# shellcheck disable=SC2016 # what is in single quotes is for the container's shell
set -euo pipefail
cd "$(dirname "$0")/.."

readonly BASE=docker.io/library/python:3.11-slim SUITE=bookworm PYTHON_VERSION=3.11 IMAGE=localhost/structbert-lite:check
readonly STOP_SECONDS=10 START_SECONDS=90
readonly PYTHON=${PYTHON:-python3}

say() { printf '\n== %s (%d s)\n' "$*" "$SECONDS"; }
passed() { printf 'ok    %s\n' "$*"; }
fail() { printf 'image-check: %s\n' "$*" >&2; exit 1; }
expect() { # expect WHAT COMMAND...
    local what=$1
    shift
    if "$@" >"$scratch/output" 2>&1; then passed "$what"; else cat "$scratch/output" >&2; fail "failed: $what"; fi
}
refuse() { # refuse WHAT COMMAND...: the command has to fail
    local what=$1
    shift
    if "$@" >"$scratch/output" 2>&1; then cat "$scratch/output" >&2; fail "failed: $what"; else passed "$what"; fi
}

for tool in buildah debootstrap unshare "$PYTHON"; do
    command -v "$tool" >/dev/null || fail "$tool is not installed (Debian: apt-get install buildah debootstrap util-linux python3 python3-pip)"
done
"$PYTHON" -m pip --version >/dev/null 2>&1 || fail "$PYTHON has no pip; name another with PYTHON="
[ "$(id -u)" = 0 ] || fail "has to run as root: debootstrap and chroot isolation need it"
compgen -G 'models/*/manifest.json' >/dev/null || fail "models/ holds no model (no models/*/manifest.json), so the image could answer nothing"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/structbert-image-check.XXXXXX")
export TMPDIR=$scratch/tmp STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
mkdir "$TMPDIR"
job=''

box() { buildah --root "$scratch/storage" --runroot "$scratch/runroot" "$@"; }

below() { # below PID: every process that descends from it
    local file child
    # shellcheck disable=SC2013 # paths without spaces
    for file in $(grep -lx "PPid:[[:space:]]*$1" /proc/[0-9]*/status 2>/dev/null); do
        child=${file//[!0-9]/}
        echo "$child"
        below "$child"
    done
}
# The number that the server printed, when it descends from our job: nothing else may get a signal.
our_server() {
    local server
    read -r server <"$scratch/server.out" && below "$job" | grep -x "$server"
}
clean_up() {
    local status=$? processes
    trap - EXIT ERR
    if [ -n "$job" ]; then
        mapfile -t processes < <(below "$job") # parents first, so that gunicorn starts no new worker
        kill -KILL "${processes[@]}" "$job" 2>/dev/null || true
        wait "$job" 2>/dev/null || true
    fi
    box rm --all >/dev/null 2>&1 || true
    rm -rf --one-file-system "$scratch"
    exit "$status"
}
trap clean_up EXIT
trap 'echo "image-check: the command in line $LINENO failed" >&2' ERR
trap 'exit 130' INT
trap 'exit 143' TERM

say "wheels, by this machine's pip"
# async-timeout: what redis wants below Python 3.11.3, and the stand-in has 3.11.2.
"$PYTHON" -m pip download -qq --only-binary=:all: --python-version "$PYTHON_VERSION" --dest "$scratch/wheels" \
    --requirement requirements-redis.txt async-timeout==5.0.1 || fail "pip could not download requirements-redis.txt for Python $PYTHON_VERSION"
printf '[global]\nno-index = true\nfind-links = /mnt\n' >"$scratch/pip.conf"

say "stand-in for $BASE, by debootstrap"
mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(CREATED_BY) $(RELEASE) $(COMPONENT) $(REPO_URI)' 2>/dev/null |
    awk -v suite="$SUITE" '$1 == "Packages" && $2 == suite && $3 == "main" { print $4; exit }')}
[ -n "$mirror" ] || fail "apt's sources name no mirror of Debian $SUITE; set DEBIAN_MIRROR"
# Its own mount namespace: what debootstrap mounts is gone when it ends, however it ends.
unshare --mount debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates \
    "$SUITE" "$scratch/rootfs" "$mirror" >"$scratch/debootstrap.log" 2>&1 ||
    { tail -n 20 "$scratch/debootstrap.log" >&2; fail "debootstrap failed"; }
rm -rf "$scratch"/rootfs/var/cache/apt/*.bin "$scratch"/rootfs/var/cache/apt/archives/*.deb "$scratch"/rootfs/var/lib/apt/lists/*
find "$scratch/rootfs/usr/lib/python3" "$scratch/rootfs/usr/lib/python$PYTHON_VERSION" -name '*.pyc' -delete # as the official base
base=$(box from scratch)
box add --quiet "$base" "$scratch/rootfs" / >/dev/null
box config --env PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin --env LANG=C.UTF-8 "$base"
box commit --quiet --rm "$base" "$BASE" >/dev/null
rm -rf --one-file-system "$scratch/rootfs"

say "build"
# Docker's format, because OCI's has no HEALTHCHECK.
box build --quiet --pull=never --format docker --network host --secret "id=pip,src=$scratch/pip.conf" \
    --volume "$scratch/wheels:/mnt:ro" --tag "$IMAGE" . >"$scratch/build.log" 2>&1 ||
    { tail -n 40 "$scratch/build.log" >&2; fail "the build failed"; }
passed "built"

say "what the image says about itself"
box inspect --type image "$IMAGE" >"$scratch/image.json"
recorded() { # recorded EXPRESSION: over c, the image's configuration; a list comes NUL-separated
    "$PYTHON" - "$1" "$scratch/image.json" <<'PY'
import json, sys
c = json.load(open(sys.argv[2]))["Docker"]["config"]
value = eval(sys.argv[1], {"c": c})
print(*value, sep="\0", end="\0") if isinstance(value, list) else print(value)
PY
}
expect_recorded() { # expect_recorded EXPRESSION VALUE
    [ "$(recorded "$1")" = "$2" ] || fail "the image's $1 is $(recorded "$1") instead of $2"
    passed "$1 = $2"
}
expect_recorded 'c["User"]' 10001:10001
expect_recorded 'c["WorkingDir"]' /app
expect_recorded '" ".join(c["ExposedPorts"])' 5000/tcp
expect_recorded 'c["StopSignal"]' SIGTERM
expect_recorded '"STRUCTBERT_HOST=0.0.0.0" in c["Env"]' True
expect_recorded '"STRUCTBERT_ALLOW_PUBLIC_WITHOUT_KEYS=1" in c["Env"]' True
expect_recorded '"ORT_DISABLE_TELEMETRY=1" in c["Env"]' True
expect_recorded 'c["Healthcheck"]["Test"][0]' CMD
mapfile -d '' -t health < <(recorded 'c["Healthcheck"]["Test"][1:]')
mapfile -d '' -t start < <(recorded 'c["Cmd"]')

say "what is inside"
container=$(box from --pull-never "$IMAGE")
inside() { box run "$container" -- "$@" </dev/null; }
expect "runs as 10001:10001 without capabilities" inside sh -c \
    '[ "$(id -u):$(id -g)" = 10001:10001 ] && grep -q "^CapEff:[[:space:]]*0*$" /proc/self/status'
expect "/app and /venv: nothing its user could write" inside sh -c '[ -z "$(find /app /venv -writable ! -type l)" ]'
refuse "writing to /app fails" inside touch /app/written
expect "/app holds the application and nothing else" inside sh -c \
    '[ "$(cd /app && ls -A | LC_ALL=C sort | tr "\n" " ")" = "__pycache__ app.py gunicorn.conf.py models static structbert_lite templates " ]'
expect "every model's manifest is there" inside sh -c 'ls /app/models/*/manifest.json'
for module in torch transformers huggingface_hub pip setuptools; do
    refuse "no $module" inside python3 -c "import $module"
done
expect "modules are compiled" inside python3 -c '
import flask, importlib.util, json, os, structbert_lite.engine as e
for m in (flask, e, json):
    assert os.path.exists(importlib.util.cache_from_source(m.__file__)), m.__file__'
expect "nothing of the build's registry is left" inside sh -c '[ -z "$(ls -A /mnt)" ] && [ ! -e /etc/pip.conf ] && [ ! -e /build ]'

say "the server, with a read-only root"
port=$("$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
# What `docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges` does, in the
# container's own mount namespace: `buildah run` has no such options. It prints its process id first.
locked_down() {
    box run --user 0:0 --cap-add CAP_SYS_ADMIN --env HOME=/ --env STRUCTBERT_HOST=127.0.0.1 --env "STRUCTBERT_PORT=$port" \
        "$container" -- sh -c 'mount -t tmpfs -o mode=1777 tmpfs /tmp && mount -o remount,ro,bind / && echo "$$" &&
        exec setpriv --reuid=10001 --regid=10001 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all -- "$@"' \
        sh "$@" </dev/null
}
expect "the root is read-only even where anyone may write, /tmp is not; no capability can come back" locked_down sh -c \
    '! touch /var/tmp/written && touch /tmp/written && [ "$(id -u)" = 10001 ] &&
    grep -q "^CapBnd:[[:space:]]*0*$" /proc/self/status && grep -q "^NoNewPrivs:[[:space:]]*1$" /proc/self/status'

ask() { # ask PATH [JSON]: prints the body; fails unless the answer is 200
    "$PYTHON" - "http://127.0.0.1:$port$1" "${2-}" <<'PY'
import sys, urllib.request as u
url, body = sys.argv[1:]
request = u.Request(url, data=body.encode() or None, headers={"Content-Type": "application/json"})
print(u.build_opener(u.ProxyHandler({})).open(request, timeout=5).read().decode())
PY
}
started=$(date +%s%N)
locked_down "${start[@]}" >"$scratch/server.out" 2>"$scratch/server.log" &
job=$!
deadline=$((SECONDS + START_SECONDS))
until ask /readyz >/dev/null 2>&1; do
    kill -0 "$job" 2>/dev/null || { cat "$scratch/server.log" >&2; fail "the server ended before it was ready"; }
    [ "$SECONDS" -lt "$deadline" ] || { cat "$scratch/server.log" >&2; fail "the server is not ready after $START_SECONDS s"; }
    sleep 0.1
done
server=$(our_server) || fail "the server's process cannot be found"
passed "/readyz answers 200 after $((($(date +%s%N) - started) / 1000000)) ms"
answer=$(ask /predict '{"text": "这部电影太烂了，完全浪费时间"}') || fail "POST /predict failed"
"$PYTHON" -c 'import json, sys; a = json.loads(sys.argv[1]); assert a["label"] and 0 <= a["score"] <= 1' "$answer" ||
    fail "POST /predict answered no label: $answer"
passed "POST /predict: $answer"
expect "the page answers 200" ask /
expect "the HEALTHCHECK command exits 0" box run --env "STRUCTBERT_PORT=$port" "$container" -- "${health[@]}"
for process in "$server" $(below "$server"); do
    awk '/^VmHWM/ { printf "      most memory so far: %d MB\n", $2 / 1024 }' "/proc/$process/status"
done

asked=$(date +%s%N)
kill -TERM "$server"
deadline=$((SECONDS + STOP_SECONDS))
while kill -0 "$job" 2>/dev/null; do
    [ "$SECONDS" -lt "$deadline" ] || { cat "$scratch/server.log" >&2; fail "SIGTERM did not stop the server in $STOP_SECONDS s"; }
    sleep 0.1
done
stopped=$(date +%s%N)
status=0
wait "$job" || status=$?
job=''
[ "$status" = 0 ] || { cat "$scratch/server.log" >&2; fail "after SIGTERM the server ended with status $status"; }
# gunicorn ends with status 0 even when its worker died of a signal.
if grep -E 'was sent SIG|terminate called|telemetry' "$scratch/server.log" >&2; then fail "the server's log holds the lines above"; fi
passed "SIGTERM stops it with status 0 after $(((stopped - asked) / 1000000)) ms"
refuse "the HEALTHCHECK command then fails" box run --env "STRUCTBERT_PORT=$port" "$container" -- "${health[@]}"

say "size"
box images --format '{{.Name}}:{{.Tag}} {{.Size}}' | sed "s|^$BASE |stand-in base |"
inside sh -c 'du -xsm /venv /app/models; du -xsm --exclude=models /app; cd /venv/lib/python3*/site-packages && du -sm * | sort -rn | head -n 6' |
    awk '{ printf "%6d MB  %s\n", $1, $2 }'
say "image-check passed"
