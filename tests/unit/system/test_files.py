# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Files on a disk that is full, or nearly: the old content stays whole, and the operator reads why."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from v6native.errors import SystemActionError
from v6native.system.files import read_text, write_atomically
from v6native.system.processes import Service, start_time, wait_until

ROOM = 100


@contextmanager
def full_disk() -> Iterator[None]:
    """Files of this process may have so many bytes: like a full disk, the first write is cut, the next one fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_that_does_not_fit_leaves_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "saved.json"
    write_atomically(file, "old", 0o600)
    with full_disk(), pytest.raises(SystemActionError, match=r"saved\.json cannot be written: File too large"):
        write_atomically(file, "n" * 2 * ROOM, 0o600)
    assert read_text(file) == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["saved.json"]


def test_the_mode_is_there_from_the_first_byte(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "key"
    write_atomically(file, "secret", 0o600)
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_link_in_the_way_is_replaced_and_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "passwd"
    other.write_text("root")
    (tmp_path / ".key.new").symlink_to(other)
    (tmp_path / "key").symlink_to(other)
    write_atomically(tmp_path / "key", "secret", 0o600)
    assert other.read_text() == "root"
    assert not (tmp_path / "key").is_symlink()


def test_a_process_whose_pid_cannot_be_written_does_not_stay(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    service = Service("dozing", ("sh", "-c", f"echo $$ > {tmp_path / 'pid'}; exec sleep 60"), run)
    # A folder in the place of the pid file: it cannot be replaced by a file.
    (run / "dozing.pid").mkdir()
    with pytest.raises(SystemActionError, match=r"dozing\.pid cannot be written"):
        service.start()
    # It may have been ended before it wrote there.
    pid = read_text(tmp_path / "pid")
    assert not pid or wait_until(lambda: start_time(int(pid)) is None, 5)
