# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Clients: in their tunnel, and none twice."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from v6native.config.model import Client, Tunnel
from v6native.config.positions import KeyPath
from v6native.config.problem import ConfigProblem
from v6native.config.rules.draft import Draft


def check(draft: Draft) -> Iterator[ConfigProblem]:
    tunnels = {tunnel.name: tunnel for tunnel in draft.config.tunnels}
    for client in draft.config.clients:
        yield from draft.reference("tunnel", client.tunnel, ("client", client.name, "tunnel"))
        if tunnel := tunnels.get(client.tunnel):
            yield from _address6(draft, client, tunnel)
            yield from _address4(draft, client, tunnel)
    yield from _duplicates(draft)


def _address6(draft: Draft, client: Client, tunnel: Tunnel) -> Iterator[ConfigProblem]:
    path: KeyPath = ("client", client.name, "address6")
    address, first = client.address6, tunnel.prefix.network_address
    clat = draft.config.clat.prefix
    if address not in tunnel.prefix:
        what = f"{address} is not in {tunnel.prefix}, the prefix of the tunnel {tunnel.name}"
        yield draft.error("outside", path, what, f'write an address of it, like "{first + 2}"')
    elif address == first:
        what = f"{address} is the subnet-router anycast address of the tunnel {tunnel.name} (RFC 4291 §2.6.1)"
        yield draft.error("taken", path, what, f'write another one, like "{first + 2}"')
    elif address == first + 1:
        what = f"{address} is the node's own address in the tunnel {tunnel.name}"
        yield draft.error("taken", path, what, f'write another one, like "{first + 2}"')
    elif clat is not None and address in clat:
        what = f"{address} is inside the CLAT's prefix {clat}, which no device has"
        yield draft.error("taken", path, what, f'write an address outside of it, like "{first + 2}"')


def _address4(draft: Draft, client: Client, tunnel: Tunnel) -> Iterator[ConfigProblem]:
    path: KeyPath = ("client", client.name, "address4")
    address, clat4 = client.address4, tunnel.clat4
    if address is None:
        return
    if clat4 is None:
        if "clat4" in (draft.source.raw_table("tunnel", tunnel.name)):
            return  # it is wrong, and was reported
        what = f"the tunnel {tunnel.name} has no clat4, so its clients have no IPv4 address"
        yield draft.error(
            "outside", path, what, f'remove it, or write clat4 = "100.64.0.0/16" in [tunnel.{tunnel.name}]'
        )
        return
    first = clat4.network_address
    if address not in clat4:
        what = f"{address} is not in {clat4}, the clat4 of the tunnel {tunnel.name}"
        yield draft.error("outside", path, what, f'write an address of it, like "{first + 2}"')
    elif address in (first, first + 1, clat4.broadcast_address):
        whose = "the node's own address" if address == first + 1 else "not a host's address"
        what = f"{address} is {whose} in the tunnel {tunnel.name}"
        yield draft.error("taken", path, what, f'write another one, like "{first + 2}"')


def _duplicates(draft: Draft) -> Iterator[ConfigProblem]:
    seen: dict[tuple[str, Hashable], str] = {}
    for client in draft.config.clients:
        for key, value in (
            ("public_key", client.public_key),
            ("address6", client.address6),
            ("address4", client.address4),
        ):
            if value is None:
                continue
            before = seen.setdefault((key, value), client.name)
            if before != client.name:
                what = f"{value} is already the client {before}'s ({draft.line(('client', before, key))})"
                remedy = "each device makes its own key" if key == "public_key" else "give each client its own address"
                yield draft.error("duplicate", ("client", client.name, key), what, remedy)
