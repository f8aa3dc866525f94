# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Strings of network.toml → types that cannot be wrong: prefixes, addresses, pool entries, keys, names.

Each parser takes what TOML gave and returns the value, or raises `wrong(...)`: what is the matter and what to write
instead. Where the intention is plain (host bits in a prefix), `repaired` lets the loader go on and find more mistakes.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, NetmaskValueError
from typing import TypeVar

from pydantic_core import PydanticCustomError

from v6native.config.model import (
    ALL_PORTS,
    Collector,
    Mark,
    Pool4Entry,
    PortRange,
    Proto,
    Transport,
)

OUR_MARKS = 0xF8000000  # bpf/abi.h MARK_MASK
UPLINK = "uplink"
_Enum = TypeVar("_Enum", bound=StrEnum)
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_HOST = re.compile(r"(?=.{1,253}\Z)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?)+")
_DURATION = re.compile(r"([0-9]{1,6})([hdw])")
_UNITS = {"h": 3600, "d": 86400, "w": 7 * 86400}
_LONGEST = 10 * 366 * 86400
BRACKETED = re.compile(r"\[([^\]]*)\](?::(.*))?")


def wrong(code: str, what: str, remedy: str, repaired: str | None = None) -> PydanticCustomError:
    """`repaired` is the TOML value that was surely meant."""
    return PydanticCustomError(code, "{what}", {"what": what, "remedy": remedy, "repaired": repaired})


def text(value: object, example: str) -> str:
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        raise wrong("type", f"{shown(value)} is a list, a string is wanted", f"write {shown(value[0])}", value[0])
    if not isinstance(value, str):
        raise wrong("type", f"{shown(value)} is {kind(value)}, a string is wanted", f'write "{example}", in quotes')
    return value


def kind(value: object) -> str:
    """What an operator calls a TOML value's type."""
    names = {bool: "a boolean", int: "a number", float: "a fraction", str: "a string", list: "a list", dict: "a table"}
    return names.get(type(value), "a date or time")


