# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Stateful NAT64 (RFC 6146), one packet at a time: rfc7915/ translates, stateful.py maps, hairpinning (§3.8) is here."""

from __future__ import annotations

from ipaddress import IPv4Address

from v6native.packet import ICMP, ICMP_HEADER, parse_ipv4
from v6native.translate import rfc7915
from v6native.translate.bib import Tables
from v6native.translate.clients import Clients
from v6native.translate.flow import Flow4, Flow6
from v6native.translate.fragments import FragmentMemory
from v6native.translate.pool4 import Pick
from v6native.translate.reasons import Reason
from v6native.translate.rfc7915.tables import is_error4
from v6native.translate.rfc7915.transport import flow4
from v6native.translate.rules import Rules
from v6native.translate.stateful import StatefulMapper
from v6native.translate.verdict import Answered, Arrival, Dropped, Passed, Result, Settings, Translated


class Nat64:
    """`tables` and `clients` may be read at any time. Times are seconds of one clock that does not go back."""

    def __init__(self, rules: Rules, settings: Settings, pick: Pick) -> None:
        self.tables = Tables(rules.static)
        self.clients = Clients(rules.port_block)
        self._rules = rules
        self._settings = settings
        self._pick = pick
        self._fragments6: FragmentMemory[Flow4] = FragmentMemory()
        self._fragments4: FragmentMemory[Flow6] = FragmentMemory()

    def translate(self, packet: bytes, now: float, arrival: Arrival = Arrival.FRESH, mark: int = 0) -> Result:
        """One packet of either family; any bytes are allowed, nothing is raised. `mark`: the operator's, of the packet."""
        self.expire(now)
        mapper = StatefulMapper(
            self._rules,
            self._settings,
            self.tables,
            self.clients,
            self._pick,
            self._fragments6,
            self._fragments4,
            now,
            mark,
        )
        match packet[0] >> 4 if packet else 0:
            case 4:
                return rfc7915.translate_4to6(packet, mapper, self._settings, arrival)
            case 6:
                result = rfc7915.translate_6to4(packet, mapper, self._settings, arrival)
                if isinstance(result, Translated) and self._is_for_us(result.packet):
                    return self._hairpin(result, mapper)
                return result
        return Passed(packet, Reason.PASS_NOT_IP)

    def expire(self, now: float) -> None:
        """Collects what is over at that time."""
        for binding in self.tables.expire(now, self._rules.timeouts):
            block = self.clients.holding(binding.address4, binding.port4)
            if block is not None and block.client == binding.client:
                self.clients.touch(block, now)
        used = {self.clients.holding(b.address4, b.port4) for b in self.tables.bindings if not b.static}
        self.clients.expire({block for block in used if block}, now)

    def _is_for_us(self, packet: bytes) -> bool:
        """Whether a translated packet comes back in. On an address that the node shares, most of it is for the node."""
        address = IPv4Address(packet[16:20])
        if address not in self._rules.addresses4():
            return False
        if not self._rules.shares(address):
            return True
        outgoing = parse_ipv4(packet)
        if outgoing.protocol != ICMP:
            port, protocol = flow4(outgoing).destination_port, outgoing.protocol
        elif is_error4(outgoing.payload[0]):
            quoted = parse_ipv4(outgoing.payload[ICMP_HEADER:], quoted=True)
            port, protocol = flow4(quoted, quoted=True).source_port, quoted.protocol
        else:
            return False
        return (
            self._rules.reserves(address, protocol, port) or self.tables.binding4(protocol, address, port) is not None
        )

    def _hairpin(self, outward: Translated, mapper: StatefulMapper) -> Result:
        """RFC 6146 §3.8: the output is treated as if it had come in on the IPv4 side."""
        inward = rfc7915.translate_4to6(outward.packet, mapper, self._settings, Arrival.HAIRPIN)
        match inward:
            case Translated(packet):
                return Translated(packet, Reason.HAIRPINNED)
            case Answered(packet, reason):
                # The answer is for an address of ours: it goes back the way that any ICMP error does.
                back = rfc7915.translate_4to6(packet, mapper, self._settings, Arrival.HAIRPIN)
                return Answered(back.packet, reason) if isinstance(back, Translated) else Dropped(reason)
        return inward
