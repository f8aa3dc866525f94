# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""One packet through the live BPF program and through the reference translator: the same verdict, the same bytes.

Left out of the comparison is what RFCs leave free: the identification of IPv4 packets that may be fragmented (also
in quotes), and a checksum's two ways to write zero. All checksums are verified before they are made alike.
"""

from __future__ import annotations

from tests.packets.harness import NODE4, NODE6, Action, Outcome
from v6native.config.model import TranslationOptions, Udp0
from v6native.dataplane.abi import MARK_MASK
from v6native.packet import checksum
from v6native.translate.reasons import Kind, Reason
from v6native.translate.verdict import Answered, Arrival, Dropped, Passed, Result, Settings, Slow, Translated

MARKS = {
    Arrival.FRESH: 0,
    Arrival.REFRAGMENTED: 0x80000000,
    Arrival.REASSEMBLED: 0x08000000,
    Arrival.HAIRPIN: 0x18000000,
}
UNREAD = (Reason.NO_MAPPING, Reason.SOURCE_NOT_ALLOWED)
ICMP4_ERRORS = (3, 4, 5, 11, 12)


def reference_settings(options: TranslationOptions) -> Settings:
    """The bench's addresses, and the options, as the reference is told them."""
    return Settings(
        NODE6,
        NODE4,
        tos=options.tos,
        traffic_class=options.traffic_class,
        icmp_pool4=options.icmp_pool4,
        drop_udp0=options.udp_without_checksum is Udp0.DROP,
    )


def verdict(out: Outcome, action: Action, packet: bytes) -> Result:
    """What the program did, in the words of the reference translator; `reason` fails unless one verdict was counted."""
    reason = Reason[out.reason]
    match reason.kind, action:
        case Kind.DONE, Action.OK:
            return Translated(packet, reason)
        case Kind.PASS, Action.OK:
            return Passed(packet, reason)
        case Kind.ANSWERED, (Action.OK | Action.REDIRECT):
            # Redirected: to a host behind the translator, which is reached through it.
            assert (action is Action.REDIRECT) == (out.mark & MARK_MASK == MARKS[Arrival.HAIRPIN]), hex(out.mark)
            return Answered(packet, reason)
        case Kind.SLOW, Action.REDIRECT:
            return Slow(packet, reason)
        case ((Kind.ANSWERED | Kind.DROP), Action.SHOT):
            return Dropped(reason)
    raise AssertionError(f"{action.name} does not go with {reason.name}")


def assert_same(given: bytes, live: Result, reference: Result) -> None:
    told = f"given {given.hex()}\nlive {_told(live)}\nreference {_told(reference)}"
    assert type(live) is type(reference), told
    if live.reason is Reason.EXTENSION_HEADERS and reference.reason in (Reason.TRUNCATED, Reason.QUOTE_TOO_SHORT):
        return  # the program stops reading after six extension headers, and does not see that the seventh is cut
    if live.reason in UNREAD and reference.reason is Reason.TRUNCATED and extension_headers(given) >= 6:
        return  # so it judges the addresses first, and drops it for them
    if reference.reason is Reason.EXTENSION_HEADERS and live.reason in (Reason.NO_MAPPING, Reason.SOURCE_NOT_ALLOWED):
        return  # nor that an ICMPv6 error, which needs no mapping of its source, stands behind the seventh
    assert live.reason is reference.reason, told
    if isinstance(live, Dropped) or isinstance(reference, Dropped):
        return
    if isinstance(live, Passed):
        assert live.packet == reference.packet, told
        return
    if live.reason.kind is Kind.SLOW and live.reason is not Reason.SLOW_TOO_BIG:
        assert live.packet == reference.packet, told
        return
    assert canonical(live.packet, quoted=False) == canonical(reference.packet, quoted=False), told
    if isinstance(live, Translated):
        assert is_intact(live.packet) == is_intact(given), f"a checksum became right or wrong\n{told}"


def extension_headers(packet: bytes) -> int:
    """How many stand whole at the beginning of an IPv6 packet."""
    kind, at, count = packet[6], 40, 0
    while kind in (0, 43, 44, 60) and len(packet) >= at + 8:
        size = 8 if kind == 44 else (packet[at + 1] + 1) * 8
        kind, at = packet[at], at + size
        count += at <= len(packet)
    return count


def _told(result: Result) -> str:
    packet = "" if isinstance(result, Dropped) else result.packet.hex()
    return f"{type(result).__name__} {result.reason.name} {packet}"


def canonical(packet: bytes, *, quoted: bool) -> bytes:
    """The packet without what is free. What may be cut (a quote) need not be whole."""
    data = bytearray(packet)
    six = data[0] >> 4 == 6
    at = 40 if six else (data[0] & 15) * 4
    if len(data) < at:
        return bytes(data)
    protocol, first = data[6] if six else data[9], True
    if six:
        if protocol == 44 and len(data) >= 48:
            protocol, first, at = data[40], data[42] == 0 and data[43] & 0xF8 == 0, 48
    else:
        place = int.from_bytes(data[6:8], "big")
        first = place & 0x1FFF == 0
        if not quoted:
            assert checksum(bytes(data[:at])) == 0, f"IPv4 header checksum of {packet.hex()}"
        if place & 0x4000 == 0 and place & 0x3FFF == 0:
            data[4:6] = b"\0\0"
            data[10:12] = b"\0\0"
    if first:
        data[at:] = _canonical_transport(bytes(data), at, protocol, quoted=quoted)
    return bytes(data)


def _canonical_transport(packet: bytes, at: int, protocol: int, *, quoted: bool) -> bytes:
    data = bytearray(packet[at:])
    if protocol == 6 and data[16:18] == b"\xff\xff":
        data[16:18] = b"\0\0"
    if protocol not in (1, 58) or len(data) < 4:
        return bytes(data)
    if not quoted and len(data) >= 8 and (data[0] < 128 if protocol == 58 else data[0] in ICMP4_ERRORS):
        assert is_intact(packet), f"checksum of an ICMP error: {packet.hex()}"
        data[2:4] = b"\0\0"
        return bytes(data[:8]) + (canonical(bytes(data[8:]), quoted=True) if len(data) > 8 else b"")
    if data[2:4] == b"\xff\xff":
        data[2:4] = b"\0\0"
    return bytes(data)


def is_intact(packet: bytes) -> bool:
    """Whether the transport's checksum is right, where the packet is whole and has one."""
    six = packet[0] >> 4 == 6
    at = 40 if six else (packet[0] & 15) * 4
    protocol = packet[6] if six else packet[9]
    if six:
        while protocol in (0, 43, 44, 60):
            if protocol == 44 and int.from_bytes(packet[at + 2 : at + 4], "big") & 0xFFF9:
                return True
            size = 8 if protocol == 44 else (packet[at + 1] + 1) * 8
            protocol, at = packet[at], at + size
    elif int.from_bytes(packet[6:8], "big") & 0x3FFF:
        return True
    message = packet[at:]
    if protocol not in (1, 6, 17, 58):
        return True
    if protocol == 17:
        if not six and message[6:8] == b"\0\0":
            return True
        length = int.from_bytes(message[4:6], "big")
        message = message[:length] if length >= 8 else message
    if protocol == 1:
        return checksum(message) == 0
    addresses = packet[8:40] if six else packet[12:20]
    return checksum(addresses + len(message).to_bytes(4, "big") + bytes([0, 0, 0, protocol]) + message) == 0
