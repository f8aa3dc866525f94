# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m v6native.log --config /run/v6native/log.json …`: the log's worker, until SIGTERM. SIGHUP reads again."""

from __future__ import annotations

import os
import sys

# Names and the slow path come first, when a node starts on few cores and when it is busy: the kernel's ring can wait.
NICE = 5


def main() -> int:
    os.nice(NICE)
    # Loaded with that priority, too: it is most of a start.
    from v6native.log.process import run

    return run()


if __name__ == "__main__":
    sys.exit(main())
