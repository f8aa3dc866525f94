# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Stateless translation: explicit address mappings (RFC 7757), else the pref64 (RFC 6052); ICMPv6 from anywhere (RFC 6791)."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from v6native.address import embed, extract
from v6native.packet import IGMP
from v6native.translate import rfc7915
from v6native.translate.destinations import ALL, Destinations
from v6native.translate.flow import Error4, Error6, Flow4, Flow6
from v6native.translate.fragments import FragmentMemory
from v6native.translate.reasons import Reason
from v6native.translate.rfc7915.tables import UNREACHABLE4, UNREACHABLE6
from v6native.translate.verdict import Answer, Arrival, Passed, Refused, Result, Settings, Translated

PROHIBITED4 = Answer(UNREACHABLE4, 13)
PROHIBITED6 = Answer(UNREACHABLE6, 1)


@dataclass(frozen=True, slots=True)
class Eam:
    """One explicit mapping; the IPv4 suffix is at most as long as the IPv6 one (RFC 7757 §3.2)."""

    ipv4: IPv4Network
    ipv6: IPv6Network

    def __post_init__(self) -> None:
        if self._padding < 0:
            raise ValueError(
                f"{self.ipv4} has more addresses than {self.ipv6}, no EAM can be made of them (RFC 7757 §3.2)"
            )

    def to_v6(self, address: IPv4Address) -> IPv6Address:
        """RFC 7757 §3.3.1: the suffix moves, zeros pad it."""
        suffix = int(address) - int(self.ipv4.network_address)
        return self.ipv6.network_address + (suffix << self._padding)

    def to_v4(self, address: IPv6Address) -> IPv4Address:
        """RFC 7757 §3.3.2: the suffix moves, trailing bits are discarded."""
        suffix = int(address) - int(self.ipv6.network_address)
        return self.ipv4.network_address + (suffix >> self._padding)

    @property
    def _padding(self) -> int:
        return (128 - self.ipv6.prefixlen) - (32 - self.ipv4.prefixlen)


@dataclass(frozen=True, slots=True)
class AddressMap:
    """The EAM table over the pref64."""

    eam: tuple[Eam, ...]
    pref64: IPv6Network

    def explicit6(self, address: IPv4Address) -> IPv6Address | None:
        rows = [row for row in self.eam if address in row.ipv4]
        return max(rows, key=lambda row: row.ipv4.prefixlen).to_v6(address) if rows else None

    def explicit4(self, address: IPv6Address) -> IPv4Address | None:
        rows = [row for row in self.eam if address in row.ipv6]
        return max(rows, key=lambda row: row.ipv6.prefixlen).to_v4(address) if rows else None

    def to_v6(self, address: IPv4Address) -> IPv6Address:
        explicit = self.explicit6(address)
        return embed(self.pref64, address) if explicit is None else explicit

    def to_v4(self, address: IPv6Address) -> IPv4Address | None:
        explicit = self.explicit4(address)
        return extract(self.pref64, address) if explicit is None else explicit


class Siit:
    """The stateless translator; all it remembers is which fragments the slow path is collecting."""

    def __init__(self, addresses: AddressMap, settings: Settings, destinations: Destinations = ALL) -> None:
        self._map = addresses
        self._destinations = destinations
        self._settings = settings
        self._fragments: FragmentMemory[Flow6] = FragmentMemory()

    def translate(self, packet: bytes, now: float = 0.0, arrival: Arrival = Arrival.FRESH) -> Result:
        """One packet of either family; `now` in seconds of any clock that does not go back."""
        mapper = _SiitMapper(self._map, self._settings, self._destinations, self._fragments, now)
        match packet[0] >> 4 if packet else 0:
            case 4:
                return rfc7915.translate_4to6(packet, mapper, self._settings, arrival)
            case 6:
                result = rfc7915.translate_6to4(packet, mapper, self._settings, arrival)
                return self._hairpin(result, now) if isinstance(result, Translated) and mapper.hairpins else result
        return Passed(packet, Reason.PASS_NOT_IP)

    def _hairpin(self, outward: Translated, now: float) -> Result:
        """Back into IPv6 at once (RFC 7757 §4.2.2)."""
        mapper = _SiitMapper(self._map, self._settings, self._destinations, self._fragments, now, again=True)
        inward = rfc7915.translate_4to6(outward.packet, mapper, self._settings, Arrival.HAIRPIN_STATELESS)
        return Translated(inward.packet, Reason.HAIRPINNED) if isinstance(inward, Translated) else inward


