#!/bin/sh
# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
# Measures the translated throughput beside plain forwarding over the same namespaces, and prints the ratios.
set -eu
. "$(dirname "$0")/say.sh"
is_root || die "measuring needs root, for network namespaces and BPF; run 'sudo make bench'."
.venv/bin/python -m bench
