# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A copy of the configuration that runs, so that `up --confirm` can go back to it after the files were edited.

Taken before loading and kept only when applied: what lies in `applied` has worked. Private keys are never copied.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from v6native.errors import SystemActionError
from v6native.paths import Paths

APPLIED, CANDIDATE, ASIDE = "applied", "candidate", "before-confirm"


@contextmanager
def _copying(folder: Path) -> Iterator[None]:
    """A full disk is the operator's to mend, and is told before anything is touched."""
    try:
        yield
    except OSError as error:
        raise SystemActionError(
            f"the configuration cannot be copied to {folder}: {error}; make room there, or mend it"
        ) from error


@dataclass(frozen=True, slots=True)
class Snapshots:
    """The copies of one node, under its state folder."""

    paths: Paths

    @property
    def applied(self) -> Path:
        return self.paths.var / APPLIED

    def take(self) -> Path:
        """Copies the file and the clients as they are now, loadable or not; nothing is kept yet."""
        candidate = self.paths.var / CANDIDATE
        with _copying(candidate):
            shutil.rmtree(candidate, ignore_errors=True)
            candidate.mkdir(mode=0o700, parents=True)
            if self.paths.network_toml.exists():
                shutil.copy2(self.paths.network_toml, candidate)
            if self.paths.clients.is_dir():
                shutil.copytree(self.paths.clients, candidate / self.paths.clients.name)
        return candidate

    def keep(self, candidate: Path) -> None:
        """The candidate was applied: it is what runs now."""
        shutil.rmtree(self.applied, ignore_errors=True)
        candidate.rename(self.applied)

    def keep_copy(self, folder: Path) -> None:
        """What lies in `folder` was applied; the folder itself stays."""
        with _copying(self.applied):
            shutil.rmtree(self.applied, ignore_errors=True)
            shutil.copytree(folder, self.applied)

    def forget(self) -> None:
        for name in (APPLIED, CANDIDATE, ASIDE):
            shutil.rmtree(self.paths.var / name, ignore_errors=True)

    def set_aside(self) -> Path | None:
        """A copy of what runs, safe from the next `keep`; None where nothing was ever applied."""
        if not self.applied.is_dir():
            return None
        aside = self.paths.var / ASIDE
        with _copying(aside):
            shutil.rmtree(aside, ignore_errors=True)
            shutil.copytree(self.applied, aside)
        return aside
