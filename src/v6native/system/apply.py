# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Carries a plan out. It stops at the first failure, and says what was done and what remains; it can be run again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from v6native.desired.model import Desired
from v6native.errors import ApplyFailed, SystemActionError, V6nativeError
from v6native.plan import diff
from v6native.plan.actions import Action
from v6native.plan.actual import Saved
from v6native.plan.saved import after, before
from v6native.system.door import Host


def _silent(action: Action) -> None:
    """Nobody wants to be told."""


def bring(host: Host, wanted: Desired, told: Callable[[Action], None] = _silent) -> tuple[Action, ...]:
    """Makes the host as wanted. Returns what was done; ApplyFailed at the first failure."""
    actual = host.observe(wanted)
    actions = diff(wanted, actual)
    apply(actions, host, actual.saved, told)
    return actions


def teardown(host: Host, told: Callable[[Action], None] = _silent) -> tuple[Action, ...]:
    """The host as it was found: nothing of ours is wanted."""
    return bring(host, Desired(), told)


def apply(actions: Sequence[Action], host: Host, saved: Saved, told: Callable[[Action], None] = _silent) -> None:
    """`saved` is what was observed with the plan; `told` hears of every action once it is done."""
    for index, action in enumerate(actions):
        try:
            intent = before(action, saved)
            if intent != saved:
                host.save(intent)
            host.perform(action)
            saved = after(action, intent)
            if saved != intent:
                # On a full disk what is restored stays noted there: to restore it again is harmless, to stop is not.
                with suppress(SystemActionError):
                    host.save(saved)
        except V6nativeError as error:
            raise ApplyFailed(error, actions[:index], action, actions[index + 1 :]) from error
        told(action)