@dataclass(slots=True)
class _SiitMapper:
    """One packet's. `hairpins`: what came from the pref64 turned out to be one of ours; `again`: so it is the second pass."""

    addresses: AddressMap
    settings: Settings
    destinations: Destinations
    fragments: FragmentMemory[Flow6]
    now: float
    again: bool = False
    hairpins: bool = False

    def admit_6to4(self, source: IPv6Address, destination: IPv6Address, *, error: bool) -> None:
        """At least one end is behind this translator: a pair of pref64 addresses is somebody else's, or a loop."""
        if error:
            return
        self._known(source)
        self._known(destination)
        if not self._has_eam6(source, destination):
            raise Refused(Reason.SOURCE_NOT_ALLOWED, PROHIBITED6)

    def check_6to4(self, flow: Flow6) -> None:
        """What those with a mapping reach is what the NAT64 would let them reach."""
        self._open(self._known(flow.destination))

    def check_4to6(self, flow: Flow4) -> None:
        if not self._has_eam4(flow.source, flow.destination):
            raise Refused(Reason.SOURCE_NOT_ALLOWED, PROHIBITED4)
        if flow.protocol == IGMP:
            raise Refused(Reason.UNKNOWN_ICMP)  # of one hop (RFC 7915 §4.2)
        if flow.part and flow.part.offset:
            self.fragments.recall(flow, self.now)

    def slow_6to4(self, flow: Flow6, reason: Reason) -> None:
        """Every fragment of ICMPv6 goes there by itself."""

    def slow_4to6(self, flow: Flow4, reason: Reason) -> None:
        if flow.part and not flow.part.offset:
            self.fragments.remember(flow, reason, self.now)

    def flow_6to4(self, flow: Flow6) -> Flow4:
        self.check_6to4(flow)
        self.hairpins = self._turns(flow.destination)
        return self._flow4(flow)

    def _flow4(self, flow: Flow6) -> Flow4:
        source, destination = self._known(flow.source), self._known(flow.destination)
        return Flow4(
            flow.protocol, source, flow.source_port, destination, flow.destination_port, flow.tcp_flags, flow.part
        )

    def flow_4to6(self, flow: Flow4) -> Flow6:
        source = self._plain(flow.source) if self.again else self.addresses.to_v6(flow.source)
        destination = self.addresses.to_v6(flow.destination)
        return Flow6(
            flow.protocol, source, flow.source_port, destination, flow.destination_port, flow.tcp_flags, flow.part
        )

    def error_6to4(self, error: Error6) -> Error4:
        """A router's address that maps to nothing becomes one that we lend it (RFC 6791 §3)."""
        quoted = self._flow4(error.quoted)
        if not self._has_eam6(error.quoted.source, error.quoted.destination):
            raise Refused(Reason.NO_MAPPING, PROHIBITED6)
        source, destination = self.addresses.to_v4(error.source), self.addresses.to_v4(error.destination)
        if source is None or destination is None:
            if error.destination != error.quoted.source:
                raise Refused(Reason.NO_MAPPING, PROHIBITED6)
            source, destination = self.settings.lent4(error.source, self.settings.icmp4_source), quoted.source
        elif not self._has_eam6(error.source, error.destination):
            raise Refused(Reason.SOURCE_NOT_ALLOWED)
        self._open(destination)
        self.hairpins = self._turns(error.quoted.source)
        return Error4(source, destination, quoted)

    def error_4to6(self, error: Error4) -> Error6:
        """Any router on the way may speak to one of ours, about a packet of one of ours."""
        if not self._has_eam4(error.source, error.destination):
            raise Refused(Reason.SOURCE_NOT_ALLOWED)
        if not self._has_eam4(error.quoted.source, error.quoted.destination):
            raise Refused(Reason.NO_MAPPING, PROHIBITED6)
        if self.again:
            return self._error_again(error)
        source, destination = self.addresses.to_v6(error.source), self.addresses.to_v6(error.destination)
        return Error6(source, destination, self.flow_4to6(error.quoted))

    def _error_again(self, error: Error4) -> Error6:
        """RFC 7757 §4.2.1: the quoted destination, and the source where it is the same, are as if they had no mapping."""
        quoted = error.quoted
        reporter = self._plain if error.source == quoted.destination else self.addresses.to_v6
        inner = Flow6(
            quoted.protocol,
            self.addresses.to_v6(quoted.source),
            quoted.source_port,
            self._plain(quoted.destination),
            quoted.destination_port,
            part=quoted.part,
        )
        return Error6(reporter(error.source), self.addresses.to_v6(error.destination), inner)

    def _open(self, destination: IPv4Address) -> None:
        if self.addresses.explicit6(destination) is None and self.destinations.refuses(destination):
            raise Refused(Reason.DESTINATION_REFUSED, PROHIBITED6)

    def _plain(self, address: IPv4Address) -> IPv6Address:
        return embed(self.addresses.pref64, address)

    def _turns(self, address: IPv6Address) -> bool:
        """Whether an address that was translated by the pref64 is that of an explicit mapping (RFC 7757 §4.2.2)."""
        inside = extract(self.addresses.pref64, address)
        return (
            self.addresses.explicit4(address) is None
            and inside is not None
            and self.addresses.explicit6(inside) is not None
        )

    def _has_eam6(self, *addresses: IPv6Address) -> bool:
        return any(self.addresses.explicit4(address) is not None for address in addresses)

    def _has_eam4(self, *addresses: IPv4Address) -> bool:
        return any(self.addresses.explicit6(address) is not None for address in addresses)

    def _known(self, address: IPv6Address) -> IPv4Address:
        mapped = self.addresses.to_v4(address)
        if mapped is None:
            raise Refused(Reason.NO_MAPPING, PROHIBITED6)
        return mapped
