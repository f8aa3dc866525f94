# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The data plane in the kernel: what door.DataPlane promises, done with maps, programs and pins."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from v6native.dataplane import bpffs, configure, counters, fast, generations, rows, tables, tc
from v6native.dataplane.abi import ABI_VERSION, Bib
from v6native.dataplane.door import BibEntry, FastPermit, Reason, Refusals, Session, Totals, Translator
from v6native.dataplane.dryrun import DryCopy
from v6native.dataplane.loader import OBJECTS, Generation, Source
from v6native.dataplane.look import Look
from v6native.dataplane.refusals import RefusalReader
from v6native.desired.dataplane import Attachment, DataPlaneConfig
from v6native.errors import DataPlaneError, EnvironmentRefused
from v6native.paths import Paths

# Sessions where the NAT64 is off: the map must have a size.
_LEAST_SESSIONS = 1024


class KernelDataPlane:
    """The translators of one instance, in the network namespace of the caller."""

    def __init__(self, root: Path, objects: Path, abi_version: int) -> None:
        self._root = root
        self._objects = objects
        self._abi = abi_version
        self._now: Generation | None = None
        self._dry: DryCopy | None = None
        self._reader: RefusalReader | None = None
        # A watcher reads from a thread of its own: not while the generation under it changes.
        self._reading = threading.Lock()

    @classmethod
    def open(
        cls, paths: Paths, instance: str | None = None, objects: Path = OBJECTS, abi_version: int = ABI_VERSION
    ) -> KernelDataPlane:
        """Adopt what is pinned for the instance (default: the one that `paths` names). Changes nothing."""
        bpffs.require(paths.bpffs)
        plane = cls(paths.pins(paths.instance() if instance is None else instance), objects, abi_version)
        with _explained("open the pinned BPF maps"):
            plane._now = generations.current(plane._root)
        return plane

    def __enter__(self) -> KernelDataPlane:
        return self

    def __exit__(self, *_why: object) -> None:
        self.close()

    @property
    def loaded(self) -> bool:
        """Whether there are translators to talk of at all."""
        return self._now is not None

    def generation(self) -> Generation:
        """The open maps and programs, for test runs and `explain`; DataPlaneError where nothing is loaded."""
        if self._now is None:
            raise DataPlaneError("no translators are loaded for this instance: start them with `v6native up`")
        return self._now

    def pending(self, config: DataPlaneConfig) -> tuple[str, ...]:
        rows.check(config)
        with _explained("compare the BPF maps"):
            if self._now is None:
                return ("load the translators into the kernel",)
            lines: tuple[str, ...] = ()
            if not generations.up_to_date(self._now, self._source(config), self._abi):
                lines = ("replace the loaded BPF programs, sessions go on",)
            return (*lines, *configure.differences(self._now, self._wanted(self._now, config, _index_or_zero)))

    def configure(self, config: DataPlaneConfig) -> None:
        rows.check(config)
        source = self._source(config)
        with _explained("load the BPF programs"):
            if self._now is None or not generations.up_to_date(self._now, source, self._abi):
                with self._reading:
                    self._forget()
                    self._now = generations.renew(self._root, source, self._abi, self._now)
        with _explained("write the BPF maps"):
            configure.apply(self._now, self._wanted(self._now, config, _index))

    def attach(self, interface: str, program: str) -> None:
        programs = self.generation().programs
        if program not in programs:
            raise DataPlaneError(f"no BPF program is named {program}: it is one of {', '.join(sorted(programs))}")
        index = _index(interface)
        with _explained(f"attach {program} to {interface}"):
            number = tc.query(index)
            if number == programs[program].id:
                return
            if number is not None and (theirs := generations.name_of(number)) not in programs:
                raise DataPlaneError(
                    f"cannot attach {program} to {interface}: the BPF program {theirs}, which is not v6native's, has its "
                    f"place. Move it to another priority: tc filter del dev {interface} ingress pref {tc.PRIORITY}"
                )
            tc.attach(index, programs[program].fd)

    def detach(self, interface: str) -> None:
        if self._now is None:
            return
        with _explained(f"detach from {interface}"):
            if interface in dict(generations.attached_to(self._now)):
                tc.detach(socket.if_nametoindex(interface))

    def attached(self) -> tuple[Attachment, ...]:
        if self._now is None:
            return ()
        with _explained("list the attached BPF programs"):
            return tuple(Attachment(*pair) for pair in sorted(generations.attached_to(self._now)))

    def reasons(self) -> tuple[Reason, ...]:
        with _explained("read the verdicts' texts"):
            by_name = {r.name: r for of in self.generation().maps for r in counters.reasons(self.generation(), of)}
        return tuple(by_name.values())

    def counters(self, translator: Translator | None = None) -> dict[str, int]:
        chosen = list(self.generation().maps) if translator is None else [str(translator)]
        sums: Counter[str] = Counter()
        with _explained("read the counters"):
            for of in chosen:
                sums.update(counters.read(self.generation(), of))
        return dict(sums)

    def sessions(self) -> Iterator[Session]:
        with _explained("read the session table"):
            yield from tables.sessions(self._tables())

    def bib(self) -> Iterator[BibEntry]:
        with _explained("read the BIB"):
            yield from tables.bib(self._tables())

    def totals(self) -> Totals:
        with _explained("read the totals"):
            return tables.totals(self._tables())

    def dry_run(self, program: str, packet: bytes, mark: int = 0) -> Look:
        with _explained("try a packet"):
            if self._dry is None:
                live = self.generation()
                table = live.map("nat64", "sessions")
                source = Source(self._objects, table.max_entries if table else _LEAST_SESSIONS)
                if not generations.up_to_date(live, source, self._abi):
                    raise DataPlaneError(
                        "the running translators are not this version's, so what these would do says nothing: "
                        "replace them with `v6native reload`"
                    )
                self._dry = DryCopy(source, live)
            return self._dry.look(program, packet, mark)

    def refusals(self, rate: int) -> Refusals:
        with self._reading, _explained("read the refused packets"):
            if self._reader is None:
                self._reader = RefusalReader(self.generation())
            return self._reader.read(rate)

    def end_refusals(self) -> None:
        with self._reading:
            if self._reader is not None:
                self._reader.close()
            self._reader = None

    def end_sessions(self, gone: Callable[[BibEntry], bool]) -> int:
        with _explained("end sessions"):
            now = tables.clock(self._tables().settings())

            def shown(entry: Bib) -> bool:
                return gone(tables.bib_entry(entry, now))

            return configure.end_where(self.generation(), shown)

    def permit(self, permits: Sequence[FastPermit], seconds: float) -> None:
        with _explained("renew the fast path's lease"):
            fast.permit(self._root, permits, seconds, time.monotonic_ns())

    def remove(self) -> None:
        with _explained("remove the translators"):
            while (found := generations.current(self._root)) is not None:
                for interface, _program in generations.attached_to(found):
                    tc.detach(socket.if_nametoindex(interface))
                found.close()
                bpffs.unlink_tree(found.folder)
            bpffs.unlink_tree(self._root)
        self.close()

    def close(self) -> None:
        with self._reading:
            self._forget()
            if self._now is not None:
                self._now.close()
            self._now = None

    def _forget(self) -> None:
        """What belongs to one generation, and keeps its maps."""
        if self._dry is not None:
            self._dry.close()
        if self._reader is not None:
            self._reader.close()
        self._dry, self._reader = None, None

    def _source(self, config: DataPlaneConfig) -> Source:
        table = self._now.map("nat64", "sessions") if self._now else None
        kept = table.max_entries if table else _LEAST_SESSIONS
        return Source(self._objects, config.nat64.sessions if config.nat64 else kept)

    def _wanted(self, generation: Generation, config: DataPlaneConfig, ifindex: Callable[[str], int]) -> rows.Wanted:
        table = generation.map("nat64", "sessions")
        return rows.wanted(config, ifindex, table.max_entries if table else 0)

    def _tables(self) -> tables.Tables:
        return tables.Tables.of(self.generation())


def _index(interface: str) -> int:
    try:
        return socket.if_nametoindex(interface)
    except OSError as why:
        raise DataPlaneError(f"there is no interface {interface}: it must exist before BPF can use it") from why


def _index_or_zero(interface: str) -> int:
    try:
        return socket.if_nametoindex(interface)
    except OSError:
        return 0


@contextlib.contextmanager
def _explained(what: str) -> Iterator[None]:
    """The kernel's errors as ours."""
    try:
        yield
    except OSError as why:
        if why.errno in (errno.EPERM, errno.EACCES):
            raise EnvironmentRefused(f"cannot {what}: {why.strerror}. BPF needs root: run v6native with sudo") from why
        raise DataPlaneError(f"cannot {what}: {why.strerror or why}") from why
