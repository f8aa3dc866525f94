# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Which generation of maps an instance runs on, and the change to another one beside running traffic."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

from v6native.dataplane import bpffs, tc
from v6native.dataplane.bpf_object import BpfObject
from v6native.dataplane.carry import Carried, copy_configuration, silent
from v6native.dataplane.loader import STAGING, Generation, Source, fits, load, loaded_digest
from v6native.dataplane.program import Program


def current(root: Path) -> Generation | None:
    """The generation whose maps the attached programs use; none attached: the newest complete one."""
    found = [Generation.pinned(folder) for folder in bpffs.generations(root)]
    used = {number for _interface, program in attached() for number in program.map_ids}
    found.sort(key=lambda g: (bool(g.map_ids() & used), loaded_digest(g.folder) is not None, _number(g.folder)))
    for other in found[:-1]:
        other.close()
    return found[-1] if found else None


def attached() -> Iterator[tuple[str, Program]]:
    """What is at our place of each interface of this network namespace: ours, or another instance's."""
    for index, name in socket.if_nameindex():
        with contextlib.suppress(FileNotFoundError):
            if (number := tc.query(index)) is not None:
                program = Program.by_id(number)
                try:
                    yield name, program
                finally:
                    program.close()


def name_of(number: int) -> str:
    """The name of the loaded program with that id."""
    program = Program.by_id(number)
    try:
        return program.name
    finally:
        program.close()


def attached_to(generation: Generation) -> list[tuple[str, str]]:
    """Interfaces with the names of the programs there that use this generation's maps."""
    ours = generation.map_ids()
    return [(name, program.name) for name, program in attached() if program.map_ids & ours]


def up_to_date(generation: Generation, source: Source, abi_version: int) -> bool:
    """Whether these very objects are loaded, for this ABI and table size."""
    sessions = generation.map("nat64", "sessions")
    return (
        generation.folder.name == str(abi_version)
        and loaded_digest(generation.folder) == source.digest()
        and (sessions is None or sessions.max_entries == source.sessions)
    )


def renew(root: Path, source: Source, abi_version: int, now: Generation | None) -> Generation:
    """Load the objects of `source`. Sessions go on, in the maps of `now` or brought over from them; it is closed."""
    home = root / str(abi_version)
    objects = source.open()
    try:
        if now is None:
            bpffs.unlink_tree(home)
            new = load(objects, home, source.digest(), None)
        elif _number(now.folder) == abi_version and fits(objects, now):
            if now.folder != home:
                bpffs.unlink_tree(home)
                now.folder.rename(home)
            new = load(objects, home, source.digest(), now)
            _take_over(now, new)
        else:
            new = _move(objects, source, home, now)
        for folder in bpffs.generations(root):
            if folder != home:
                bpffs.unlink_tree(folder)
    finally:
        for item in objects:
            item.close()
    if now is not None:
        now.close()
    return new


def _move(objects: list[BpfObject], source: Source, home: Path, now: Generation) -> Generation:
    """A new generation beside the old one; the attached programs change over with all that the old one knows."""
    staging = home.with_name(f"{home.name}-{STAGING}")
    if now.folder == staging:
        # Left by an interrupted change, and in use: out of the way of the next one.
        aside = home.with_name(f"{home.name}-{STAGING}-{STAGING}")
        bpffs.unlink_tree(aside)
        now.folder = now.folder.rename(aside)
    bpffs.unlink_tree(staging)
    new = load(objects, staging, source.digest(), None)
    copy_configuration(now, new)
    with silent(new) if _stateful(new) else contextlib.nullcontext():
        carried = Carried.copy(now, new) if _stateful(now) and _stateful(new) else None
        _take_over(now, new)
        if carried:
            carried.rest(new)
    bpffs.unlink_tree(home)
    new.folder = staging.rename(home)
    return new


def _take_over(old: Generation, new: Generation) -> None:
    for interface, program in attached_to(old):
        if program in new.programs:
            tc.attach(socket.if_nametoindex(interface), new.programs[program].fd)
        else:
            tc.detach(socket.if_nametoindex(interface))


def _stateful(generation: Generation) -> bool:
    return generation.map("nat64", "sessions") is not None


def _number(folder: Path) -> int:
    """The ABI in a generation's name."""
    number = folder.name.partition("-")[0]
    return int(number) if number.isdecimal() else -1
