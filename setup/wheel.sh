#!/bin/sh
# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
# Builds dist/v6native-*.whl from the objects that `make objects` built.
set -eu
. "$(dirname "$0")/say.sh"
step "Building the wheel" as_caller .venv/bin/python -m build --wheel --no-isolation --outdir dist .
ls dist/*.whl
