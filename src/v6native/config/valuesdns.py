# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The resolvers that network.toml names, read from what stands there; see values.py."""

from __future__ import annotations

from v6native.config.modeldns import Upstream, UpstreamTls
from v6native.config.values import BRACKETED, address, domain, is_ipv4, is_ipv6, port, text, wrong


def upstream(value: object) -> Upstream | str:
    """An address, "address#port", "tls://address#name" or "https://address/path#name"; "system", "unbound" and "own" stay words,
    which the loader resolves."""
    if isinstance(value, Upstream):
        return value
    given = text(value, "2001:db8::53").strip()
    if given in ("system", "unbound", "own"):
        return given
    if "://" in given:
        return _encrypted(given)
    head, hash_, rest = given.partition("#")
    if found := BRACKETED.fullmatch(given):
        meant = f"{found[1]}#{found[2]}" if found[2] else found[1]
        raise wrong("upstream", f'"{given}" has brackets', f'write "{meant}"', meant)
    if ":" not in head and not is_ipv4(head):
        raise wrong(
            "upstream",
            f'"{given}" is no address of a resolver; names cannot be resolved before the resolver runs',
            'write "system", "unbound", "own", or an address like "2001:db8::53" or "192.0.2.53#5353"',
        )
    return Upstream(address(head), port(rest, given) if hash_ else 53)


def _encrypted(given: str) -> Upstream:
    """ "tls://[2001:db8::53]:853#dns.example.net": where it is, and after "#" whose certificate it has to have."""
    scheme, _, rest = given.partition("://")
    if scheme not in ("tls", "https"):
        what = f'"{scheme}://" is not spoken to resolvers'
        raise wrong("upstream", what, 'write "tls://ADDRESS#NAME" or "https://ADDRESS/dns-query#NAME"')
    located, hash_, name = rest.partition("#")
    where, slash, path = located.partition("/")
    if scheme == "tls" and slash:
        raise wrong(
            "upstream", f'"{given}" has a path, which DNS over TLS has not', f'write "tls://{where}{hash_}{name}"'
        )
    if is_ipv6(where):
        meant = f"{scheme}://[{where}]{slash}{path}{hash_}{name}"
        raise wrong("upstream", f'"{given}" needs brackets around the address', f'write "{meant}"', meant)
    found = BRACKETED.fullmatch(where)
    host, port_given = (found[1], found[2]) if found else (where.partition(":")[0], where.partition(":")[2] or None)
    if not is_ipv6(host) and not is_ipv4(host):
        what = f'"{given}" has no address; names cannot be resolved before the resolver runs'
        raise wrong(
            "upstream", what, f'write "{scheme}://ADDRESS#{host or "NAME"}", and the server\'s address for ADDRESS'
        )
    if hash_ and (not name or name.isdecimal()):
        what = f'"#{name}" is no name of a certificate'
        raise wrong(
            "upstream", what, f'write "{scheme}://ADDRESS:PORT#NAME", as in "tls://[2001:db8::53]:853#dns.example.net"'
        )
    usual = 853 if scheme == "tls" else 443
    number = usual if port_given is None else port(port_given, given)
    told = UpstreamTls(domain(name) if hash_ else "", f"/{path or 'dns-query'}" if scheme == "https" else "")
    return Upstream(address(host), number, told)


def resolver(value: object) -> Upstream:
    """As `upstream`, but an address."""
    found = upstream(value)
    if isinstance(found, str):
        what = f'"{found}" cannot stand here, where a certain resolver is asked'
        raise wrong("upstream", what, 'write an address like "2001:db8::53" or "192.0.2.53#5353"')
    return found
