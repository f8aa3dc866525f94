#!/bin/sh
# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
# object.sh TARGET COMPILER…: compiles one BPF object as the caller; a failed compilation leaves no object.
set -eu
. "$(dirname "$0")/say.sh"
target=$1
shift
command -v "$1" >/dev/null || die "$1 is not installed; run 'sudo make setup'."
as_caller mkdir -p "$(dirname "$target")"
trap '[ "$?" -eq 0 ] || rm -f "$target"' EXIT
step "Compiling $target" as_caller "$@"
