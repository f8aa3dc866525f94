# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`up --confirm SECONDS`: the change undoes itself unless it is confirmed in time.

One file holds the state, and rename(2) decides between a confirmation and the undo process: whoever moves
`confirm.json` away first has won, even when both come in the same instant, and whether or not a daemon lives.

    confirm.json  ──confirm──►  (removed)          the change stays
    confirm.json  ──deadline─►  undoing.json  ──►  undone.json
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from v6native.errors import V6nativeError

PENDING, UNDOING, UNDONE = "confirm.json", "undoing.json", "undone.json"


@dataclass(frozen=True, slots=True)
class Pending:
    """A change that waits: `deadline` in CLOCK_BOOTTIME seconds, which goes on while the machine is suspended.

    `restore` is the folder with the configuration that ran before; None: nothing ran, so the undo is `down`.
    """

    deadline: float
    restore: str | None

    def seconds_left(self, now: float) -> float:
        return max(0.0, self.deadline - now)


def begin(run: Path, pending: Pending) -> None:
    """Writes the pending change; V6nativeError when another one still waits."""
    run.mkdir(mode=0o755, parents=True, exist_ok=True)
    if (run / PENDING).exists() or (run / UNDOING).exists():
        raise V6nativeError(
            "an earlier `up --confirm` still waits: answer it with `v6native confirm`, or wait until it is undone"
        )
    (run / UNDONE).unlink(missing_ok=True)
    fresh = run / f"{PENDING}.new"
    fresh.write_text(json.dumps(asdict(pending)))
    fresh.rename(run / PENDING)


def pending(run: Path) -> Pending | None:
    """The change that waits; None where none does."""
    try:
        return Pending(**json.loads((run / PENDING).read_text()))
    except FileNotFoundError:
        return None


def confirm(run: Path) -> bool:
    """Keeps the change for good; False when nothing waits (never asked for, confirmed before, or already undone)."""
    taken = run / f"{PENDING}.confirmed"
    try:
        (run / PENDING).rename(taken)
    except FileNotFoundError:
        return False
    taken.unlink()
    return True


def claim_undo(run: Path) -> Pending | None:
    """Takes the right to undo; None when a confirmation was first."""
    try:
        (run / PENDING).rename(run / UNDOING)
    except FileNotFoundError:
        return None
    return Pending(**json.loads((run / UNDOING).read_text()))


def hurry(run: Path) -> None:
    """The change failed: the undo process need not wait for the deadline."""
    waiting = pending(run)
    if waiting is not None:
        fresh = run / f"{PENDING}.new"
        fresh.write_text(json.dumps(asdict(replace(waiting, deadline=0.0))))
        fresh.rename(run / PENDING)


def undone(run: Path, error: str | None) -> None:
    """Notes how the undo ended, for `status` to tell."""
    (run / UNDOING).write_text(json.dumps({"error": error}))
    (run / UNDOING).rename(run / UNDONE)


def last_undo(run: Path) -> str | None:
    """What `status` says about the last undo; None where there was none since the last `up --confirm`."""
    try:
        error = json.loads((run / UNDONE).read_text())["error"]
    except FileNotFoundError:
        return None
    return "the last change was not confirmed and was undone" if error is None else f"the undo failed: {error}"
