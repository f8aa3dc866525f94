# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Brings the configuration maps from what they hold to what is wanted, without a gap for running traffic.

First all that is new is added; then one word in `<object>_active` turns to the new numbers; then what is no longer
wanted goes. So no packet sees less than the old or the new configuration allows.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from v6native.config.model import Proto
from v6native.dataplane import abi
from v6native.dataplane.ending import end, expire
from v6native.dataplane.loader import Generation
from v6native.dataplane.maps import BpfMap
from v6native.dataplane.rows import Wanted, static_entry
from v6native.dataplane.shared import SharedArray, grace_period
from v6native.dataplane.tables import Tables, bib_entry, clock, entries, remember
from v6native.desired.dataplane import StaticEntry
from v6native.errors import DataPlaneError


@dataclass(frozen=True, slots=True)
class Change:
    """What differs in one map: rows to set, keys to delete."""

    map: BpfMap
    name: str
    put: dict[bytes, bytes]
    drop: tuple[bytes, ...]

    def __str__(self) -> str:
        return f"map {self.name}: {len(self.put)} to write, {len(self.drop)} to delete"


def differences(generation: Generation, want: Wanted) -> tuple[str, ...]:
    """What `apply` would change, a line each."""
    lines = [str(c) for c in _changes(generation, want) if c.put or c.drop]
    lines += [
        f"map {of}_config: new settings"
        for of in want.config
        if _active(generation, of)[1] not in (None, want.config[of])
    ]
    if pool := _pool_rows(generation, want):
        lines.append(f"map pool4: {len(pool)} to write")
    if "nat64" in generation.maps:
        add, gone = _static_changes(Tables.of(generation), want.static)
        if add or gone:
            lines.append(f"map bib: {len(add)} static entries to add, {len(gone)} to end")
    return tuple(lines)


def apply(generation: Generation, want: Wanted) -> None:
    """Change the maps; run again after a failure, it goes on where it stopped."""
    changes = _changes(generation, want)
    for change in changes:
        for key, value in change.put.items():
            change.map.set(key, value)
    for index, value in _pool_rows(generation, want).items():
        generation.maps["nat64"]["pool4"].put(index, value)
    resized = False
    for of, value in want.config.items():
        slot, now = _active(generation, of)
        if now is not None and now != value:
            if of == "nat64":
                resized = resized or _blocks_change(now, value)
                if _filters(value) and not _filters(now):
                    _remember_remotes(generation)
            generation.maps[of][f"{of}_config"].put(1 - slot, value)
            generation.maps[of][f"{of}_active"].put(0, (1 - slot).to_bytes(4, sys.byteorder))
            # No packet reads the other one any more when it is written next.
            grace_period()
    _retire_blocks(generation, want, () if resized else want.pool)
    if resized:
        # A port may be in two clients' blocks, of the old and the new size: those of the old one end.
        end_where(generation, lambda _entry: True)
    for change in changes:
        if change.name == "pool4_address" and change.drop:
            # Before their rows go, which tell what they were.
            _end_on(generation, {key for key in change.drop if _lost(key, change.map.get(key), want)})
        for key in change.drop:
            change.map.delete(key)
    if "nat64" in generation.maps:
        _static(generation, want.static)
        _end_disallowed(generation, want)
        if any(change.name == "destinations4" and (change.put or change.drop) for change in changes):
            _end_refused(generation, want)


def end_where(generation: Generation, gone: Callable[[abi.Bib], bool]) -> int:
    """End the dynamic entries for which `gone` holds."""
    there = entries(Tables.of(generation))
    return end(generation, [slot for slot, entry in there if not entry.flags & abi.BIB_STATIC and gone(entry)])


def _changes(generation: Generation, want: Wanted) -> list[Change]:
    found = []
    for (of, name), rows in want.tables.items():
        if (there := generation.map(of, name)) is not None:
            have = dict(there.items())
            put = {key: value for key, value in rows.items() if have.get(key) != value}
            drop = tuple(key for key in have if key not in rows)
            if drop and name == "pool4_address":
                # Sessions on a removed pool address go on until they end, and steering knows them by this row.
                dynamic = (e for _, e in entries(Tables.of(generation)) if not e.flags & abi.BIB_STATIC)
                used = {bytes(entry.address4) for entry in dynamic}
                drop = tuple(key for key in drop if key not in used or _lost(key, have[key], want))
            found.append(Change(there, name, put, drop))
    return found


def _lost(address: bytes, row: bytes | None, want: Wanted) -> bool:
    """Whether that row of pool4_address is of a shared address that the node has no more: no answer finds us there."""
    shared = row is not None and abi.PoolAddress.from_buffer_copy(row).flags & abi.POOL_SHARED
    return bool(shared) and want.lost(IPv4Address(address))


def _end_on(generation: Generation, addresses: set[bytes]) -> None:
    if addresses:
        end_where(generation, lambda entry: bytes(entry.address4) in addresses)


def _active(generation: Generation, of: str) -> tuple[int, bytes | None]:
    """The active slot and what stands in it; None where the object is not loaded."""
    config, active = generation.map(of, f"{of}_config"), generation.map(of, f"{of}_active")
    if config is None or active is None:
        return 0, None
    slot = int.from_bytes(active.at(0), sys.byteorder) & 1
    return slot, config.at(slot)


def _blocks_change(now: bytes, value: bytes) -> bool:
    """Whether port blocks get another size while there are some."""
    was, will = (abi.Nat64Config.from_buffer_copy(v).block_shift for v in (now, value))
    return was != will and bool(was)


def _filters(config: bytes) -> bool:
    return bool(abi.Nat64Config.from_buffer_copy(config).flags & abi.CONFIG_ADDRESS_DEPENDENT)


