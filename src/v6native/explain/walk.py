# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The packet's way through this node: routes, translators and MTUs, asked in the order in which the packet meets them.

docs/packet-flow.md tells the same way. What nftables and other programs' filters do with the packet is not asked.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Protocol

from v6native.dataplane.look import Fate, Look
from v6native.desired.nft import is_forged
from v6native.desired.node import Here
from v6native.desired.state import (
    CLAT,
    CLAT_X,
    LOCAL_TABLE,
    MAIN_TABLE,
    NAT64,
    NAT64_X,
    AnyAddress,
    RouteFound,
    RouteQuestion,
    Way,
)
from v6native.doctor.remedies import REMEDIES
from v6native.explain.explanation import Explanation, Step, Verdict
from v6native.explain.question import Question
from v6native.explain.summary import summary
from v6native.explain.words import nat64_steps, siit_steps
from v6native.packet import IPV4_HEADER, checksum

_PROGRAMS = {NAT64: ("nat64", NAT64_X), CLAT: ("siit", CLAT_X)}
# CLAT, NAT64, a hairpin's second pass and one refragmentation; more is a loop, which the translators' marks end.
_MOST_TURNS = 6
_LOOPBACK = "lo"
# The program at an interface, and the one that steers there: with the fast path in front it steers alike.
_STEERING = {"steer_uplink": "steer_uplink", "fast_steer": "steer_uplink", "steer_lo": "steer_lo"}
_WAYS = {
    Way.BLACKHOLE: "the kernel drops it: a blackhole route, or a source that no host may have",
    Way.UNREACHABLE: "an unreachable route: the kernel answers that nobody is there",
    Way.PROHIBIT: "a route that prohibits it: the kernel answers so",
    Way.NO_ROUTE: "there is no route",
    Way.BAD_SOURCE: "the kernel takes no packet of that source there (rp_filter, or an address of its own)",
    Way.BROADCAST: "a broadcast, which nobody forwards",
    Way.MULTICAST: "multicast, which no translator takes (RFC 7915 §1.1)",
}
_TABLES = {MAIN_TABLE: "main", LOCAL_TABLE: "local"}
_ANSWERING = (Way.UNREACHABLE, Way.PROHIBIT, Way.NO_ROUTE)


class Machine(Protocol):
    """The node, asked; nothing of it is changed."""

    def route(self, question: RouteQuestion) -> RouteFound: ...

    def dry_run(self, program: str, packet: bytes, mark: int = 0) -> Look: ...

    def program_at(self, interface: str) -> str | None:
        """The program of ours at an interface's ingress."""


class _Ended(Exception):
    """The way is over; carries the conclusion without its steps."""

    def __init__(self, conclusion: Explanation) -> None:
        super().__init__(conclusion.text)
        self.conclusion = conclusion


def explain(machine: Machine, here: Here, question: Question) -> Explanation:
    """What becomes of the packet."""
    walk = _Walk(machine, here, question)
    try:
        walk.go()
    except _Ended as ended:
        return replace(ended.conclusion, steps=tuple(walk.steps))
    raise AssertionError("a way that does not end")


