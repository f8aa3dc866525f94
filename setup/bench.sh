#!/bin/sh
# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
# bench.sh [docs]: measures what translation costs and prints it; docs: and writes docs/performance.md, its results and plots.
set -eu
. "$(dirname "$0")/say.sh"
is_root || die "measuring needs root, for network namespaces and BPF; run 'sudo make bench'."
status=0
if [ "${1:-}" = docs ]; then
    .venv/bin/python -m bench --save || status=$?
    # Missed targets are written down as well; what could not be measured keeps its old place.
    .venv/bin/python -m bench --page
    if [ "${SUDO_UID:-0}" -ne 0 ]; then
        chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" docs/performance docs/performance.md
    fi
else
    .venv/bin/python -m bench || status=$?
fi
exit "$status"
