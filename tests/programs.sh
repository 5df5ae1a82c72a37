#!/bin/sh
# Debian's programs that some tests need, by one call of apt, which holds a lock while it works. Without root or apt
# nothing is installed: the tests that need a missing program are skipped and say so, and so does this.
set -u
PATH=$PATH:/usr/sbin
export DEBIAN_FRONTEND=noninteractive

has() { command -v "$1" >/dev/null; }
may_install() { has apt-get && [ "$(id -u)" = 0 ]; }
install() { apt-get install -y -qq --no-install-recommends "$@" >/dev/null; }
tell() { has "$1" || echo "$1 is not installed: $2 will be skipped (apt-get install $3)"; }

wanted=
has chromium-headless-shell || wanted="$wanted chromium-headless-shell fonts-noto-cjk"
has qemu-x86_64 || wanted="$wanted qemu-user"
has redis-server || wanted="$wanted redis-server"
{ has nginx && has openssl; } || wanted="$wanted nginx-light openssl"
has npm || wanted="$wanted nodejs npm"

if [ -n "$wanted" ] && may_install; then
  apt-get update -qq
  # One that this release does not have must not keep the others away.
  # shellcheck disable=SC2086
  install $wanted || for package in $wanted; do install "$package"; done
  has chromium-headless-shell || has chromium || install chromium
fi

has chromium-headless-shell || tell chromium "the browser tests" chromium
tell qemu-x86_64 "the test without VNNI" qemu-user
tell redis-server "the tests of the shared cache" redis-server
tell nginx "the tests of several servers" nginx-light
tell npm "the checks of the page's scripts" npm
exit 0
