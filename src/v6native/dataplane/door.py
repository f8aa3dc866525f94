# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The data plane as the rest of v6native sees it: what it is told, and what it tells (RFC 6146 §3.1, §3.2).

`KernelDataPlane` (kernel.py) is the real one, `FakeDataPlane` (fake.py) its twin in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Protocol

from v6native.config.model import Proto

if TYPE_CHECKING:
    # Only words of the promise below. With it comes the file's schema, which a worker that reads tables does without.
    from v6native.desired.dataplane import Attachment, DataPlaneConfig, FastPair

if TYPE_CHECKING:
    from v6native.dataplane.look import Look


class Translator(StrEnum):
    """The two translators; each is one BPF object of that name."""

    NAT64 = "nat64"
    SIIT = "siit"


class TcpState(StrEnum):
    """The states of RFC 6146 §3.5.2.1, by its names."""

    CLOSED = "CLOSED"
    V4_INIT = "V4 INIT"
    V6_INIT = "V6 INIT"
    ESTABLISHED = "ESTABLISHED"
    V4_FIN_RCV = "V4 FIN RCV"
    V6_FIN_RCV = "V6 FIN RCV"
    V4_FIN_V6_FIN_RCV = "V4 FIN + V6 FIN RCV"
    TRANS = "TRANS"


@dataclass(frozen=True, slots=True)
class BibEntry:
    """A binding of an IPv6 transport address to an IPv4 one. For ICMP the ports are identifiers.

    `sessions` counts the sessions on it; `age` is in seconds.
    """

    proto: Proto
    address6: IPv6Address
    port6: int
    address4: IPv4Address
    port4: int
    static: bool
    sessions: int
    age: float


@dataclass(frozen=True, slots=True)
class Session:
    """A live session; its first four addresses and ports are its BIB entry's. `state` is None for UDP and ICMP.

    `remote6` is `remote4` in the session's pref64; `hairpin` says that the remote side is behind this NAT64 too.
    `seconds_left` is until it expires if no packet comes, `age` since it began.
    """

    proto: Proto
    address6: IPv6Address
    port6: int
    address4: IPv4Address
    port4: int
    remote6: IPv6Address
    remote4: IPv4Address
    remote_port: int
    state: TcpState | None
    hairpin: bool
    seconds_left: float
    age: float
    bytes_6to4: int
    bytes_4to6: int


@dataclass(frozen=True, slots=True)
class Totals:
    """How full the tables are, without walking them. `blocks` are the clients' port blocks."""

    sessions: int
    max_sessions: int
    bib: int
    clients: int = 0
    blocks: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """A way out of a translator (bpf/reasons.h). `kind` is DONE, PASS, SLOW, ANSWERED or DROP."""

    name: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class FastPermit:
    """That a pair may; `…_l3`: the packets of that interface have no link-layer header."""

    pair: FastPair
    ingress_l3: bool = False
    egress_l3: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A packet that `translator` refused, `age` seconds before it was read; `packet` has its first bytes of `length`."""

    translator: Translator
    reason: Reason
    age: float
    interface: str
    mark: int
    length: int
    packet: bytes


@dataclass(frozen=True, slots=True)
class Refusals:
    """Those since the last reading, and how many were not told: too many for the rate or the ring."""

    seen: tuple[Refused, ...]
    lost: int


class DataPlane(Protocol):
    """The loaded translators of one instance. Everything they hold outlives this object; only `remove` ends it.

    Every method raises DataPlaneError, in one plain sentence, where the kernel refuses.
    """

    def pending(self, config: DataPlaneConfig) -> tuple[str, ...]:
        """What `configure` would change, a line each; empty: nothing. Attachments are not part of it."""
        ...

    def configure(self, config: DataPlaneConfig) -> None:
        """Write what the translators are told. Sessions on a removed pool address go on until they end;
        those of a source that is no longer allowed, or of a removed static entry, end at once."""
        ...

    def attach(self, interface: str, program: str) -> None:
        """Put a program at tc ingress of an interface; again: does nothing; another of ours: replaced atomically."""
        ...

    def detach(self, interface: str) -> None:
        """Take our program away from an interface; nothing there, or no such interface: does nothing."""
        ...

    def attached(self) -> tuple[Attachment, ...]:
        """Our programs on the interfaces of this network namespace, by interface name."""
        ...

    def reasons(self) -> tuple[Reason, ...]:
        """Every verdict that the loaded objects know."""
        ...

    def counters(self, translator: Translator | None = None) -> dict[str, int]:
        """Packets by reason name, all reasons included; of both translators together unless one is named."""
        ...

    def sessions(self) -> Iterator[Session]:
        """The live sessions, read lazily: one that changes meanwhile may be seen before or after its change."""
        ...

    def bib(self) -> Iterator[BibEntry]:
        """The BIB entries, static ones included, read lazily."""
        ...

    def totals(self) -> Totals: ...

    def dry_run(self, program: str, packet: bytes, mark: int = 0) -> Look:
        """What that program would do with an IP packet that came with that mark. Nothing is changed."""
        ...

    def refusals(self, rate: int) -> Refusals:
        """Refused packets since the last call, at most about `rate` a second; the first call asks for them to be told.

        They are told on for three seconds after each call, or until `end_refusals`. DataPlaneError where another reads.
        """
        ...

    def end_refusals(self) -> None:
        """Nobody asks any more."""
        ...

    def end_sessions(self, gone: Callable[[BibEntry], bool]) -> int:
        """End the dynamic BIB entries for which `gone` holds, with all their sessions. Returns how many entries."""
        ...

    def permit(self, permits: Sequence[FastPermit], seconds: float) -> None:
        """Let exactly these packets take the fast path, for so long; nothing loaded: does nothing.

        The one method that may be called from any thread, whatever another is doing.
        """
        ...

    def remove(self) -> None:
        """Detach everything of this instance and unlink all its pins: the sessions are lost. Again: does nothing."""
        ...

    def close(self) -> None:
        """Let go of the file descriptors; the translators run on."""
        ...
