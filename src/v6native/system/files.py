# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are either the old or the new one, whatever crashes."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from v6native.errors import SystemActionError


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """Replaces `path`, on disk when this returns. The folder is made where it is missing.

    SystemActionError where it cannot: the old file, if there was one, is still whole.
    """
    fresh = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        # Not os.write: on a disk that is nearly full it writes a part and says nothing.
        with os.fdopen(fd, "wb") as file:
            os.fchmod(fd, mode)
            file.write(text.encode())
            file.flush()
            os.fsync(fd)
        fresh.rename(path)
        _sync(path.parent)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise SystemActionError(f"{path} cannot be written: {error.strerror}; make room there, or mend it") from error


def _sync(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_text(path: Path) -> str | None:
    """The file's text; None where there is none."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return None
