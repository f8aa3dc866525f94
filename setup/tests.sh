#!/bin/sh
# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
# tests.sh fast|nightly|kernel|mutants|lint|format: runs pytest; fast and nightly choose the count that tests/conftest.py registers.
set -eu
. "$(dirname "$0")/say.sh"
# Nothing that a run as root writes may lie among the sources of a caller who is not root.
export PYTHONPYCACHEPREFIX="$root/build/pycache"
# Nothing is read from elsewhere then: without it each of a thousand commands would compile all its modules for two seconds.
unset PYTHONDONTWRITEBYTECODE
status=0
case $1 in
lint) as_caller .venv/bin/python -m pytest tests/conventions || status=$? ;;
format)
    as_caller .venv/bin/python -m ruff check --fix . || status=$?
    as_caller .venv/bin/python -m ruff format . || status=$?
    as_caller clang-format -i bpf/*.[ch] bench/*.c || status=$?
    ;;
fast | nightly | kernel | mutants)
    is_root || die "the tests need root, for network namespaces and BPF; run 'sudo make test'."
    case $1 in
    fast) V6NATIVE_COUNT=fast .venv/bin/python -m pytest --durations=12 -m "not nightly and not kernel" || status=$? ;;
    nightly) V6NATIVE_COUNT=nightly .venv/bin/python -m pytest --durations=30 -m "not kernel" || status=$? ;;
    kernel) .venv/bin/python -m pytest -s tests/kernel || status=$? ;;
    mutants) .venv/bin/python -m tests.mutants.run || status=$? ;;
    esac
    ;;
*) die "tests.sh takes fast, nightly, kernel, mutants, lint or format." ;;
esac
give_back
exit "$status"
