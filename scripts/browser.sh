#!/usr/bin/env bash
# browser.sh: install Chromium, which tests/page drive, where it is missing (Debian and Ubuntu).
set -eu
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if ! command -v apt-get >/dev/null 2>&1; then
    echo "the tests of the interactive page need Chromium: install it with the system's package manager" >&2
    exit 1
fi
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
log=$(mktemp)
if ! { as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; } >"$log" 2>&1; then
    echo "could not install Chromium, which the tests of the interactive page need (apt install chromium): $(tail -1 "$log")" >&2
    exit 1
fi
rm -f "$log"
