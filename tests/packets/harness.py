# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""One packet through one live BPF program, and what became of it: the bench on which the packet tests stand.

    bench.configure(nat64_settings(pref64=("64:ff9b::/96",)))
    out = bench.nat64(packet)                # bytes of an IP packet in
    assert out.reason == "TRANSLATED_6TO4"   # the one counter that moved
    assert out.packet == expected            # bytes of an IP packet out

The programs are the ones that ship, loaded once into maps of the bench's own; `reset` empties these between tests.
"""

from __future__ import annotations

import mmap
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

from v6native.config.model import RFC7915_DEFAULTS, Eam, PortRange, Timeouts, TranslationOptions
from v6native.dataplane import abi
from v6native.dataplane.counters import reasons
from v6native.dataplane.door import BibEntry, Reason, Session, Translator
from v6native.dataplane.kernel import KernelDataPlane
from v6native.dataplane.loader import Generation
from v6native.dataplane.maps import HASH, LRU_HASH, QUEUE, BpfMap
from v6native.dataplane.shared import grace_period
from v6native.desired.dataplane import DataPlaneConfig, Limits, Nat64Settings, PoolRange, SiitSettings, StaticEntry

PHONE = IPv6Address("2001:db8:64:1::5")
NODE6, NODE4 = IPv6Address("2001:db8:64:1::1"), IPv4Address("192.0.2.1")
PREF64 = IPv6Network("2001:db8:64:64::/96")
POOL = IPv4Address("203.0.113.1")
SERVER = IPv4Address("198.51.100.80")
CLIENT4, CLIENT6 = IPv4Address("100.64.0.2"), IPv6Address("2001:db8:64:a:64::6440:2")
CLAT96 = IPv6Network("2001:db8:64:a:64::/96")

GATEWAY_MAC, TRANSLATOR_MAC = bytes.fromhex("026400000064"), bytes.fromhex("026400000001")
_ETHERNET = 14
# Loopback: the programs only pass the number to bpf_redirect, which a test run does not carry out.
_ANY_INTERFACE = "lo"


class Action(IntEnum):
    """What the program tells tc."""

    OK = 0
    SHOT = 2
    REDIRECT = 7
    UNSPEC = 0xFFFFFFFF
    """To the next filter of the interface."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`packet` is the IP packet as the program left it; `counted` the counters that moved, and by how much; `noted` those
    that are counted beside a packet's own."""

    action: Action
    packet: bytes
    mark: int
    counted: dict[str, int]
    noted: dict[str, int]
    frame: bytes = field(repr=False)

    @property
    def reason(self) -> str:
        """The one verdict. Fails where none or several were counted: one packet, one verdict."""
        assert len(self.counted) == 1 and set(self.counted.values()) == {1}, f"one verdict expected, got {self.counted}"
        verdict = next(iter(self.counted))
        SEEN[verdict] += 1
        return verdict

    @property
    def slow_for(self) -> int:
        """For whom the slow path gets it (SLOW_*): the last byte of the frame's destination."""
        return self.frame[5]


SEEN: Counter[str] = Counter()
"""Verdicts that tests of this process asked for, each of which was the only one counted."""


