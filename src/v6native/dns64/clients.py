# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Who asks: what may be answered to them, and how much in a second."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import ip_address

from v6native.dns64.rules import View
from v6native.dns64.settings import IPNetwork
from v6native.dns64.stats import Cell

_KNOWN_CLIENTS = 16384
# A host has as many addresses in its /64 as it likes.
_HOST_BITS = 64


class Access:
    """What a source prefix may: `view` None is refused. `fresh`: answers of this second by query without id."""

    __slots__ = ("fresh", "view")

    def __init__(self, view: View | None) -> None:
        self.view = view
        self.fresh: dict[bytes, tuple[bytes, Cell]] = {}


class Client:
    """One address. `asked`: how many questions this second; one number for all addresses of a /64, unless the file has a
    longer prefix for this one. `mark`: a bit that stands for the client where clients are counted. `fresh`: the access', at hand."""

    __slots__ = ("access", "address", "asked", "fresh", "mark")

    def __init__(self, address: str, access: Access, asked: Cell, mark: int) -> None:
        self.address = address
        self.access = access
        self.asked = asked
        self.mark = mark
        self.fresh = access.fresh


class Clients:
    """Those that asked lately, by address: `known` is for the hot path, `admit` for who is not in there.

    `most`: questions a second of one client, 0: no limit.
    """

    def __init__(self, mark: Callable[[object], int]) -> None:
        self._mark = mark
        self.known: dict[str, Client] = {}
        self.most = 0
        self._accesses: Sequence[tuple[IPNetwork, Access]] = ()
        self._asked: dict[IPNetwork, Cell] = {}

    def use(self, accesses: Sequence[tuple[IPNetwork, Access]], most: int) -> None:
        """`accesses`: the longest prefix first."""
        self._accesses, self.most = accesses, most
        self._forget()

    def admit(self, address: str) -> Client:
        client = self.known.get(address)
        if client is None:
            if len(self.known) >= _KNOWN_CLIENTS:
                self._forget()
            parsed = ip_address(address.partition("%")[0])
            found = ((network, access) for network, access in self._accesses if parsed in network)
            network, access = next(found, (None, Access(None)))
            longest = 32 if parsed.version == 4 else max(_HOST_BITS, network.prefixlen if network else 0)
            whole = type(network)((parsed, longest), strict=False) if network else None
            asked = [0] if whole is None else self._asked.setdefault(whole, [0])
            client = self.known[address] = Client(address, access, asked, self._mark(whole))
        return client

    def next_second(self) -> None:
        for asked in self._asked.values():
            asked[0] = 0
        for _, access in self._accesses:
            access.fresh.clear()

    def over(self, client: Client) -> bool:
        """One question more: whether that is too many."""
        client.asked[0] += 1
        return client.asked[0] > self.most > 0

    def _forget(self) -> None:
        self.known.clear()
        self._asked.clear()