class _Walk:
    """Where the packet is: its bytes, its mark, the interface on which it came in last (None: made here)."""

    def __init__(self, machine: Machine, here: Here, question: Question) -> None:
        self.machine, self.here = machine, here
        self.packet, self.mark, self.interface = question.packet, question.mark, question.interface
        self.translated = 0
        self.unknown = False
        self.steps: list[Step] = []

    def go(self) -> None:
        self._arrive()
        translator = self._steered() or self._routed()
        for _turn in range(_MOST_TURNS):
            translator = self._through(translator) or self._routed()
        raise self._end(Verdict.DROPPED, "it comes back again and again; a route or rule leads it round: `ip rule`")

    # Where it comes in

    def _arrive(self) -> None:
        told = summary(self.packet, quoted=True)
        self._step("packet", str(told) if told else f"{len(self.packet)} bytes that are no sound IP packet")
        if self.interface is not None:
            self._step("arrival", f"on {self.interface}, as asked", interface=self.interface)
        else:
            self._find_interface()
        if isinstance(self.source, IPv6Address) and self.interface == self.here.node.uplink:
            assert isinstance(self.destination, IPv6Address)
            if is_forged(self.here, self.source, self.destination):
                text = f"{self.source} lives elsewhere, and cannot have come in on the uplink: table inet v6native drops it"
                self._step("forged", text, ok=False)
                raise self._end(Verdict.DROPPED, "dropped as forged, before any translator")

    def _find_interface(self) -> None:
        back = self.machine.route(RouteQuestion(None, self.source))
        if back.way is Way.LOCAL:
            self._step("arrival", f"made on this node: {self.source} is an address of its own", interface=None)
        elif back.interface in (NAT64, CLAT):
            self._step(
                "arrival", f"the route to {self.source} leads into {back.interface}: no host has that source", ok=True
            )
        elif back.interface is not None:
            self.interface = back.interface
            self._step("arrival", f"on {back.interface}, where the route to its source leads", interface=back.interface)
        else:
            self.unknown = True
            self._step(
                "arrival", f"nobody knows where {self.source} is ({back.way}): say it with --iif", interface=None
            )

    def _steered(self) -> str | None:
        """A shared address: the NAT64's packets are marked at the interface, or redirected, before they are routed."""
        if self.destination not in self.here.shared:
            return None
        local = (
            self.interface is None and self.machine.route(RouteQuestion(self.source, self.destination)).way is Way.LOCAL
        )
        at = _LOOPBACK if local else self.interface
        program = _STEERING.get(self.machine.program_at(at) or "") if at else None
        if program is None:
            return None
        look = self.machine.dry_run(program, self.packet, self.mark)
        ours = look.reason is not None and look.reason.name == "STEERED"
        text = f"{self.destination} is shared: this packet is {'the NAT64’s' if ours else 'the node’s own'}"
        self._step("steering", f"{text}, says {program} on {at}", program=program, steered=ours)
        self.mark = look.mark
        return NAT64 if ours and look.fate is Fate.REDIRECT else None

    # Routes

    def _routed(self) -> str:
        """The translator that the route leads into; ends the way where there is none."""
        # Without an interface the kernel takes only a source of its own.
        source = None if self.unknown and self.interface is None else self.source
        found = self.machine.route(RouteQuestion(source, self.destination, self.interface, self.mark))
        if found.way is Way.LOCAL:
            self._step("route", f"{self.destination} is an address of this node", table=found.table)
            text = "the node itself gets it" + (", translated" if self.translated else "; no translator is on its way")
            raise self._end(Verdict.LOCAL, text, packet=self.packet)
        if found.way is not Way.UNICAST or found.interface is None:
            self._step("route", f"to {self.destination}: {_WAYS.get(found.way, found.way)}", ok=False, way=found.way)
            if found.way in _ANSWERING and not self.translated:
                raise self._end(Verdict.ANSWERED, f"not routed, and its sender is told: {_WAYS[found.way]}")
            raise self._end(Verdict.DROPPED, f"not routed: {_WAYS.get(found.way, found.way)}")
        via = f" via {found.gateway}" if found.gateway else ""
        mark = f" with mark {self.mark:#x}" if self.mark else ""
        table = _TABLES.get(found.table or 0, found.table)
        text = f"to {self.destination}{mark}: {found.interface}{via}, by table {table}"
        self._step(
            "route", text, interface=found.interface, gateway=found.gateway and str(found.gateway), table=found.table
        )
        self._hop()
        self._fit(found)
        if found.interface in _PROGRAMS:
            return found.interface
        if not self.translated:
            text = f"it leaves on {found.interface} as it is: no route leads it into a translator"
            raise self._end(Verdict.UNTRANSLATED, text, packet=self.packet, interface=found.interface)
        raise self._end(
            Verdict.TRANSLATED,
            f"it leaves on {found.interface}, translated",
            packet=self.packet,
            interface=found.interface,
        )

    def _hop(self) -> None:
        """The kernel counts a hop of what it forwards."""
        if self.interface is None:
            return
        six = self.packet[0] >> 4 == 6
        place = 7 if six else 8
        left, name = self.packet[place], "hop limit" if six else "TTL"
        if left <= 1:
            self._step(
                "hop_limit", f"its {name} of {left} ends here: the kernel answers that it was exceeded", ok=False
            )
            raise self._end(Verdict.ANSWERED, f"its {name} is used up, and its sender is told")
        self.packet = _with_byte(self.packet, place, left - 1)

    def _fit(self, found: RouteFound) -> None:
        size, mtu = len(self.packet), found.mtu
        if mtu is None:
            return
        details: dict[str, Any] = {"size": size, "mtu": mtu}
        if size <= mtu:
            self._step("mtu", f"{size} bytes fit into {mtu}", **details)
            return
        six = self.packet[0] >> 4 == 6
        if six or self.packet[6] & 0x40:
            what = "packet too big" if six else "fragmentation needed"
            text = f"{size} bytes do not fit into {mtu}: the kernel answers “{what}, MTU {mtu}”"
            if self.translated:
                told = max(mtu + 20, 1280) if not six else mtu - 20
                text += f", which reaches the sender translated, as an MTU of {told}"
            self._step("mtu", text, ok=False, **details)
            raise self._end(Verdict.ANSWERED, f"too big for an MTU of {mtu}, and its sender is told")
        pieces = -(-(size - IPV4_HEADER) // ((mtu - IPV4_HEADER) // 8 * 8))
        self._step(
            "fragments",
            f"DF is clear: the kernel cuts {size} bytes into {pieces} fragments of at most {mtu}",
            **details,
        )
        if found.interface in _PROGRAMS:
            self.packet = _first_fragment(self.packet, mtu)

    # Translators

    def _through(self, translator: str) -> str | None:
        """None: the packet is in the host's stack again; or the translator that gets it next without a route."""
        program, exit_ = _PROGRAMS[translator]
        given = summary(self.packet, quoted=True)
        look = self.machine.dry_run(program, self.packet, self.mark)
        if given and program == "nat64":
            self.steps += nat64_steps(self.here, given, look)
        reason = look.reason
        if reason is None:
            raise self._end(Verdict.DROPPED, f"{program} drops it, uncounted: it has no settings; `v6native reload`")
        if reason.kind in ("DROP", "ANSWERED"):
            raise self._refused(look)
        made = summary(look.packet, quoted=True)
        if given and program == "siit" and reason.kind == "DONE":
            self.steps += siit_steps(self.here, given, made)
        if reason.kind == "SLOW":
            self._step("slow_path", reason.text, reason=reason.name)
            raise self._end(Verdict.SLOW, f"{reason.text}; what comes of it is not asked further")
        self.packet, self.mark, self.interface = look.packet, look.mark, exit_
        if reason.name == "HAIRPINNED":
            self._step("hairpin", f"{made}; it enters {translator} once more", reason=reason.name)
            self.translated += 1
            return translator
        self._step(
            "translation" if reason.kind == "DONE" else "fragments",
            f"{program}: {reason.text}: {made}",
            reason=reason.name,
        )
        self.translated += reason.kind == "DONE"
        if reason.name.startswith("PASS"):
            raise self._end(Verdict.DROPPED, f"{program} leaves it alone: {reason.text}")
        return None

    def _refused(self, look: Look) -> _Ended:
        reason = look.reason
        assert reason is not None
        remedy = REMEDIES.get(reason.name)
        self._step("refusal", f"{reason.text} ({reason.name})", ok=False, reason=reason.name, remedy=remedy)
        if look.answered and look.fate is Fate.STACK:
            told = summary(look.packet)
            self._step("answer", f"its sender gets: {told}", packet=look.packet.hex())
            return self._end(Verdict.ANSWERED, f"refused: {reason.text}", look, look.packet)
        return self._end(Verdict.DROPPED, f"refused in silence: {reason.text}", look)

    # Steps and ends

    @property
    def source(self) -> AnyAddress:
        return IPv6Address(self.packet[8:24]) if self.packet[0] >> 4 == 6 else IPv4Address(self.packet[12:16])

    @property
    def destination(self) -> AnyAddress:
        return IPv6Address(self.packet[24:40]) if self.packet[0] >> 4 == 6 else IPv4Address(self.packet[16:20])

    def _step(self, key: str, text: str, *, ok: bool = True, **details: Any) -> None:
        self.steps.append(Step(key, ok, text, details))

    def _end(
        self,
        verdict: Verdict,
        text: str,
        look: Look | None = None,
        packet: bytes | None = None,
        interface: str | None = None,
    ) -> _Ended:
        reason = look.reason.name if look and look.reason else None
        told = summary(packet, quoted=True) if packet else None
        return _Ended(
            Explanation(
                verdict=verdict,
                text=text,
                steps=(),
                reason=reason,
                remedy=REMEDIES.get(reason) if reason else None,
                interface=interface,
                summary=str(told) if told else None,
                packet=packet.hex() if packet else None,
            )
        )


def _with_byte(packet: bytes, place: int, value: int) -> bytes:
    """With another byte in its IP header, whose checksum stays as right as it was."""
    changed = bytearray(packet)
    changed[place] = value
    if packet[0] >> 4 == 4:
        head = (packet[0] & 15) * 4
        if checksum(packet[:head]) == 0:
            changed[10:12] = b"\0\0"
            changed[10:12] = checksum(bytes(changed[:head])).to_bytes(2, "big")
    return bytes(changed)


def _first_fragment(packet: bytes, mtu: int) -> bytes:
    """The first piece, as the kernel cuts it."""
    head = (packet[0] & 15) * 4
    room = (mtu - head) // 8 * 8
    cut = bytearray(packet[: head + room])
    cut[2:4] = len(cut).to_bytes(2, "big")
    cut[6] |= 0x20
    cut[10:12] = b"\0\0"
    cut[10:12] = checksum(bytes(cut[:head])).to_bytes(2, "big")
    return bytes(cut)
