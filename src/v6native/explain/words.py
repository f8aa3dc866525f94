# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The sentences of a translator's steps: what it looked at, in the order of RFC 6146 §3.5, and what it found."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from v6native.address import extract
from v6native.config.model import PortRange
from v6native.dataplane.door import Session
from v6native.dataplane.look import ClientUse, Look
from v6native.desired.named import destination_of, line, source_of
from v6native.desired.node import Here
from v6native.desired.state import AnyAddress
from v6native.explain.explanation import Step
from v6native.explain.summary import Summary

# Refusals by what was being looked at when they were made; the others are of the packet itself.
_SOURCE = "SOURCE_NOT_ALLOWED"
_DESTINATION = "DESTINATION_REFUSED"
_LIMITS = {"CLIENT_PORTS": "client", "CLIENT_SESSIONS": "client", "CLIENT_RATE": "client"}


def nat64_steps(here: Here, given: Summary, look: Look) -> Iterator[Step]:
    """From the first to the last that the program came to."""
    reason = look.reason.name if look.reason else ""
    if given.source.version == 6:
        if look.client or look.binding or reason == _SOURCE:
            yield _source(here, IPv6Address(given.source), refused=reason == _SOURCE, asked=look.group is not None)
        if look.group is not None:
            yield _destination(here, given.destination, refused=reason == _DESTINATION, hairpin=look.hairpin)
    if look.client and reason not in (_SOURCE, _DESTINATION):
        yield Step("client", reason not in _LIMITS, _client(look.client), _client_details(look.client))
    if look.group is not None and reason not in (_SOURCE, _DESTINATION):
        yield from _pool(here, look)
    yield from _binding(look)
    yield from _session(look)


def siit_steps(here: Here, given: Summary, made: Summary | None) -> Iterator[Step]:
    """Which mappings gave the translated packet its addresses."""
    if made is None:
        return
    for end, was, is_now in (
        ("source", given.source, made.source),
        ("destination", given.destination, made.destination),
    ):
        text = f"the {end} {was} becomes {is_now}: {_mapping(here, was, is_now)}"
        yield Step("mapping", True, text, {"end": end, "from": str(was), "to": str(is_now)})


def _source(here: Here, source: IPv6Address, *, refused: bool, asked: bool) -> Step:
    named = source_of(here, source)
    where = line(here.config, named.path) if named and named.path else None
    details = {"address": str(source), "network": str(named.network) if named else None, "line": where}
    told = _told(named.what, where) if named else ""
    if refused and named:
        text = f"{source} is refused as the NAT64 runs now; the file allows it ({told}): reload"
    elif refused:
        text = f"{source} may not use this NAT64: no line of the file names it"
    elif named:
        text = f"{source} is allowed: {told}"
    else:
        text = f"{source} is allowed as the NAT64 runs now, but the file names it no more"
    return Step("source", not refused, text if asked else f"{text}; not asked again for what is known", details)


def _destination(here: Here, destination: AnyAddress, *, refused: bool, hairpin: bool) -> Step:
    pref64 = next((p for p in here.config.network.pref64 if destination in p), None)
    inside = extract(pref64, IPv6Address(destination)) if pref64 else None
    named = destination_of(here, inside) if inside else None
    where = line(here.config, named.path) if named and named.path else None
    details = {"address": str(inside), "pref64": str(pref64), "line": where}
    what = f"{named.network} is {_told(named.what, where)}" if named else "it is on the global internet"
    if hairpin:
        what = "an address of this NAT64's pool, so it comes back in (hairpinning, RFC 6146 §3.8)"
    return Step("destination", not refused, f"{inside} is {'refused' if refused else 'open'}: {what}", details)


def _told(what: str, where: str | None) -> str:
    return f"{what}; {where}" if where else what


def _client(use: ClientUse) -> str:
    ports = ", ".join(f"{count} {proto}" for proto, count in use.ports.items() if count) or "none"
    parts = [
        f"ports {ports}{_of(use.limits.ports, 'of each protocol')}",
        f"sessions {use.sessions}{_of(use.limits.sessions)}",
    ]
    parts.append(f"new ones this second {use.opened}{_of(use.limits.rate)}")
    if use.most_blocks:
        parts.append(f"port blocks {use.blocks}{_of(use.most_blocks)}")
    return f"counts as {use.network}: " + "; ".join(parts)


