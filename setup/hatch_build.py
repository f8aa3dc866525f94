# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Refuses to build a wheel without its BPF objects: such a wheel would install well and then translate nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ObjectsPresent(BuildHookInterface):  # type: ignore[type-arg]
    """Every bpf/NAME.bpf.c must have been built to src/v6native/dataplane/objects/NAME.bpf.o."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable" or self.target_name != "wheel":
            return
        root = Path(self.root)
        objects = root / "src" / "v6native" / "dataplane" / "objects"
        sources = sorted((root / "bpf").glob("*.bpf.c"))
        missing = [source.stem for source in sources if not (objects / f"{source.stem}.o").is_file()]
        if missing or not sources:
            names = ", ".join(missing) or "all"
            raise SystemExit(f"the BPF objects are not built ({names}); run `make wheel`, which builds them first.")