@dataclass(slots=True)
class Bench:
    """The programs, and the maps that belong to this bench alone."""

    plane: KernelDataPlane
    offset: float = 0.0
    _read: Generation | None = None
    _reasons: dict[Translator, tuple[Reason, ...]] = field(default_factory=dict)

    def configure(
        self,
        nat64: Nat64Settings | None = None,
        siit: SiitSettings | None = None,
        nat64_interface: str = _ANY_INTERFACE,
    ) -> None:
        """What is None is switched off. The clock stays where the test put it."""
        self.plane.configure(DataPlaneConfig(nat64, siit, (), nat64_interface, _ANY_INTERFACE, _ANY_INTERFACE))
        self._set_clock()

    def nat64(self, packet: bytes, mark: int = 0, kind: int = 0) -> Outcome:
        """`kind` is the ethertype; 0: what the packet's version says."""
        return self.run("nat64", Translator.NAT64, packet, mark, kind=kind)

    def siit(self, packet: bytes, mark: int = 0, kind: int = 0) -> Outcome:
        return self.run("siit", Translator.SIIT, packet, mark, kind=kind)

    def steer(self, packet: bytes, mark: int = 0, program: str = "steer_uplink") -> Outcome:
        return self.run(program, Translator.NAT64, packet, mark)

    def fast(self, packet: bytes, interface: str, mark: int = 0, program: str = "fast") -> Outcome:
        """As received on that interface of this thread's network namespace, whose routes decide."""
        return self.run(program, Translator.NAT64, packet, mark, socket.if_nametoindex(interface))

    def run(
        self, program: str, of: Translator, packet: bytes, mark: int = 0, ifindex: int = 0, kind: int = 0
    ) -> Outcome:
        kind = kind or (0x86DD if packet[:1] and packet[0] >> 4 == 6 else 0x0800)
        counters = self.plane.generation().maps[str(of)]["counters"]
        before = list(counters.items())
        frame = TRANSLATOR_MAC + GATEWAY_MAC + kind.to_bytes(2, "big") + packet
        ran = self.plane.generation().programs[program].run(frame, mark=mark, ifindex=ifindex)
        moved = {
            int.from_bytes(key, sys.byteorder): _sum(now) - _sum(was)
            for (key, was), (_key, now) in zip(before, counters.items(), strict=True)
            if was != now
        }
        names = self._names(of)
        counted = {names[at].name: by for at, by in moved.items() if names[at].kind != "NOTE"}
        noted = {names[at].name: by for at, by in moved.items() if names[at].kind == "NOTE"}
        return Outcome(Action(ran.action), ran.frame[_ETHERNET:], ran.mark, counted, noted, ran.frame)

    def flood(self, packets: Iterable[bytes]) -> None:
        """Many packets into the NAT64 at once, without a look at what becomes of each."""
        program = self.plane.generation().programs["nat64"]
        for packet in packets:
            kind = b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00"
            program.run(TRANSLATOR_MAC + GATEWAY_MAC + kind + packet)

    def advance(self, seconds: float) -> None:
        """Turn the NAT64's clock forward."""
        self.offset += seconds
        self._set_clock()

    def turn_to(self, moment: float) -> None:
        """Set the NAT64's clock: the next packet comes at that moment, however long the test took to make it."""
        self.offset = moment - time.clock_gettime(time.CLOCK_MONOTONIC)
        self._set_clock()

    def now(self) -> float:
        """The NAT64's clock, in seconds."""
        return time.clock_gettime(time.CLOCK_MONOTONIC) + self.offset

    def sweep(self) -> None:
        """Collect what has expired by the test's clock, as the timer does by and by."""
        for _slice in range(1 + self._map("sessions").max_entries // 20000):
            while self.plane.generation().programs["sweep_now"].run(bytes(_ETHERNET)).action:
                pass  # It stopped early, because enough was due.

    def sessions(self) -> list[Session]:
        return list(self.plane.sessions())

    def bib(self) -> list[BibEntry]:
        return list(self.plane.bib())

    def reset(self) -> None:
        """No session, no BIB entry, no configuration; the clock is right again."""
        self.configure()
        # Under another clock the timer sweeps nothing: what it holds in its hands would be wiped out of them.
        self.offset = 1.0
        self._set_clock()
        grace_period()
        self._all(lambda each: each.type in (HASH, LRU_HASH), _clear)
        self._all(lambda each: each.type == QUEUE, _drain)
        counts = abi.Nat64State.from_buffer_copy(self._map("nat64_state").at(0))
        bib, sessions = self._map("bib"), self._map("sessions")
        used = [(sessions, range(counts.sessions_used_to)), (bib, range(counts.bib_used_to))]
        used += [
            (self._map("clients"), range(counts.clients_used_to)),
            (self._map("blocks"), range(counts.blocks_used_to)),
        ]
        used.append((bib, range(bib.max_entries - abi.STATIC_SLOTS, bib.max_entries)))
        for table, slots in used:
            _wipe(table, slots)
        self._map("nat64_state").put(0, bytes(abi.Nat64State()))
        self.refill()
        self.offset = 0.0
        self._set_clock()

    def forget_fragments(self) -> None:
        """No first fragment was ever seen."""
        for maps in self.plane.generation().maps.values():
            for name in ("fragments", "udp0_fragments"):
                if name in maps:
                    _clear(maps[name])

    def refill(self) -> None:
        """The budget of errors as at the start of a second, whatever was sent in this one."""
        for maps in self.plane.generation().maps.values():
            budget = maps["answer_budget"]
            budget.put(0, bytes(len(budget.at(0))))

    def _names(self, of: Translator) -> tuple[Reason, ...]:
        """What the counters of an object count, read once for each generation of objects."""
        generation = self.plane.generation()
        if self._read is not generation:
            self._read, self._reasons = generation, {}
        if of not in self._reasons:
            self._reasons[of] = reasons(generation, str(of))
        return self._reasons[of]

    def adjust(self, **fields: int) -> None:
        """Fields of the active settings (struct nat64_config), past what a file may say."""
        active = int.from_bytes(self._map("nat64_active").at(0), sys.byteorder) & 1
        config = abi.Nat64Config.from_buffer_copy(self._map("nat64_config").at(active))
        for name, value in fields.items():
            setattr(config, name, value)
        self._map("nat64_config").put(active, bytes(config))

    def _set_clock(self) -> None:
        self.adjust(clock_offset_ns=int(self.offset * 1e9))

    def _map(self, name: str) -> BpfMap:
        return self.plane.generation().maps["nat64"][name]

    def _all(self, which: Callable[[BpfMap], bool], do: Callable[[BpfMap], None]) -> None:
        for maps in self.plane.generation().maps.values():
            for each in filter(which, maps.values()):
                do(each)


def _sum(of_all_processors: bytes) -> int:
    return sum(value for (value,) in struct.iter_unpack("=Q", of_all_processors))


def _clear(table: BpfMap) -> None:
    for key in [key for key, _value in table.items()]:
        table.delete(key)


def _wipe(table: BpfMap, slots: range) -> None:
    """Zeros in an array that user space can map: a call for each slot would take longer than the test."""
    stride = (table.value_size + 7) // 8 * 8
    size = -(-stride * table.max_entries // mmap.PAGESIZE) * mmap.PAGESIZE
    with mmap.mmap(table.fd, size) as memory:
        memory[slots.start * stride : slots.stop * stride] = bytes(len(slots) * stride)


def _drain(queue: BpfMap) -> None:
    while queue.pop() is not None:
        pass


def nat64_settings(
    pref64: Iterable[str | IPv6Network] = (PREF64,),
    pool: Iterable[tuple[str | IPv4Address, int, int]] = ((POOL, 1024, 65535),),
    sources: Iterable[str] = ("2001:db8:64::/48",),
    static: Iterable[StaticEntry] = (),
    refused4: Iterable[str] = (),
    open4: Iterable[str] = (),
    *,
    shared: bool = False,
    timeout: Timeouts | None = None,
    lowest_ipv6_mtu: int = 1280,
    sessions: int = 4096,
    own4: Iterable[str] = (),
    port_block: int = 256,
    limits: Limits | None = None,
    **more: Any,
) -> Nat64Settings:
    """A NAT64 like the lab's. `pool`: (address, first port, last port)."""
    return Nat64Settings(
        pref64=tuple(IPv6Network(p) for p in pref64),
        pool=tuple(PoolRange(IPv4Address(a), PortRange(first, last), shared) for a, first, last in pool),
        sources=tuple(IPv6Network(s) for s in sources),
        static=tuple(static),
        refused4=tuple(IPv4Network(n) for n in refused4),
        open4=tuple(IPv4Network(n) for n in open4),
        icmp6_source=NODE6,
        icmp4_source=NODE4,
        timeout=timeout or Timeouts(),
        lowest_ipv6_mtu=lowest_ipv6_mtu,
        sessions=sessions,
        own4=tuple(IPv4Address(a) for a in own4),
        port_block=port_block,
        limits=limits or Limits(),
        **more,
    )


def siit_settings(
    pref64: str | IPv6Network = PREF64,
    eam: Iterable[tuple[str, str]] = (("100.64.0.0/16", "2001:db8:64:a:64::6440:0/112"),),
    *,
    lowest_ipv6_mtu: int = 1280,
    options: TranslationOptions = RFC7915_DEFAULTS,
    refused4: Iterable[str] = (),
    open4: Iterable[str] = (),
) -> SiitSettings:
    """A CLAT like the lab's: 100.64.0.2 ↔ 2001:db8:64:a:64::6440:2. `eam`: (IPv4 prefix, IPv6 prefix)."""
    return SiitSettings(
        pref64=IPv6Network(pref64),
        eam=tuple(Eam(IPv4Network(v4), IPv6Network(v6)) for v4, v6 in eam),
        icmp6_source=NODE6,
        icmp4_source=NODE4,
        lowest_ipv6_mtu=lowest_ipv6_mtu,
        refused4=tuple(map(IPv4Network, refused4)),
        open4=tuple(map(IPv4Network, open4)),
        explicit=True,
        options=options,
    )
