# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The data plane's twin in memory: the same promises on the same calls, no packets. For tests of the other parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Address

from v6native.dataplane.door import BibEntry, FastPermit, Reason, Refusals, Refused, Session, Totals, Translator
from v6native.dataplane.look import Look
from v6native.desired.dataplane import Attachment, DataPlaneConfig, StaticEntry
from v6native.errors import DataPlaneError

PROGRAMS = frozenset({"nat64", "siit", "steer_uplink", "steer_lo", "slow_in", "fast", "fast_steer"})
REASONS = (
    Reason("TRANSLATED_6TO4", "DONE", "translated from IPv6 to IPv4"),
    Reason("TRANSLATED_4TO6", "DONE", "translated from IPv4 to IPv6"),
    Reason("SOURCE_NOT_ALLOWED", "ANSWERED", "the source may not use this translator"),
)


@dataclass(slots=True)
class FakeDataPlane:
    """`interfaces` None: every interface exists. A test sets `dynamic`, `live`, `counted` and `failing` freely.
    `looks` is what each program makes of every packet; `refused` is told at the next reading, `lost` with it, and
    `watched` is the rate that was asked for last.

    `permits` are the fast path's, with the seconds they were given for.
    `failing` names methods that raise DataPlaneError once, before they change anything.
    """

    interfaces: set[str] | None = None
    config: DataPlaneConfig | None = None
    on: dict[str, str] = field(default_factory=dict)
    dynamic: list[BibEntry] = field(default_factory=list)
    live: list[Session] = field(default_factory=list)
    counted: dict[Translator, dict[str, int]] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
    removed: bool = False
    permits: tuple[Sequence[FastPermit], float] = ((), 0.0)
    looks: dict[str, Look] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    lost: int = 0
    watched: int = 0

    def pending(self, config: DataPlaneConfig) -> tuple[str, ...]:
        if self.config is None:
            return ("load the translators' configuration",)
        lines = []
        if self.config.nat64 != config.nat64:
            lines.append("change the configuration of nat64")
        if self.config.siit != config.siit:
            lines.append("change the configuration of siit")
        ours, theirs = _interfaces(self.config), _interfaces(config)
        if ours != theirs:
            lines.append(f"change the translators' interfaces from {', '.join(ours)} to {', '.join(theirs)}")
        return tuple(lines)

    def configure(self, config: DataPlaneConfig) -> None:
        self._may("configure")
        before = self._static()
        self.config = config
        self.removed = False
        taken = {(e.proto, e.ipv6, e.port6) for e in before - self._static()}
        self.live = [s for s in self.live if (s.proto, s.address6, s.port6) not in taken]
        self.end_sessions(lambda entry: not self._allowed(entry.address6))

    def attach(self, interface: str, program: str) -> None:
        self._may("attach")
        if program not in PROGRAMS:
            raise DataPlaneError(f"no BPF program is named {program}: it is one of {', '.join(sorted(PROGRAMS))}")
        if self.interfaces is not None and interface not in self.interfaces:
            raise DataPlaneError(f"cannot attach {program} to {interface}: there is no such interface")
        self.on[interface] = program

    def detach(self, interface: str) -> None:
        self._may("detach")
        self.on.pop(interface, None)

    def attached(self) -> tuple[Attachment, ...]:
        return tuple(Attachment(interface, program) for interface, program in sorted(self.on.items()))

    def reasons(self) -> tuple[Reason, ...]:
        return REASONS

    def counters(self, translator: Translator | None = None) -> dict[str, int]:
        chosen = list(Translator) if translator is None else [translator]
        return {r.name: sum(self.counted.get(t, {}).get(r.name, 0) for t in chosen) for r in REASONS}

    def sessions(self) -> Iterator[Session]:
        yield from self.live

    def bib(self) -> Iterator[BibEntry]:
        for entry in sorted(self._static(), key=lambda e: (e.proto, e.ipv4, e.port4)):
            key = (entry.proto, entry.ipv6, entry.port6)
            count = sum((s.proto, s.address6, s.port6) == key for s in self.live)
            yield BibEntry(entry.proto, entry.ipv6, entry.port6, entry.ipv4, entry.port4, True, count, 0.0)
        yield from self.dynamic

    def totals(self) -> Totals:
        nat64 = self.config.nat64 if self.config else None
        return Totals(len(self.live), nat64.sessions if nat64 else 0, len(self.dynamic) + len(self._static()))

    def dry_run(self, program: str, packet: bytes, mark: int = 0) -> Look:
        if program not in self.looks:
            raise DataPlaneError(f"{program} is not loaded")
        return self.looks[program]

    def refusals(self, rate: int) -> Refusals:
        self._may("refusals")
        self.watched = rate
        told, self.refused = tuple(self.refused), []
        return Refusals(told, self.lost)

    def end_refusals(self) -> None:
        self.watched = 0

    def end_sessions(self, gone: Callable[[BibEntry], bool]) -> int:
        self._may("end_sessions")
        ended = [entry for entry in self.dynamic if gone(entry)]
        keys = {(e.proto, e.address6, e.port6, e.address4, e.port4) for e in ended}
        self.dynamic = [entry for entry in self.dynamic if entry not in ended]
        self.live = [s for s in self.live if (s.proto, s.address6, s.port6, s.address4, s.port4) not in keys]
        return len(ended)

    def permit(self, permits: Sequence[FastPermit], seconds: float) -> None:
        self._may("permit")
        self.permits = (tuple(permits), seconds)

    def remove(self) -> None:
        self._may("remove")
        self.config = None
        self.on.clear()
        self.dynamic.clear()
        self.live.clear()
        self.counted.clear()
        self.removed = True

    def close(self) -> None:
        """Nothing is held."""

    def _may(self, method: str) -> None:
        if method in self.failing:
            self.failing.remove(method)
            raise DataPlaneError(f"the kernel refused {method}: this test asked for it")

    def _static(self) -> set[StaticEntry]:
        nat64 = self.config.nat64 if self.config else None
        return set(nat64.static) if nat64 else set()

    def _allowed(self, source: IPv6Address) -> bool:
        nat64 = self.config.nat64 if self.config else None
        return nat64 is not None and any(source in network for network in nat64.sources)


def _interfaces(config: DataPlaneConfig) -> tuple[str, str, str]:
    return config.nat64_interface, config.clat_interface, config.slow_interface or "no slow path"
