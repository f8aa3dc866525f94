# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What a dry run of the NAT64 left in its scratch (`struct work`, bpf/answer.h), and the table entries that it names."""

from __future__ import annotations

import sys
from ctypes import c_uint32
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Network

from v6native.config.model import PortRange
from v6native.dataplane import abi, tables
from v6native.dataplane.btf import Btf
from v6native.dataplane.loader import Generation
from v6native.dataplane.look import ClientUse, Look, NewBinding
from v6native.dataplane.tables import Tables
from v6native.desired.dataplane import Limits

_NONE = 0xFFFFFFFF
_ICMP = (1, 58)


class Would(abi.Struct):
    """answer.h: what a dry run would have entered into the tables; `ports` are first << 16 | last."""

    NAME = "would"
    _fields_ = (
        ("entry", abi.Bib),
        ("ports", c_uint32),
        ("new_session", c_uint32),
        ("new_block", c_uint32),
        ("answers_syn", c_uint32),
    )
    entry: abi.Bib
    ports: int
    new_session: int
    new_block: int
    answers_syn: int


@dataclass(frozen=True, slots=True)
class Work:
    """One `struct work`, read by the object's own description of it; `six`: the packet was IPv6."""

    types: Btf
    raw: bytes
    six: bool

    def part(self, *path: str) -> bytes:
        place = self.types.place("work", *path)
        return self.raw[place.offset : place.offset + place.size]

    def number(self, *path: str) -> int:
        return int.from_bytes(self.part(*path), sys.byteorder)

    def remote(self) -> tuple[bytes, bytes] | None:
        """Remote address and port of the packet's session; None of a later fragment, which has no ports."""
        error = bool(self.number("p", "icmp_error"))
        packet = "q" if error else "p"
        if self.number(packet, "fragment_offset"):
            return None
        # The packet that an ICMP error quotes went the other way.
        address, port = ("dst4", "dport") if self.six != error else ("src4", "sport")
        has_port = self.number(packet, "proto") not in _ICMP
        return self.part(packet, address), self.part(packet, port) if has_port else bytes(2)


def found(look: Look, work: Work, live: Generation) -> Look:
    """`look` with what the program met in the tables."""
    t = Tables.of(live)
    now = tables.clock(t.settings())
    index, would = work.number("bib"), Would.from_buffer_copy(work.part("would"))
    # `now` 0: the packet was turned away before the scratch was set up.
    entry = _entry(t, index) if work.number("now") and index != _NONE else None
    remote = work.remote()
    key = abi.ClientKey.from_buffer_copy(work.part("client"))
    client = _client_of(live, key) if key.len else _client_at(live, entry.client) if entry else None
    return replace(
        look,
        hairpin=bool(work.number("hairpin")),
        client=client,
        group=work.number("group") if key.len else None,
        binding=tables.bib_entry(entry, now) if entry else None,
        session=tables.session_at(t, index, *remote) if entry and remote else None,
        new_binding=_new(live, would) if would.entry.flags else None,
        new_session=bool(would.new_session),
        answers_syn=bool(would.answers_syn),
    )


def _entry(t: Tables, index: int) -> abi.Bib | None:
    if index >= t.bib.max_entries:
        return None
    entry = abi.Bib.from_buffer_copy(t.bib.at(index))
    return entry if tables.in_use(entry) else None


def _new(live: Generation, would: Would) -> NewBinding:
    address, ports = IPv4Address(bytes(would.entry.address4)), PortRange(would.ports >> 16, would.ports & 0xFFFF)
    if would.entry.block:
        block = abi.PortBlock.from_buffer_copy(live.maps["nat64"]["blocks"].at(would.entry.block - 1))
        ports = PortRange(block.first, block.last)
    return NewBinding(address, ports, 1 << Tables.of(live).settings().block_shift if would.new_block else 0)


def _client_of(live: Generation, key: abi.ClientKey) -> ClientUse:
    """One without a slot has nothing yet."""
    index = live.maps["nat64"]["client_index"].get(bytes(key))
    there = _client_at(live, int.from_bytes(index, sys.byteorder) + 1) if index else None
    return there or _use(live, abi.Client(address=bytes(key.address), len=key.len))


def _client_at(live: Generation, number: int) -> ClientUse | None:
    if not number:
        return None
    client = abi.Client.from_buffer_copy(live.maps["nat64"]["clients"].at(number - 1))
    return _use(live, client) if client.flags & abi.CLIENT_IN_USE else None


def _use(live: Generation, client: abi.Client) -> ClientUse:
    settings = Tables.of(live).settings()
    this_second = tables.clock(settings) // 1_000_000_000
    return ClientUse(
        network=IPv6Network((bytes(client.address), client.len)),
        ports=dict(zip(abi.BIB_PROTOS, client.ports, strict=True)),
        sessions=client.sessions,
        opened=client.opened if client.second == this_second else 0,
        blocks=sum(number != 0 for number in client.blocks),
        most_blocks=abi.MAX_CLIENT_BLOCKS if settings.block_shift else 0,
        limits=Limits(settings.client_ports, settings.client_sessions, settings.client_rate),
    )
