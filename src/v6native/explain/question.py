# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What is asked: a packet in words, or its bytes, and where it comes in. The CLI and the API speak the same words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from v6native.address import embed
from v6native.config.model import Proto
from v6native.desired.state import AnyAddress
from v6native.errors import V6nativeError
from v6native.packet import (
    ACK,
    FIN,
    ICMP,
    ICMPV6,
    IPV4_HEADER,
    IPV6_HEADER,
    PSH,
    RST,
    SYN,
    TCP,
    TCP_HEADER,
    UDP,
    UDP_HEADER,
    URG,
    IcmpHeader,
    IPv4Packet,
    IPv6Packet,
    TcpHeader,
    UdpHeader,
    checksum,
    pseudo_header,
)

WORDS = ("from", "to", "proto", "sport", "dport", "size", "flags", "icmp", "mark", "iif", "packet")
ICMP_KINDS = ("echo", "reply")
SOURCE_PORT = 50000
"""Of a client's packet, where nobody says another one; for ICMP the identifier."""

HOP_LIMIT = 64
_FLAGS = {"F": FIN, "S": SYN, "R": RST, "P": PSH, "A": ACK, "U": URG}
_ECHO = {(6, "echo"): 128, (6, "reply"): 129, (4, "echo"): 8, (4, "reply"): 0}
# As far as an IP header can count.
_MOST_BYTES = 65535
_ICMP_HEADER = 8


class BadPacket(V6nativeError):
    """A question that cannot be answered as it stands; the message says which word is wrong, and what it may be."""


@dataclass(frozen=True, slots=True)
class Question:
    """An IP packet, whole, as it reaches the node. `interface` None: where the route to its source leads."""

    packet: bytes
    interface: str | None = None
    mark: int = 0


def parse(words: Mapping[str, Any], pref64: Iterable[IPv6Network]) -> Question:
    """`words` are those of WORDS, as text or numbers; BadPacket where they make no packet."""
    if unknown := sorted(set(words) - set(WORDS)):
        raise BadPacket(f"there is no {unknown[0]}: a question has {', '.join(WORDS)}")
    mark, interface = _number(words, "mark", 0, 0xFFFFFFFF), words.get("iif")
    if words.get("packet") is not None:
        if given := [word for word in WORDS[:8] if words.get(word) is not None]:
            raise BadPacket(f"a captured packet says {given[0]} itself: leave that out")
        return Question(_captured(words["packet"]), _name(interface), mark)
    return Question(_made(words, tuple(pref64)), _name(interface), mark)


def _made(words: Mapping[str, Any], pref64: tuple[IPv6Network, ...]) -> bytes:
    for word in ("from", "to"):
        if words.get(word) is None:
            raise BadPacket(f"{word} is missing: the packet's {'source' if word == 'from' else 'destination'}")
    source, destination = _address(words, "from", pref64), _address(words, "to", pref64)
    if source.version == 6 and isinstance(destination, IPv4Address):
        if not pref64:
            raise BadPacket(f"to {destination}: there is no pref64 in which a host with IPv6 could reach it")
        destination = embed(pref64[0], destination)
    if source.version != destination.version:
        raise BadPacket(f"from {source} to {destination}: no packet has an IPv4 source and an IPv6 destination")
    message, protocol = _message(words, source, destination)
    return _packet(source, destination, protocol, message)


def _packet(source: AnyAddress, destination: AnyAddress, protocol: int, message: bytes) -> bytes:
    if isinstance(source, IPv6Address) and isinstance(destination, IPv6Address):
        return IPv6Packet(source, destination, protocol, message, hop_limit=HOP_LIMIT).to_bytes()
    assert isinstance(source, IPv4Address) and isinstance(destination, IPv4Address)
    return IPv4Packet(source, destination, protocol, message, ttl=HOP_LIMIT, dont_fragment=True).to_bytes()


