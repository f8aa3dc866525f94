# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The host as the rest of v6native sees it. `LinuxHost` (linux.py) is the real one, `FakeHost` (fake.py) its twin."""

from __future__ import annotations

from typing import Protocol

from v6native.config.facts import HostFacts
from v6native.desired.model import Desired
from v6native.plan.actions import Action
from v6native.plan.actual import Actual, Saved


class Host(Protocol):
    """One machine, or one network namespace of it."""

    def facts(self) -> HostFacts:
        """What the configuration depends on, as it is now."""
        ...

    def observe(self, wanted: Desired) -> Actual:
        """What is there now, and what the data plane lacks of `wanted`."""
        ...

    def perform(self, action: Action) -> None:
        """Carries one action out whole; SystemActionError or DataPlaneError where it is refused."""
        ...

    def save(self, saved: Saved) -> None:
        """Replaces saved.json, so that it survives the machine's crash too."""
        ...
