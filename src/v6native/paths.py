# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Where v6native keeps things on a node. Always passed as an argument, so that tests and labs choose their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders of one node; every other path is derived from them."""

    etc: Path = Path("/etc/v6native")
    run: Path = Path("/run/v6native")
    var: Path = Path("/var/lib/v6native")
    bpffs: Path = Path("/sys/fs/bpf")

    @property
    def network_toml(self) -> Path:
        return self.etc / "network.toml"

    @property
    def clients(self) -> Path:
        return self.etc / "clients.d"

    @property
    def secrets(self) -> Path:
        """Private keys, mode 0600 each; the folder is 0700."""
        return self.etc / "secrets"

    @property
    def api_socket(self) -> Path:
        return self.run / "api.sock"

    @property
    def saved_state(self) -> Path:
        """What the host was like before `up`, for `down` to restore."""
        return self.var / "saved.json"

    @property
    def log_database(self) -> Path:
        """Who had which ports. It stays when the node goes down."""
        return self.var / self.instance() / "who-had.db"

    def instance(self) -> str:
        """The name under which this node pins its maps; several may share one bpffs (a lab beside the host)."""
        file = self.etc / "instance"
        return file.read_text().strip() if file.exists() else "default"

    def pins(self, instance: str) -> Path:
        return self.bpffs / "v6native" / instance
