#!/usr/bin/env bash
# environment.sh PYTHON FOLDER WHAT...: make a virtual environment and install WHAT into it;
# where that cannot be, say in one line what is missing.
set -u
python=$1 folder=$2
shift 2

if [ -z "$python" ]; then
    echo "dezero needs Python 3.11 or newer, and found none: install it, or name one: make PYTHON=/path/to/python3" >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "dezero needs Python 3.11 or newer; $python is not that: make PYTHON=/path/to/python3" >&2
    exit 1
fi
log=$(mktemp)
if ! "$python" -m venv --clear "$folder" >"$log" 2>&1; then
    echo "$python cannot make a virtual environment (on Debian and Ubuntu: apt install python3-venv): $(grep -v '^$' "$log" | head -1)" >&2
    exit 1
fi
echo "Installing dezero and what it uses into $folder (once) ..."
if ! "$folder/bin/python" -m pip install -q --disable-pip-version-check -e "$@" >"$log" 2>&1; then
    echo "pip could not install what dezero uses (is the network there?): $(grep -i error "$log" | tail -1)" >&2
    exit 1
fi
rm -f "$log"
