# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Loads the objects into the kernel and pins them, or takes over what is pinned already.

Maps that fit are reused, so that sessions go on; programs are always the newest and replace the attached ones in one
step. Maps that do not fit (another ABI, another table size) make a new generation, into which carry.py brings the
sessions. A crash at any point leaves a generation that works: the one that the attached programs use.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from v6native.dataplane import bpffs
from v6native.dataplane.abi import STATIC_SLOTS
from v6native.dataplane.bpf_object import BpfObject
from v6native.dataplane.maps import BpfMap
from v6native.dataplane.program import NO_PACKET, Program
from v6native.errors import DataPlaneError

OBJECTS = Path(__file__).parent / "objects"
STAGING = "next"
# The program that arms the sweep; run once after each load.
START_SWEEPER = "start_sweeper"
# A map of one element beside the others: the digest of the objects that were loaded, so that `plan` can compare.
DIGEST = "digest"
# Maps as large as the session table, and as the BIB, which has the static entries' slots on top.
_PER_SESSION = ("sessions", "session_index", "free_sessions", "remotes")
_PER_BIB = ("bib", "bib4", "bib6", "free_bib")
_PER_CLIENT = ("clients", "client_index", "free_clients", "blocks", "block_index", "free_blocks")
# Constants of nat64.bpf.c: indices from there on are not handed out.
_LIMITS = ("session_limit", "bib_limit")
_CLIENT_LIMITS = ("client_limit", "block_limit")
# One client, and one port block, for so many sessions; 65,536 of each at the most, which is one for each port of an address.
_SESSIONS_PER_CLIENT = 8
_MOST_CLIENTS = 65536
# Arrays of which user space writes single fields, or reads all.
_SHARED = ("sessions", "bib", "nat64_state", "clients", "blocks")


@dataclass(slots=True)
class Generation:
    """One set of maps and programs, open. `maps` by object and map name, `programs` by name."""

    folder: Path
    maps: dict[str, dict[str, BpfMap]]
    programs: dict[str, Program]

    @classmethod
    def pinned(cls, folder: Path) -> Generation:
        """Open what is pinned in a folder; what is missing there is missing here."""
        maps = {
            of.name: {pin.name: BpfMap.pinned(pin) for pin in sorted(of.iterdir())}
            for of in sorted((folder / "maps").glob("*"))
        }
        programs = {pin.name: Program.pinned(pin) for pin in sorted((folder / "progs").glob("*"))}
        return cls(folder, maps, programs)

    def map(self, of: str, name: str) -> BpfMap | None:
        return self.maps.get(of, {}).get(name)

    def map_ids(self) -> frozenset[int]:
        return frozenset(m.id for maps in self.maps.values() for m in maps.values())

    def close(self) -> None:
        for maps in self.maps.values():
            for each in maps.values():
                each.close()
        for program in self.programs.values():
            program.close()


@dataclass(frozen=True, slots=True)
class Source:
    """The objects to load, and how large their tables are to be."""

    folder: Path
    sessions: int

    @property
    def clients(self) -> int:
        """How many clients the tables hold, and how many port blocks."""
        return min(max(self.sessions // _SESSIONS_PER_CLIENT, 1024), _MOST_CLIENTS)

    def digest(self) -> bytes:
        """Which objects these are."""
        sum_of = hashlib.sha256()
        for file in self._files():
            sum_of.update(file.read_bytes())
        return sum_of.digest()

    def open(self) -> list[BpfObject]:
        """All objects, sized, not loaded."""
        opened = []
        for file in self._files():
            item = BpfObject(file)
            for name in _PER_SESSION:
                item.resize(name, self.sessions)
            for name in _PER_BIB:
                item.resize(name, self.sessions + STATIC_SLOTS)
            for name in _SHARED:
                item.share(name)
            for name in _PER_CLIENT:
                item.resize(name, self.clients)
            for name in _LIMITS:
                item.constant(name, self.sessions)
            for name in _CLIENT_LIMITS:
                item.constant(name, self.clients)
            opened.append(item)
        return opened

    def _files(self) -> list[Path]:
        files = sorted(self.folder.glob("*.bpf.o"))
        if not files:
            raise DataPlaneError(
                f"{self.folder}: no BPF objects are there: reinstall v6native, or build them: make objects"
            )
        return files


def object_name(item: BpfObject) -> str:
    return item.file.name.removesuffix(".bpf.o")


def fits(objects: list[BpfObject], current: Generation) -> bool:
    """Whether every map of that generation can be used by these objects as it is."""
    for item in objects:
        for name in item.map_names():
            there = current.map(object_name(item), bpffs.pin_name(name))
            if there is not None and not item.internal(name) and not item.fits(name, there):
                return False
    return True


def load(objects: list[BpfObject], folder: Path, digest: bytes, reuse: Generation | None) -> Generation:
    """Load and pin into `folder`, with the maps of `reuse` where it has them (`reuse.folder` is then `folder`)."""
    for item in objects:
        for name in item.map_names():
            there = reuse.map(object_name(item), bpffs.pin_name(name)) if reuse else None
            if there is not None and not item.internal(name):
                item.reuse(name, there)
        item.load()
    for item in objects:
        for name, each in item.maps.items():
            _pin(each, folder / "maps" / object_name(item) / bpffs.pin_name(name), replace=item.internal(name))
        for name, program in item.programs.items():
            _pin(program, folder / "progs" / name, replace=True)
    _pin_digest(folder / DIGEST, digest)
    generation = Generation.pinned(folder)
    if START_SWEEPER in generation.programs:
        generation.programs[START_SWEEPER].run(NO_PACKET)
    return generation


def loaded_digest(folder: Path) -> bytes | None:
    """The digest of the objects that are pinned there; None where nothing is, or a load was interrupted."""
    if not (folder / DIGEST).exists():
        return None
    kept = BpfMap.pinned(folder / DIGEST)
    try:
        return kept.at(0)
    finally:
        kept.close()


def _pin_digest(path: Path, digest: bytes) -> None:
    kept = BpfMap.array("v6n_digest", len(digest))
    try:
        kept.put(0, digest)
        _pin(kept, path, replace=True)
    finally:
        kept.close()


def _pin(it: BpfMap | Program, path: Path, *, replace: bool) -> None:
    """Pin in one step over what is there; without `replace` what is there is the same map, and stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        if not replace:
            return
        temporary = path.with_name(f"{path.name}-new")
        temporary.unlink(missing_ok=True)
        it.pin(temporary)
        temporary.rename(path)
    else:
        it.pin(path)
