# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`v6native` on twins, as a process of its own: `python -m tests.unit.cli.twin FOLDER VERB …`.

The host lives in this process's memory; what a daemon tells over its socket, to the service manager and to the terminal,
and how it takes signals, is all real.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.unit.daemon.rig import FakeDoors, binding, session
from v6native.cli.app import App
from v6native.cli.main import cli
from v6native.daemon.host import HostNode
from v6native.paths import Paths

# Sessions that the twin holds: several batches of the API's.
SESSIONS = 2000


def app(folder: Path, sessions: int = 0) -> App:
    doors = FakeDoors()
    doors.machine.dataplane.live = [session(port) for port in range(4000, 4000 + sessions)]
    doors.machine.dataplane.dynamic = [binding(port) for port in range(4000, 4000 + sessions)]
    paths = Paths(folder / "etc", folder / "run", folder / "var", folder / "bpffs")
    return App(paths, None, lambda _paths, name: HostNode(paths, name, doors))


if __name__ == "__main__":
    cli(sys.argv[2:], obj=app(Path(sys.argv[1]), SESSIONS))
