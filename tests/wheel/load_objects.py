# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Loads each BPF object of the installed package into the running kernel, by the package's own loader; pins nothing.

Prints a line for each program, "OBJECT PROGRAM", and ends with an error where the kernel refuses one.
"""

from __future__ import annotations

import sys

from v6native.dataplane.loader import OBJECTS, Source, object_name
from v6native.errors import V6nativeError

SESSIONS = 1024


def main() -> int:
    opened = Source(OBJECTS, SESSIONS).open()
    if not opened:
        print(f"{OBJECTS} holds no BPF object", file=sys.stderr)
        return 1
    for item in opened:
        with item:
            try:
                item.load()
            except V6nativeError as why:
                print(why, file=sys.stderr)
                return 1
            for program in item.programs:
                print(object_name(item), program)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