def _message(words: Mapping[str, Any], source: AnyAddress, destination: AnyAddress) -> tuple[bytes, int]:
    """The transport's part with its checksum, and its number."""
    icmp = words.get("icmp")
    proto = _one_of(words, "proto", tuple(Proto), Proto.ICMP if icmp is not None else Proto.TCP)
    if icmp is not None and proto != Proto.ICMP:
        raise BadPacket(f"icmp {icmp}: that is not of proto {proto}")
    if words.get("flags") is not None and proto != Proto.TCP:
        raise BadPacket(f"flags {words['flags']}: only TCP has flags")
    sport = _number(words, "sport", SOURCE_PORT, 65535)
    header = IPV6_HEADER if source.version == 6 else IPV4_HEADER
    if proto == Proto.ICMP:
        if words.get("dport") is not None:
            raise BadPacket("dport: ICMP has no ports; its identifier is sport")
        kind = _ECHO[source.version, _one_of(words, "icmp", ICMP_KINDS, "echo")]
        data = _filler(words, header + _ICMP_HEADER)
        number = ICMPV6 if source.version == 6 else ICMP
        plain = IcmpHeader(kind, 0, 0, sport << 16 | 1).to_bytes() + data
        return _summed(plain, 2, source, destination, number), number
    if words.get("dport") is None:
        raise BadPacket(f"dport is missing: the port that the {proto} packet goes to")
    dport = _number(words, "dport", 0, 65535)
    if proto == Proto.UDP:
        data = _filler(words, header + UDP_HEADER)
        plain = UdpHeader(sport, dport, UDP_HEADER + len(data)).to_bytes() + data
        return _summed(plain, 6, source, destination, UDP), UDP
    data = _filler(words, header + TCP_HEADER)
    plain = TcpHeader(sport, dport, sequence=1, flags=_flags(words), window=65535).to_bytes() + data
    return _summed(plain, 16, source, destination, TCP), TCP


def _summed(message: bytes, place: int, source: AnyAddress, destination: AnyAddress, protocol: int) -> bytes:
    pseudo = b"" if protocol == ICMP else pseudo_header(source, destination, protocol, len(message))
    value = checksum(pseudo + message) or (0xFFFF if protocol == UDP else 0)
    return message[:place] + value.to_bytes(2, "big") + message[place + 2 :]


def _filler(words: Mapping[str, Any], headers: int) -> bytes:
    size = _number(words, "size", headers, _MOST_BYTES)
    if size < headers:
        raise BadPacket(f"size {size}: the headers alone have {headers} bytes")
    return bytes(size - headers)


def _flags(words: Mapping[str, Any]) -> int:
    text = str(words.get("flags") or "S").upper()
    if not set(text) <= set(_FLAGS):
        raise BadPacket(f"flags {text}: letters of {''.join(_FLAGS)}, as S or SA")
    return sum({_FLAGS[letter] for letter in text})


def _address(words: Mapping[str, Any], word: str, pref64: tuple[IPv6Network, ...]) -> AnyAddress:
    """An address. Behind a pref64 shorter than /96 an IPv4 address stands in the place that RFC 6052 §2.2 gives it."""
    text = str(words[word])
    try:
        address = ip_address(text)
    except ValueError as why:
        raise BadPacket(f"{word} {text}: this is no IPv4 or IPv6 address") from why
    if isinstance(address, IPv6Address) and "." in text:
        v4 = IPv4Address(int(address) & 0xFFFFFFFF)
        head = IPv6Address(int(address) - int(v4))
        return next((embed(p, v4) for p in pref64 if p.network_address == head), address)
    return address


def _captured(text: Any) -> bytes:
    try:
        packet = bytes.fromhex(str(text))
    except ValueError as why:
        raise BadPacket("packet: the bytes of an IP packet, as hexadecimal digits") from why
    if (
        not packet
        or packet[0] >> 4 not in (4, 6)
        or len(packet) < (IPV6_HEADER if packet[0] >> 4 == 6 else IPV4_HEADER)
    ):
        raise BadPacket("packet: this is no IP packet with a whole header")
    return packet


def _number(words: Mapping[str, Any], word: str, default: int, most: int) -> int:
    """Decimal, or hexadecimal with 0x."""
    value = words.get(word)
    if value is None:
        return default
    try:
        number = value if isinstance(value, int) else int(str(value), 0)
    except ValueError as why:
        raise BadPacket(f"{word} {value}: this is no number") from why
    if isinstance(value, bool) or not 0 <= number <= most:
        raise BadPacket(f"{word} {value}: a number from 0 to {most}")
    return number


def _one_of(words: Mapping[str, Any], word: str, known: tuple[str, ...], default: str) -> str:
    value = str(words.get(word) or default).lower()
    if value not in known:
        raise BadPacket(f"{word} {value}: one of {', '.join(known)}")
    return value


def _name(value: Any) -> str | None:
    return None if value is None else str(value)
