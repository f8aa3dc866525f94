# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Other people's DNS64 and ours, side by side in a network namespace, all asking one NSD.

Each has port 53 of a loopback address. BIND, unbound, Knot Resolver and PowerDNS Recursor resolve from the root that NSD
serves, and validate with the test's key; ours asks an unbound that does so and knows nothing of DNS64. All are told as little
as can be: what is compared are the defaults.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Network, ip_network
from pathlib import Path

from tests.integration.dns64.scripted import Running
from tests.integration.dns64.zones import nsd, running, wait_for
from v6native.dns64.settings import Dns64Settings, Limits, Listen, Pref64, UpstreamServer

NSD = "127.0.0.53"
# Of the local-use prefix (RFC 8215): not of documentation, whose reverse zones resolvers keep to themselves (RFC 6303).
PREFIX = IPv6Network("64:ff9b:1::/96")
OURS = "v6native"
ADDRESSES = {
    OURS: "127.0.1.1",
    "BIND": "127.0.1.2",
    "unbound": "127.0.1.3",
    "Knot": "127.0.1.4",
    "PowerDNS": "127.0.1.5",
}
# For private_netns: BIND listens on addresses that an interface has.
COMMANDS = tuple(f"address add {address}/32 dev lo" for address in ADDRESSES.values())
PEERS = tuple(name for name in ADDRESSES if name != OURS)
_BEHIND = "127.0.1.11"

BIND = """
options {{
    directory "{folder}";
    listen-on {{ {address}; }};
    listen-on-v6 {{ none; }};
    query-source address {address};
    pid-file none;
    session-keyfile none;
    empty-zones-enable no;
    max-cache-size 32M;
    dnssec-validation yes;
    dns64 {prefix} {{ }};
}};
trust-anchors {{ {anchor} }};
controls {{ }};
zone "." {{ type hint; file "{folder}/hints"; }};
"""
UNBOUND = """
server:
  interface: {address}
  outgoing-interface: {address}
  access-control: 127.0.0.0/8 allow
  do-daemonize: no
  do-ip6: no
  chroot: ""
  username: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  do-not-query-localhost: no
  root-hints: "{folder}/hints"
  trust-anchor: "{anchor}"
  module-config: "{modules}"
  dns64-prefix: {prefix}
remote-control:
  control-enable: no
"""
KNOT = """
net.listen('{address}', 53, {{ kind = 'dns' }})
net.outgoing_v4('{address}')
net.ipv6 = false
cache.size = 10 * MB
modules = {{ 'hints > iterate', dns64 = {{ prefix = '{network}' }} }}
hints.root({{ ['ns.example.'] = '{nsd}' }})
for _, anchor in ipairs({{ '.' }}) do trust_anchors.remove(anchor) end
trust_anchors.add('{anchor}')
modules.unload('priming')
modules.unload('ta_signal_query')
modules.unload('ta_update')
"""
POWERDNS = """
local-address={address}
query-local-address={address}
allow-from=127.0.0.0/8
dont-query=
daemon=no
write-pid=no
socket-dir={folder}
threads=1
hint-file={folder}/hints
lua-config-file={folder}/anchors.lua
dnssec=validate
dns64-prefix={prefix}
disable-syslog=yes
security-poll-suffix=
"""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A DS record: what all of them can take for a trust anchor."""

    zone: str
    tag: str
    algorithm: str
    digest_type: str
    digest: str

    @staticmethod
    def of(line: str) -> Anchor:
        zone, _, _, tag, algorithm, digest_type, *digest = line.split()
        return Anchor(zone, tag, algorithm, digest_type, "".join(digest))

    @property
    def record(self) -> str:
        return f"{self.zone} IN DS {self.numbers}"

    @property
    def numbers(self) -> str:
        return f"{self.tag} {self.algorithm} {self.digest_type} {self.digest}"


@contextmanager
def all_of_them(folder: Path, zones: dict[str, str | None], anchor: Anchor) -> Iterator[None]:
    """All running, in this thread's network namespace."""
    hints = f". 3600000 NS ns.example.\nns.example. 3600000 A {NSD}\n"
    with ExitStack() as stack:
        stack.enter_context(nsd(folder / "nsd", NSD, 53, zones))

        def start(name: str, address: str, file: str, text: str, *command: str, **values: str) -> None:
            place = folder / name
            place.mkdir()
            (place / "hints").write_text(hints)
            values |= {"folder": str(place), "address": address, "prefix": str(PREFIX)}
            (place / file).write_text(text.format(**values))
            stack.enter_context(running(place, *(word.format(place=place) for word in command)))
            wait_for(address, 53, "v4only.example", "A")

        static = f'{anchor.zone} static-ds {anchor.tag} {anchor.algorithm} {anchor.digest_type} "{anchor.digest}";'
        unbound = ("unbound", "-d", "-c", "{place}/unbound.conf")
        start(
            "bind",
            ADDRESSES["BIND"],
            "named.conf",
            BIND,
            "named",
            "-g",
            "-n",
            "1",
            "-c",
            "{place}/named.conf",
            anchor=static,
        )
        for name, address, modules in [
            ("unbound", ADDRESSES["unbound"], "dns64 validator iterator"),
            ("behind", _BEHIND, "validator iterator"),
        ]:
            start(name, address, "unbound.conf", UNBOUND, *unbound, anchor=anchor.record, modules=modules)
        start(
            "knot", ADDRESSES["Knot"], "kresd.conf", KNOT, "kresd", "-n", "-c", "{place}/kresd.conf", "{place}",
            anchor=anchor.record, network=str(PREFIX.network_address), nsd=NSD,
        )  # fmt: skip
        anchors = folder / "powerdns" / "anchors.lua"
        anchors.parent.mkdir()
        anchors.write_text(f'clearTA(".")\naddTA("{anchor.zone}", "{anchor.numbers}")\n')
        stack.enter_context(_powerdns(folder / "powerdns", hints))
        settings = Dns64Settings(
            listen=(Listen(IPv4Address(ADDRESSES[OURS])),),
            upstreams=(UpstreamServer(IPv4Address(_BEHIND)),),
            pref64=(Pref64(PREFIX),),
            allow=(ip_network("127.0.0.0/8"),),
            limits=Limits(client_per_second=0),
        )
        ours = Running(settings)
        stack.callback(ours.close)
        yield


@contextmanager
def _powerdns(place: Path, hints: str) -> Iterator[None]:
    address = ADDRESSES["PowerDNS"]
    (place / "hints").write_text(hints)
    (place / "recursor.conf").write_text(POWERDNS.format(address=address, folder=place, prefix=PREFIX))
    with running(place, "pdns_recursor", f"--config-dir={place}"):
        wait_for(address, 53, "v4only.example", "A")
        yield
