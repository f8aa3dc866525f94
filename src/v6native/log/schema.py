# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of who-had.db, and where in them a range of ports is found.

A range lies in the smallest window of 2^n ports, aligned to its size, that holds it whole. Two ranges that exist at a time
never have one window, so (address, window) names one holding after the other, and who had a port is one search for each
size of window in use: among the holdings of that window, the first that ended after the moment asked for.

`past` holds what has ended. Its key begins with the day of the end (UTC): the day is all that grows, all that is removed,
and what lies before it is never touched again.

`gaps` has the times of which the log knows less than there was: so many events `lost`, or NULL, it was switched off.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from enum import IntEnum
from pathlib import Path

from v6native.errors import LogError

VERSION = 1
DAY_MS = 86_400_000

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE shapes (shape INTEGER PRIMARY KEY);
CREATE TABLE live (
    address4 INTEGER, shape INTEGER, slot INTEGER, first INTEGER, last INTEGER, client BLOB, port6 INTEGER,
    static INTEGER, began_ns INTEGER, start_ms INTEGER,
    PRIMARY KEY (address4, shape, slot)) WITHOUT ROWID;
CREATE TABLE past (
    day INTEGER, address4 INTEGER, shape INTEGER, slot INTEGER, end_ms INTEGER, held_ms INTEGER,
    first INTEGER, last INTEGER, client BLOB, port6 INTEGER, static INTEGER, ended INTEGER,
    PRIMARY KEY (day, address4, shape, slot, end_ms)) WITHOUT ROWID;
CREATE TABLE names (
    address BLOB, start_ms INTEGER, end_ms INTEGER, name TEXT, tunnel TEXT,
    PRIMARY KEY (address, start_ms)) WITHOUT ROWID;
CREATE TABLE gaps (start_ms INTEGER PRIMARY KEY, end_ms INTEGER, lost INTEGER);
"""
# Protocols by the kernel's number (abi.BIB_PROTOS), and all of them: a block.
PROTOS = ("tcp", "udp", "icmp", "all")
ALL = len(PROTOS) - 1
_SIZES = 17
"""Windows of 2^0 to 2^16 ports."""


class Ended(IntEnum):
    """How the end of a holding is known. All but the first are the latest that it can be."""

    GIVEN_BACK = 0
    REBOOT = 1
    DOWN = 2
    SUPERSEDED = 3
    FOUND_GONE = 4
    SWITCHED_OFF = 5


def window(first: int, last: int) -> tuple[int, int]:
    """(n, number): the smallest window of 2^n ports that holds the range, and which one it is."""
    bits = (first ^ last).bit_length()
    return bits, first >> bits


def shape_of(proto: int, bits: int) -> int:
    """One number for protocol (an index into PROTOS) and size of window."""
    return proto * _SIZES + bits


def parts_of(shape: int) -> tuple[int, int]:
    """(protocol, n) of a shape."""
    return divmod(shape, _SIZES)


def number_of(address4: bytes) -> int:
    """An IPv4 address as SQLite stores it in four bytes: signed."""
    return int.from_bytes(address4, "big") - (1 << 31)


def client_blob(address: bytes, length: int) -> bytes:
    """A client in few bytes: its length, then no more of the address than that."""
    return bytes((length,)) + address[: (length + 7) // 8]


def create(path: Path) -> sqlite3.Connection:
    """The database for its one writer, made where it is missing, for root's eyes only; sqlite3.Error, OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)
    database = sqlite3.connect(path, timeout=2.0, isolation_level=None)
    try:
        # A commit is on disk at the next checkpoint; a power cut may cost the last ones, and the ring is gone then too.
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "secure_delete = ON", "cache_size = -16384"):
            database.execute(f"PRAGMA {pragma}").fetchall()
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version == 0:
            with transaction(database):
                for statement in filter(str.strip, _TABLES.split(";")):
                    database.execute(statement)
                database.execute(f"PRAGMA user_version = {VERSION}")
        elif version != VERSION:
            raise LogError(_other_version(path, version))
    except BaseException:
        database.close()
        raise
    return database


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """The database for a question; LogError where there is none, or none that can be read."""
    if not path.exists():
        raise LogError(
            f"{path}: nothing was ever logged on this node; [log] in network.toml turns it on, where port blocks do not"
        )
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=2.0, isolation_level=None)) as database:
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if version not in (0, VERSION):
                raise LogError(_other_version(path, version))
            yield database
    except sqlite3.Error as error:
        raise LogError(f"{path}: the log cannot be read: {error}") from error


@contextlib.contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """All or nothing."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        # A full disk ends the transaction by itself.
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _other_version(path: Path, version: int) -> str:
    return (
        f"{path} was written by another version of v6native (its tables are of version {version}, these of {VERSION}): "
        "use that one, or move the file away to begin anew"
    )
