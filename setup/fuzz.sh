#!/bin/sh
# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
# fuzz.sh: the DNS64's parsers and rules under a fuzzer for V6NATIVE_FUZZ_SECONDS (600), then V6NATIVE_FUZZ_DATAGRAMS (10 million)
# random datagrams at a worker of its own on loopback.
set -eu
. "$(dirname "$0")/say.sh"
export PYTHONPYCACHEPREFIX="$root/build/pycache"
unset PYTHONDONTWRITEBYTECODE
length=${V6NATIVE_FUZZ_SECONDS:-600}
datagrams=${V6NATIVE_FUZZ_DATAGRAMS:-10000000}
packages=build/fuzz/packages
cases=build/fuzz/cases
as_caller mkdir -p "$packages" "$cases"

# Not into .venv: nothing else needs it, and it is large.
wanted=$(sha256sum <setup/fuzz.lock | cut -d' ' -f1)
if [ "$(cat build/fuzz/stamp 2>/dev/null)" != "$wanted" ]; then
    step "Installing the fuzzer (setup/fuzz.lock)" \
        as_caller .venv/bin/python -m pip install --disable-pip-version-check --no-deps --upgrade --target "$packages" -r setup/fuzz.lock
    printf '%s\n' "$wanted" | as_caller tee build/fuzz/stamp >/dev/null
fi

say "Fuzzing the DNS64's parsers and rules for $length s; its own words are in build/fuzz/log"
status=0
as_caller env PYTHONPATH="src:.:$packages" .venv/bin/python -m tests.fuzz.run "$cases" "$length" >build/fuzz/log 2>&1 || status=$?
if [ "$status" -ne 0 ]; then
    tail -n 40 build/fuzz/log >&2
    die "a case failed; \"PYTHONPATH=src:.:$packages .venv/bin/python -m tests.fuzz.run CASE\" runs it again."
fi
sed -n 's/^stat::number_of_executed_units: */cases: /p; s/^stat::peak_rss_mb: */memory at most, MiB: /p' build/fuzz/log
as_caller env PYTHONPATH="src:." .venv/bin/python -m tests.fuzz.datagrams --count "$datagrams"
give_back
