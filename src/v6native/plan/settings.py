# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Kernel settings that are the host's: changed with their old value kept, restored once nothing wants them (down)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from v6native.config.model import PortRange
from v6native.desired.model import Desired
from v6native.desired.sysctls import ERRORS_FROM_INBOUND, FORWARD4, FORWARD6, RESERVED_PORTS
from v6native.plan.actions import RestoreSysctl, SetSysctl
from v6native.plan.actual import Actual, interface_of


def settings(wanted: Desired, actual: Actual) -> Iterator[SetSysctl]:
    """In the order in which desired/ gives them, which keeps a default route from router advertisements alive."""
    own = {link.name for link in wanted.links}
    was_host = "0" in (actual.sysctls.get(FORWARD6), actual.saved.sysctls.get(FORWARD6))
    for setting in wanted.sysctls:
        old = actual.sysctls.get(setting.key)
        if old is None or old == setting.value or interface_of(setting.key) in own:
            continue
        if setting.instead_of not in (None, old) or (setting.hosts_only and not was_host):
            continue
        yield SetSysctl(setting.key, setting.value, old, tuple(_to_save(setting.key, old, actual)))
    if wanted.reserved_ports:
        old = actual.sysctls.get(RESERVED_PORTS, "")
        theirs = parse_ports(actual.saved.sysctls.get(RESERVED_PORTS, old))
        value = format_ports([*theirs, *wanted.reserved_ports])
        if value != old:
            yield SetSysctl(RESERVED_PORTS, value, old, tuple(_to_save(RESERVED_PORTS, old, actual)))


def _to_save(key: str, old: str, actual: Actual) -> Iterator[tuple[str, str]]:
    """The key's old value, and of the values that the kernel changes with it those that it would not change back."""
    if key not in actual.saved.sysctls:
        yield key, old
    if old != "0" or key not in (FORWARD4, FORWARD6):
        return
    family = "net/ipv4" if key == FORWARD4 else "net/ipv6"
    for other, value in sorted(actual.sysctls.items()):
        if other == key or not other.startswith(f"{family}/conf/") or other in actual.saved.sysctls:
            continue
        # inet_forward_change() and addrconf_fixup_forwarding() write every interface's flag, and `default`;
        # the former also sets accept_redirects of `all` to the opposite.
        changed_back = {"forwarding": "0", "accept_redirects": "1"}.get(other.rsplit("/", 1)[1])
        by_kernel = other.endswith("/forwarding") or other == "net/ipv4/conf/all/accept_redirects"
        interface = interface_of(other)
        ours = interface in actual.links and actual.links[interface].ours if interface else False
        if by_kernel and value != changed_back and not ours:
            yield other, value


def restored(wanted: Desired, actual: Actual) -> Iterator[RestoreSysctl]:
    """Saved values that nothing wants changed any more; forwarding first, because it changes others, accept_ra last."""
    if any(setting.key in (FORWARD4, FORWARD6) for setting in wanted.sysctls):
        kept = set(actual.saved.sysctls) - {RESERVED_PORTS}
        # While we forward, only what is wanted no longer and has nothing to do with forwarding goes back.
        kept -= {key for key in kept if key.endswith("/proxy_ndp") or key == ERRORS_FROM_INBOUND}
        kept |= {setting.key for setting in wanted.sysctls}
    else:
        kept = {setting.key for setting in wanted.sysctls}
    if wanted.reserved_ports:
        kept.add(RESERVED_PORTS)
    for key in sorted(set(actual.saved.sysctls) - kept, key=_restore_order):
        yield RestoreSysctl(key, actual.saved.sysctls[key])


def _restore_order(key: str) -> tuple[int, str]:
    if key in (FORWARD4, FORWARD6):
        return (0, key)
    return (2 if key.endswith("/accept_ra") else 1, key)


def parse_ports(text: str) -> list[PortRange]:
    """The kernel's form of a port list: "80,1000-1999"; empty for none."""
    ranges = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if first:
            ranges.append(PortRange(int(first), int(last or first)))
    return ranges


def format_ports(ranges: Iterable[PortRange]) -> str:
    """As the kernel prints it back: sorted, with what overlaps or touches joined (proc_do_large_bitmap)."""
    joined: list[PortRange] = []
    for ports in sorted(ranges, key=lambda p: (p.first, p.last)):
        if joined and ports.first <= joined[-1].last + 1:
            joined[-1] = PortRange(joined[-1].first, max(joined[-1].last, ports.last))
        else:
            joined.append(ports)
    return ",".join(str(p.first) if p.first == p.last else f"{p.first}-{p.last}" for p in joined)
