# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What saved.json holds around each action: the intent is written before it, and dropped after it is undone.

So a crash between the two leaves at most an entry for something that was not changed, and restoring that is harmless.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from v6native.plan import actions as do
from v6native.plan.actual import Saved


def before(action: do.Action, saved: Saved) -> Saved:
    """What must be on disk before `action` is carried out."""
    match action:
        case do.SetSysctl():
            # A value that is already saved is the host's; what is there now may be ours.
            return replace(saved, sysctls={**dict(action.save), **saved.sysctls})
        case do.RemoveKernelLocalRule():
            return replace(saved, local_rule=True)
    return saved


def after(action: do.Action, saved: Saved) -> Saved:
    """What is left to restore once `action` is carried out."""
    match action:
        case do.RestoreSysctl(key=key):
            return replace(saved, sysctls={k: v for k, v in saved.sysctls.items() if k != key})
        case do.RestoreKernelLocalRule():
            return replace(saved, local_rule=False)
    return saved


def to_json(saved: Saved, boot_id: str) -> dict[str, object]:
    return {
        "boot_id": boot_id,
        "sysctls": dict(saved.sysctls),
        "local_rule": saved.local_rule,
    }


def from_json(document: Mapping[str, object], boot_id: str) -> Saved:
    """Nothing of an earlier boot: the kernel has forgotten it too. ValueError where it is not our file's form."""
    if document.get("boot_id") != boot_id:
        return Saved()
    sysctls = document.get("sysctls")
    if not isinstance(sysctls, dict):
        raise ValueError("sysctls must be a table")
    return Saved(
        {str(key): str(value) for key, value in sysctls.items()},
        document.get("local_rule") is True,
    )
