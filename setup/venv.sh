#!/bin/sh
# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
# Makes .venv with the versions of requirements.lock and v6native itself, editable. Does nothing where it is up to date.
set -eu
. "$(dirname "$0")/say.sh"

wanted=$(cat requirements.lock pyproject.toml setup/hatch_build.py | sha256sum | cut -d' ' -f1)
if [ "$(cat .venv/v6native-stamp 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c 'import v6native' 2>/dev/null; then
    say "Python environment: up to date (.venv)"
    exit 0
fi

# The first Python on PATH may be too old, or without venv; Debian's own is neither.
python=""
for candidate in python3 /usr/bin/python3; do
    if as_caller "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || die "no python3 of version 3.11 or newer with the venv module was found; install python3 and python3-venv."

if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
    step "Making the Python environment .venv with $($python --version)" as_caller "$python" -m venv --clear .venv
fi
as_caller rm -f .venv/v6native-stamp
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
step "Installing Python packages (requirements.lock)" \
    as_caller .venv/bin/python -m pip install --no-deps -r requirements.lock
step "Installing v6native into .venv" \
    as_caller .venv/bin/python -m pip install --no-deps --no-build-isolation --editable .
printf '%s\n' "$wanted" | as_caller tee .venv/v6native-stamp >/dev/null
