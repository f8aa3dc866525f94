#!/bin/sh
# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
# Builds the lab and runs the main job in it. The lab stays up, to be tried by hand.
set -eu
. "$(dirname "$0")/say.sh"
is_root || die "the lab needs root, for network namespaces and BPF; run 'sudo make lab'."
.venv/bin/v6native lab up
status=0
.venv/bin/v6native lab test || status=$?
say "The lab stays up:  sudo .venv/bin/v6native lab exec phone -- curl http://v4only.example/"
say "Take it down:      sudo .venv/bin/v6native lab down"
exit "$status"