def _remember_remotes(generation: Generation) -> None:
    """Address-dependent filtering is about to begin: whom the hosts have sessions with may go on to write to them."""
    tables, remotes = Tables.of(generation), generation.maps["nat64"]["remotes"]
    for key in [key for key, _sessions in remotes.items()]:
        remotes.delete(key)
    with SharedArray(tables.sessions, abi.Session) as sessions:
        for _index, session in sessions.walk(0, tables.counts().sessions_used_to):
            if session.flags & abi.SESSION_IN_USE:
                remember(remotes, session)


def _retire_blocks(generation: Generation, want: Wanted, pool: tuple[bytes, ...]) -> None:
    """Port blocks that no range of the pool, and of their group, holds any more take no new entries; their clients keep
    what they have."""
    blocks = generation.map("nat64", "blocks")
    if blocks is None:
        return
    groups = abi.Nat64Config.from_buffer_copy(want.config["nat64"]).groups
    ranges = [
        (number, abi.PoolRange.from_buffer_copy(row))
        for number, group in enumerate(groups)
        for row in pool[group.first : group.first + group.count]
    ]
    with SharedArray(blocks, abi.PortBlock) as table:
        for index, block in table.walk(0, Tables.of(generation).counts().blocks_used_to):
            if block.owner and block.protos and not any(_holds(*each, block) for each in ranges):
                table.store(index, "protos", 0)


def _holds(group: int, within: abi.PoolRange, block: abi.PortBlock) -> bool:
    inside = within.first <= block.first and block.last <= within.last
    serves = group == block.group and not block.protos & ~within.flags
    return inside and serves and bytes(within.address) == bytes(block.address)


def _pool_rows(generation: Generation, want: Wanted) -> dict[int, bytes]:
    """Elements of pool4 that differ; those past the new count are not read any more and stay."""
    pool = generation.map("nat64", "pool4")
    if pool is None:
        return {}
    return {index: value for index, value in enumerate(want.pool) if pool.at(index) != value}


def _static_changes(tables: Tables, want: tuple[StaticEntry, ...]) -> tuple[list[StaticEntry], list[int]]:
    """Static entries to add, slots to end."""
    have = {_as_static(entry): slot for slot, entry in entries(tables) if entry.flags & abi.BIB_STATIC}
    return [e for e in want if e not in have], [slot for entry, slot in have.items() if entry not in set(want)]


def _static(generation: Generation, want: tuple[StaticEntry, ...]) -> None:
    tables = Tables.of(generation)
    add, gone = _static_changes(tables, want)
    end(generation, gone)
    if not add:
        return
    now = clock(tables.settings())
    new = [static_entry(entry, now) for entry in add]
    keys6, keys4 = {e.key6() for e in new}, {e.key4() for e in new}
    with SharedArray(tables.bib, abi.Bib) as bib:
        free = (i for i, e in bib.walk(tables.first_static, bib.length) if not e.flags or _spent(e))
        for entry in new:
            if (slot := next(free, None)) is None:
                raise DataPlaneError(
                    f"no slot is free for a static BIB entry ({abi.STATIC_SLOTS} in all; ended ones take a moment): try again"
                )
            bib.write(slot, entry, last="flags")
            index = slot.to_bytes(4, sys.byteorder)
            tables.bib4.set(entry.key4(), index)
            tables.bib6.set(entry.key6(), index)
    # A flow that had one of the addresses and ports makes way; no new one can take them.
    end_where(generation, lambda entry: entry.key6() in keys6 or entry.key4() in keys4)


def _spent(entry: abi.Bib) -> bool:
    """A static entry that was ended, and whose last session is collected."""
    return bool(entry.flags & abi.BIB_ENDED) and entry.refs == 0


def _as_static(entry: abi.Bib) -> StaticEntry:
    shown = bib_entry(entry, 0)
    return StaticEntry(Proto(shown.proto), shown.address4, shown.port4, shown.address6, shown.port6, entry.pref64)


def _end_refused(generation: Generation, want: Wanted) -> None:
    """Sessions to destinations that are closed now end; those of static entries, which the remote host may have opened, and
    hairpinned ones stay."""
    tables = Tables.of(generation)
    closed: list[tuple[int, IPv4Network, bool]] = []
    for key, value in want.tables[("nat64", "destinations4")].items():
        row = abi.DestinationKey.from_buffer_copy(key)
        closed.append((row.prefixlen, IPv4Network((bytes(row.address), row.prefixlen)), any(value)))
    verdicts: dict[bytes, bool] = {}

    def refused(address: bytes) -> bool:
        if address not in verdicts:
            found = [(length, no) for length, network, no in closed if IPv4Address(address) in network]
            verdicts[address] = max(found, default=(0, False))[1]
        return verdicts[address]

    def gone(session: abi.Session) -> bool:
        outward = session.bib < tables.first_static and not session.flags & abi.SESSION_HAIRPIN
        return outward and refused(bytes(session.remote4))

    expire(tables, gone)
    # A packet that was on its way may have prolonged one.
    grace_period()
    expire(tables, gone)


def _end_disallowed(generation: Generation, want: Wanted) -> None:
    """Sessions of sources that are not allowed (any more) end."""
    allowed = []
    for key in want.tables[("nat64", "sources")]:
        source = abi.SourceKey.from_buffer_copy(key)
        allowed.append(IPv6Network((bytes(source.address), source.prefixlen)))
    verdicts: dict[IPv6Address, bool] = {}

    def gone(entry: abi.Bib) -> bool:
        address = IPv6Address(bytes(entry.address6))
        if address not in verdicts:
            verdicts[address] = not any(address in network for network in allowed)
        return verdicts[address]

    end_where(generation, gone)