def shown(value: object) -> str:
    """A value as TOML would write it, cut where it is long."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        full = "[" + ", ".join(shown(v) for v in value) + "]"
    elif isinstance(value, dict):
        full = "{" + ", ".join(f"{k} = {shown(v)}" for k, v in value.items()) + "}"
    else:
        full = f'"{value}"' if isinstance(value, str) else str(value)
    return full if len(full) <= 60 else f"{full[:57]}…"


def prefix6(value: object) -> IPv6Network:
    if isinstance(value, IPv6Network):
        return value
    given = text(value, "2001:db8::/48").strip()
    address, slash, length = given.partition("/")
    if is_ipv4(address):
        raise wrong(
            "family", f'"{given}" is IPv4, an IPv6 prefix is wanted', 'write an IPv6 prefix, like "2001:db8::/48"'
        )
    if not slash:
        hint = f'write "{given}/64", or "{given}/128" for one address' if is_ipv6(address) else 'like "2001:db8::/48"'
        raise wrong("prefix", f'"{given}" has no prefix length', hint)
    try:
        return IPv6Network(given)
    except NetmaskValueError:
        raise wrong("prefix", f'"/{length}" is no IPv6 prefix length', "write a length from /0 to /128") from None
    except AddressValueError as error:
        raise wrong("prefix", f'"{given}" is no IPv6 prefix: {error}', 'write one like "2001:db8::/48"') from None
    except ValueError:
        meant = str(IPv6Network(given, strict=False))
        raise wrong("host-bits", f'"{given}" has bits set behind its /{length}', f'write "{meant}"', meant) from None


def mapped6(value: object) -> IPv6Network:
    """One side of an explicit address mapping: without a length it is one address (RFC 7757 §3.2)."""
    return prefix6(f"{value.strip()}/128" if isinstance(value, str) and is_ipv6(value.strip()) else value)


def prefix4(value: object) -> IPv4Network:
    if isinstance(value, IPv4Network):
        return value
    given = text(value, "203.0.113.0/24").strip()
    address, slash, length = given.partition("/")
    if is_ipv6(address):
        raise wrong("family", f'"{given}" is IPv6, an IPv4 prefix is wanted', 'write an IPv4 prefix, like "10.0.0.0/8"')
    if not slash:
        hint = f'write "{given}/32" for one address' if is_ipv4(address) else 'write one like "10.0.0.0/8"'
        raise wrong("prefix", f'"{given}" has no prefix length', hint)
    if not length.isdecimal() or int(length) > 32:
        raise wrong("prefix", f'"/{length}" is no IPv4 prefix length', "write a length from /0 to /32")
    try:
        return IPv4Network(given)
    except AddressValueError as error:
        raise wrong("prefix", f'"{given}" is no IPv4 prefix: {error}', 'write one like "10.0.0.0/8"') from None
    except ValueError:
        meant = str(IPv4Network(given, strict=False))
        raise wrong("host-bits", f'"{given}" has bits set behind its /{length}', f'write "{meant}"', meant) from None


def prefix(value: object) -> IPv4Network | IPv6Network:
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    given = text(value, "2001:db8::/48")
    return prefix6(value) if ":" in given else prefix4(value)


def mapped4(value: object) -> IPv4Network:
    """As `mapped6`."""
    return prefix4(f"{value.strip()}/32" if isinstance(value, str) and is_ipv4(value.strip()) else value)


def address6(value: object) -> IPv6Address:
    if isinstance(value, IPv6Address):
        return value
    given = text(value, "2001:db8::2").strip()
    if is_ipv4(given):
        raise wrong("family", f'"{given}" is IPv4, an IPv6 address is wanted', 'write one like "2001:db8::2"')
    address, _, rest = given.partition("/")
    if rest and is_ipv6(address):
        raise wrong("address", f'"{given}" is a prefix, one address is wanted', f'write "{address}"', address)
    try:
        found = IPv6Address(given)
    except AddressValueError as error:
        raise wrong("address", f'"{given}" is no IPv6 address: {error}', 'write one like "2001:db8::2"') from None
    if found.scope_id is not None:
        raise wrong("address", f'"{given}" has a zone', "write an address without %interface")
    return found


def address4(value: object) -> IPv4Address:
    if isinstance(value, IPv4Address):
        return value
    given = text(value, "100.64.0.2").strip()
    if is_ipv6(given):
        raise wrong("family", f'"{given}" is IPv6, an IPv4 address is wanted', 'write one like "100.64.0.2"')
    address, _, rest = given.partition("/")
    if rest and is_ipv4(address):
        raise wrong("address", f'"{given}" is a prefix, one address is wanted', f'write "{address}"', address)
    try:
        return IPv4Address(given)
    except AddressValueError as error:
        raise wrong("address", f'"{given}" is no IPv4 address: {error}', 'write one like "100.64.0.2"') from None


def address(value: object) -> IPv4Address | IPv6Address:
    if isinstance(value, IPv4Address | IPv6Address):
        return value
    given = text(value, "2001:db8::1").strip()
    if ":" in given:
        return address6(given)
    if not is_ipv4(given):
        raise wrong("address", f'"{given}" is no IP address', 'write one like "2001:db8::1" or "192.0.2.1"')
    return address4(given)


def port(given: str, whole: str) -> int:
    if not given.isascii() or not given.isdecimal() or not 1 <= int(given) <= 65535:
        raise wrong("port", f'"{given}" in "{whole}" is no port', "write a port from 1 to 65535")
    return int(given)


def port_range(given: str, whole: str) -> PortRange:
    first, dash, last = given.partition("-")
    low = port(first, whole)
    high = port(last, whole) if dash else low
    if low > high:
        head = whole.removesuffix(given)
        raise wrong("port", f"the range {given} is empty", f'write "{head}{high}-{low}"', f"{head}{high}-{low}")
    return PortRange(low, high)


def ports(given: str, whole: str) -> PortRange:
    """One port, or a range of them."""
    if "-" in given:
        return port_range(given, whole)
    one = port(given, whole)
    return PortRange(one, one)


def pool4_entry(value: object) -> Pool4Entry:
    """ "uplink:40000-59999", "203.0.113.1", "203.0.113.2:1024-65535" or "203.0.113.0/28"."""
    if isinstance(value, Pool4Entry):
        return value
    whole = text(value, "uplink:40000-59999").strip()
    given, protos = _without_proto(whole)
    if given.count(":") > 1:
        raise wrong(
            "family", f'"{given}" is IPv6; pool4 is the IPv4 side', 'write "203.0.113.1" or "uplink:40000-59999"'
        )
    head, colon, ports = given.partition(":")
    if head == UPLINK:
        if not colon:
            raise wrong(
                "pool4",
                '"uplink" shares the node\'s own address, so the NAT64 needs a port range of it',
                'write "uplink:40000-59999"',
                "uplink:40000-59999",
            )
        return Pool4Entry(None, port_range(ports, given), protos)
    if not is_ipv4(head.partition("/")[0]):
        known = 'write "uplink:40000-59999", "203.0.113.1", "203.0.113.1:1024-65535" or "203.0.113.0/28"'
        raise wrong("pool4", f'"{given}" is no pool4 entry', known)
    network = prefix4(head) if "/" in head else IPv4Network(head)
    return Pool4Entry(network, port_range(ports, given) if colon else ALL_PORTS, protos)


def _without_proto(given: str) -> tuple[str, frozenset[Proto]]:
    """A pool4 entry without its "/tcp", "/udp" or "/icmp", and the protocols that it serves."""
    head, slash, last = given.rpartition("/")
    if not slash or not last.isalpha():
        return given, frozenset(Proto)
    return head, frozenset({word(Proto)(last)})


def mark(value: object) -> Mark:
    """ "0x10" or "0x10/0xff", as ip-rule(8) writes it."""
    if isinstance(value, Mark):
        return value
    given = text(value, "0x10/0xff").strip()
    number, slash, mask = given.partition("/")
    try:
        found = Mark(int(number, 0), int(mask, 0) if slash else 0xFFFFFFFF & ~OUR_MARKS)
    except ValueError:
        raise wrong("mark", f'"{given}" is no mark', 'write one like "0x10" or "0x10/0xff"') from None
    if (found.value | found.mask) & OUR_MARKS:
        what = f'"{given}" looks at bits of {OUR_MARKS:#x}, which the translators use themselves'
        raise wrong("mark", what, f'write "{found.value & ~OUR_MARKS:#x}/{found.mask & ~OUR_MARKS:#x}"')
    if not 0 <= found.value <= 0xFFFFFFFF or not 0 < found.mask <= 0xFFFFFFFF or found.value & ~found.mask:
        raise wrong("mark", f'"{given}" never matches', "a mark has 32 bits, and none outside of its mask")
    return found


def transport4(value: object) -> tuple[IPv4Address | None, PortRange]:
    """ "203.0.113.1:80", "uplink:80" or "uplink:8000-8010"; None stands for the uplink's address."""
    if isinstance(value, tuple):
        return value
    given = text(value, "uplink:80").strip()
    if given.count(":") > 1:
        raise wrong(
            "family", f'"{given}" is IPv6, an IPv4 transport address is wanted', 'write one like "203.0.113.1:80"'
        )
    head, colon, rest = given.partition(":")
    if not colon:
        raise wrong("port", f'"{given}" has no port', f'write "{given}:80"')
    return (None if head == UPLINK else address4(head)), ports(rest, given)


