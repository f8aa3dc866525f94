# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What each client gets of the NAT64: port blocks and limits (RFC 6888 §3), pools for some packets only."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.config.positions import KeyPath
from v6native.config.problem import ConfigProblem
from v6native.config.rules.draft import Draft

SMALLEST_BLOCK = 16
BLOCKS_OF_A_CLIENT = 32  # bpf/abi.h MAX_CLIENT_BLOCKS
MOST_POOLS = 15  # bpf/abi.h MAX_GROUPS, one of which is the node's pool4


def check(draft: Draft) -> Iterator[ConfigProblem]:
    yield from _blocks(draft)
    yield from _pools(draft)


def _blocks(draft: Draft) -> Iterator[ConfigProblem]:
    size, ports = draft.config.nat64.port_block, draft.config.nat64.limit.ports
    path: KeyPath = ("nat64", "port_block")
    if size and (size < SMALLEST_BLOCK or size & (size - 1)):
        near = max(SMALLEST_BLOCK, 1 << (size - 1).bit_length())
        what = f"{size} is no power of two from {SMALLEST_BLOCK} on, by which blocks divide a pool"
        yield draft.error("port-block", path, what, f"write port_block = {min(near, 4096)}, or 0 for none")
    elif size and ports and ports > size * BLOCKS_OF_A_CLIENT:
        fitting = 1 << (-(-ports // BLOCKS_OF_A_CLIENT) - 1).bit_length()
        what = f"a client has at most {BLOCKS_OF_A_CLIENT} blocks, which are {size * BLOCKS_OF_A_CLIENT} ports"
        yield draft.error("port-block", ("nat64", "limit", "ports"), what, f"write nat64.port_block = {fitting}")
    if size and ports == 0:
        what = f"a client gets {size * BLOCKS_OF_A_CLIENT} ports of each protocol all the same: {BLOCKS_OF_A_CLIENT} blocks"
        yield draft.warning("port-block", ("nat64", "limit", "ports"), what, "write port_block = 0 for no limit at all")


def _pools(draft: Draft) -> Iterator[ConfigProblem]:
    pools = draft.config.nat64.pools
    if len(pools) > MOST_POOLS:
        what = f"there are {len(pools)} pools, the translator holds {MOST_POOLS}"
        yield draft.error("too-many", ("nat64", "pool", MOST_POOLS), what, "join those that serve alike")
    for i, pool in enumerate(pools):
        here: KeyPath = ("nat64", "pool", i)
        yield from draft.reference("node", draft.file.nat64.pool[i].node, (*here, "node"))
        if not pool.node:
            what = "the file has several nodes, and this pool does not say whose it is"
            yield draft.error("which-node", here, what, f'write node = "{draft.config.nodes[0].name}"')
        # A mark that cannot be read is a problem of its own.
        if not pool.source and "mark" not in _raw_pools(draft)[i]:
            what = "nothing says which packets this pool serves"
            yield draft.error(
                "pool", here, what, "write source = [...], or mark = ...; or put it into the node's pool4"
            )
        for j, before in enumerate(pools[:i]):
            if before.node != pool.node:
                continue
            for at, source in enumerate(pool.source):
                if source in before.source:
                    what = f"{source} already has a pool ({draft.line(('nat64', 'pool', j))})"
                    yield draft.error("duplicate", (*here, "source", at), what, "give every source to one pool")
            if pool.mark is not None and pool.mark == before.mark:
                what = f"packets with this mark already have a pool ({draft.line(('nat64', 'pool', j))})"
                yield draft.error("duplicate", (*here, "mark"), what, "give every mark to one pool")


def _raw_pools(draft: Draft) -> list[dict[str, object]]:
    table = draft.source.raw.get("nat64")
    found = table.get("pool") if isinstance(table, dict) else None
    return found if isinstance(found, list) else []
