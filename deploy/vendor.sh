#!/usr/bin/env bash
# Front-end libraries that are in the repository, with their licences. To renew one, change its version here, run this, and
# commit the files with deploy/vendor.sha256. Needs npm; neither the server nor its tests do.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# fetch NAME@VERSION FOLDER FILE...: these files of a package, without the folders they are in there.
fetch() {
  local package=$1 folder=$2
  shift 2
  rm -rf "$folder"
  mkdir -p "$folder"
  npm pack --silent --pack-destination "$scratch" "$package" >/dev/null
  tar xzf "$scratch/${package/@/-}.tgz" -C "$scratch"
  for file in "$@"; do cp "$scratch/package/$file" "$folder/"; done
  rm -rf "$scratch/package"
  sha256sum "$folder"/* >>"$scratch/sums"
}

fetch uplot@1.6.32 static/vendor/uplot dist/uPlot.iife.min.js dist/uPlot.min.css LICENSE
fetch papaparse@5.7.1 static/vendor/papaparse papaparse.min.js LICENSE
# Workbooks are zip archives of XML. Both packages are kept whole: their scripts say no version by themselves.
fetch fflate@0.8.3 static/vendor/fflate esm/browser.js package.json LICENSE
fetch saxen@11.1.0 static/vendor/saxen dist/index.js package.json LICENSE
fetch axe-core@4.14.1 tests/e2e/vendor/axe-core axe.min.js LICENSE LICENSE-3RD-PARTY.txt
cp "$scratch/sums" deploy/vendor.sha256