def transport6(value: object) -> tuple[IPv6Address, PortRange]:
    """ "[2001:db8::5]:80" or "[2001:db8::5]:8000-8010"."""
    if isinstance(value, tuple):
        return value
    given = text(value, "[2001:db8::5]:80").strip()
    found = BRACKETED.fullmatch(given)
    if found is None:
        if is_ipv4(given.partition(":")[0]):
            raise wrong("family", f'"{given}" is IPv4, an IPv6 transport address is wanted', 'write "[2001:db8::5]:80"')
        raise wrong("address", f'"{given}" is no IPv6 transport address', 'write one like "[2001:db8::5]:80"')
    if found[2] is None:
        raise wrong("port", f'"{given}" has no port', f'write "{given}:80"')
    return address6(found[1]), ports(found[2], given)


def domain(value: object) -> str:
    """A domain name in ASCII, as it stands in the DNS."""
    given = text(value, "example.com").strip()
    bare = given.removesuffix(".").lower()
    if not given.isascii():
        raise wrong("domain", f'"{given}" is not ASCII', 'write its "xn--…" form')
    if not all(_LABEL.fullmatch(label) for label in bare.split(".")) or len(bare) > 253:
        what = f'"{given}" is no domain name: labels have 1 to 63 letters, digits, "-" or "_", and all together 253'
        raise wrong("domain", what, 'write one like "example.com"')
    return bare


def duration(value: object) -> str:
    """ "180d": hours, days or weeks; `seconds` counts them."""
    if isinstance(value, int) and not isinstance(value, bool):
        raise wrong("duration", f"{value} is a number without a unit", f'write "{value}d" for days', f"{value}d")
    given = text(value, "180d").strip()
    if not _DURATION.fullmatch(given):
        raise wrong("duration", f'"{given}" is no time', 'write hours, days or weeks, like "72h", "180d" or "26w"')
    if not 0 < seconds(given) <= _LONGEST:
        raise wrong("duration", f'"{given}" is not between one hour and ten years', 'write one like "180d"')
    return given


def seconds(given: str) -> int:
    """Of a valid duration."""
    return int(given[:-1]) * _UNITS[given[-1]]