def _of(limit: int, what: str = "") -> str:
    return f" of {limit} {what}".rstrip() if limit else " (no limit)"


def _client_details(use: ClientUse) -> dict[str, object]:
    return {
        "network": str(use.network),
        "ports": {str(proto): count for proto, count in use.ports.items()},
        "sessions": use.sessions,
        "new_this_second": use.opened,
        "port_blocks": use.blocks,
        "limits": {"ports": use.limits.ports, "sessions": use.limits.sessions, "new_per_second": use.limits.rate},
    }


def _pool(here: Here, look: Look) -> Iterator[Step]:
    group = look.group or 0
    where = line(here.config, ("nat64", "pool", group - 1) if group else ("node", here.node.name, "pool4"))
    ranges = sorted({(e.address, e.ports) for e in here.pool if e.group == group}, key=lambda e: (e[0], e[1].first))
    told = ", ".join(f"{address}:{_ports(ports)}" for address, ports in ranges[:3]) + (", …" if len(ranges) > 3 else "")
    yield Step("pool", True, f"served by {where}: {told or 'no range'}", {"group": group, "line": where})


def _binding(look: Look) -> Iterator[Step]:
    if look.binding:
        entry = look.binding
        kind = "static" if entry.static else f"{entry.sessions} sessions"
        text = f"known: [{entry.address6}]:{entry.port6} is {entry.address4}:{entry.port4} ({entry.proto}, {kind})"
        pair = {
            "address6": str(entry.address6),
            "port6": entry.port6,
            "address4": str(entry.address4),
            "port4": entry.port4,
        }
        yield Step("binding", True, text, {"known": True, "static": entry.static, **pair})
    elif look.new_binding:
        new = look.new_binding
        whose = "of the client's block" if look.client and look.client.most_blocks else "of the pool"
        if new.new_block:
            whose = f"from a block of {new.new_block} that becomes the client's"
        text = f"new: {new.address4} and a port of {_ports(new.ports)}, {whose}; it is drawn when the packet comes"
        ports = {"first": new.ports.first, "last": new.ports.last}
        yield Step(
            "binding",
            True,
            text,
            {"known": False, "address4": str(new.address4), "ports": ports, "new_block": new.new_block},
        )


def _session(look: Look) -> Iterator[Step]:
    kind = look.reason.kind if look.reason else ""
    if look.session:
        yield Step("session", True, f"known: {_known(look.session)}", {"known": True, "state": look.session.state})
    elif kind == "DONE" and look.new_session:
        text = "new" + (
            ": it answers the remote host's SYN, which was kept (simultaneous open)" if look.answers_syn else ""
        )
        yield Step("session", True, text, {"known": False})
    elif kind == "DONE" and look.binding:
        text = "none, and none is made: a segment that opens nothing passes by its binding (RFC 6146 §3.5.2.2, CLOSED)"
        yield Step("session", True, text, {"known": False})


def _known(session: Session) -> str:
    state = f", {session.state}" if session.state else ""
    return f"with {session.remote4}:{session.remote_port}{state}, ends in {session.seconds_left:.0f} s unless a packet comes"


def _ports(ports: PortRange) -> str:
    return f"{ports.first}-{ports.last}"


def _mapping(here: Here, was: AnyAddress, is_now: AnyAddress) -> str:
    v6, v4 = (was, is_now) if was.version == 6 else (is_now, was)
    assert isinstance(v6, IPv6Address) and isinstance(v4, IPv4Address)
    for at, eam in enumerate(here.config.clat.eam):
        if v4 in eam.ipv4 and v6 in eam.ipv6:
            return f"a mapping, {line(here.config, ('clat', 'eam', at))}"
    if here.clat96 is not None and v6 in here.clat96:
        named = source_of(here, v6)
        who = (
            f"{named.what}{', ' + line(here.config, named.path) if named.path else ''}"
            if named
            else "of no client that is known"
        )
        return f"the CLAT's {here.clat96}; {who}"
    pref64 = next((p for p in here.config.network.pref64 if v6 in p), None)
    return f"in the pref64 {pref64}" if pref64 else "an address that this translator lends (RFC 6791)"