def syslog_server(value: object) -> Collector:
    return _collector(value, "udp://[2001:db8::1]:514", 514)


def ipfix_collector(value: object) -> Collector:
    return _collector(value, "tcp://192.0.2.9:4739", 4739)


def _collector(value: object, example: str, default_port: int) -> Collector:
    """ "udp://192.0.2.9:514" or "tcp://[2001:db8::1]"; no name, since nobody would wait for its resolution."""
    if isinstance(value, Collector):
        return value
    given = text(value, example).strip()
    scheme, slashes, rest = given.partition("://")
    if not slashes or scheme not in list(Transport):
        known = "udp:// or tcp:// goes before the address"
        raise wrong("collector", f'"{given}" does not say how it is reached: {known}', f'write one like "{example}"')
    found = BRACKETED.fullmatch(rest)
    head, port_given = (found[1], found[2]) if found else (rest, None)
    if not found and rest.count(":") == 1:
        head, _, port_given = rest.partition(":")
    if not found and is_ipv6(rest):
        meant = f"{scheme}://[{rest}]:{default_port}"
        raise wrong("collector", f'"{given}" needs brackets around the address', f'write "{meant}"', meant)
    if not is_ipv4(head) and not is_ipv6(head.partition("%")[0]):
        what = f'"{given}" has no address; names are not resolved, so that logging waits for nobody'
        raise wrong("collector", what, f'write one like "{example}"')
    return Collector(Transport(scheme), address(head), port(port_given, given) if port_given else default_port)


def wireguard_key(value: object) -> str:
    given = text(value, "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=").strip()
    remedy = "write what `wg pubkey` printed on the client: 44 characters that end in ="
    try:
        raw = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        raise wrong("key", f'"{given}" is not base64, so it is no WireGuard key', remedy) from None
    if len(raw) != 32 or len(given) != 44:
        raise wrong("key", f'"{given}" holds {len(raw)} bytes, a WireGuard key has 32', remedy)
    if not any(raw):
        raise wrong("key", "a key of zeros is no WireGuard key", remedy)
    return given


def interface(value: object) -> str:
    """A name that the kernel takes (dev_valid_name): 1 to 15 bytes, no slash, colon or space. Nor what nftables reads as more."""
    given = text(value, "eth0")
    if not given or given in (".", "..") or any(c in '/:"\\*' or c.isspace() for c in given) or not given.isprintable():
        raise wrong("interface", f'"{given}" is no interface name', 'write one as `ip link` shows it, like "eth0"')
    if len(given.encode()) > 15:
        raise wrong(
            "interface",
            f'"{given}" has {len(given.encode())} characters, an interface name has at most 15',
            "write the name as `ip link` shows it",
        )
    return given


def name(value: object) -> str:
    given = text(value, "example")
    if problem := name_problem(given, 63):
        raise wrong("name", problem, "write small letters, digits and hyphens")
    return given


def name_problem(given: str, longest: int) -> str | None:
    """What is wrong with the name of a network, node, tunnel or client."""
    if not _NAME.fullmatch(given):
        return f'"{given}" is no name: small letters, digits, and hyphens between them'
    if len(given) > longest:
        return f'"{given}" has {len(given)} characters, at most {longest} fit'
    return None


def host(value: object) -> str:
    """What a client dials: a name or an address, without port."""
    given = text(value, "edge1.example.net").strip()
    bare = given.removeprefix("[").removesuffix("]")
    if is_ipv6(bare):
        return bare
    if given.rpartition(":")[0]:
        bare = given.rpartition(":")[0]
        raise wrong("endpoint", f'"{given}" has a port; the port is the tunnel\'s `listen`', f'write "{bare}"', bare)
    if not _HOST.fullmatch(given):
        raise wrong("endpoint", f'"{given}" is neither a name nor an address', 'write one like "edge1.example.net"')
    return given


def word(enum: type[_Enum]) -> Callable[[object], _Enum]:
    """A parser of that enumeration's words."""
    members = [str(member) for member in enum]

    def parse(value: object) -> _Enum:
        given = text(value, members[0])
        if given in members:
            return enum(given)
        close = get_close_matches(given.lower(), members, 1)
        hint = f'did you mean "{close[0]}"?' if close else "write one of " + ", ".join(f'"{m}"' for m in members)
        raise wrong("word", f'"{given}" is none of {", ".join(members)}', hint)

    return parse


def is_ipv4(given: str) -> bool:
    try:
        IPv4Address(given)
    except AddressValueError:
        return False
    return True


def is_ipv6(given: str) -> bool:
    try:
        IPv6Address(given)
    except AddressValueError:
        return False
    return True
