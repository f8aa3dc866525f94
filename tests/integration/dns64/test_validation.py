# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""DNSSEC through the DNS64: a signed zone on NSD, a validating unbound with its key, and `dig` and `delv` as clients.

RFC 6147 §5.5: nothing is made of bogus data, and a client that validates by itself (CD and DO) gets the true data.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Network, ip_network
from pathlib import Path

import pytest

from tests.integration.dns64.scripted import LOOPBACK, free_port
from tests.integration.dns64.test_process import worker
from tests.integration.dns64.zones import HEAD, nsd, replaced, running, sign, unsigned, wait_for
from v6native.dns64.settings import Dns64Settings, Listen, Pref64, UpstreamServer

UNBOUND = """
server:
  interface: {address}@{port}
  do-daemonize: no
  chroot: ""
  username: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  module-config: "validator iterator"
  do-not-query-localhost: no
  trust-anchor-file: "{folder}/anchors"
remote-control:
  control-enable: no
"""
STUB = """
stub-zone:
  name: "{zone}"
  stub-addr: {address}@{port}
"""
SIGNED = (
    HEAD.format(zone="signed.example.")
    + """
v4only A 198.18.0.80
dual A 198.18.0.81
dual AAAA 2001:db8:80::81
bad4 A 198.18.0.82
bad6 A 198.18.0.83
bad6 AAAA 2001:db8:80::83
denied A 198.18.0.84
stripped A 198.18.0.85
stripped AAAA 2001:db8:80::85
alias CNAME v4only
badalias CNAME bad4
insecure NS ns.example.
zz TXT "the last one"
"""
)
EXPIRED = (
    HEAD.format(zone="expired.example.")
    + """
v4only A 198.18.0.86
dual A 198.18.0.87
dual AAAA 2001:db8:80::87
"""
)
INSECURE = (
    HEAD.format(zone="insecure.signed.example.")
    + """
v4only A 198.18.0.88
dual A 198.18.0.89
dual AAAA 2001:db8:80::89
"""
)
ROOT = (
    HEAD.format(zone=".") + "ns.example. A {address}\nsigned.example. NS ns.example.\nexpired.example. NS ns.example.\n"
)
PREFIX = "2001:db8:64:64::"


def broken(signed: str) -> str:
    """As a forger would: other addresses, a denial that nobody signed, a denial that its own NSEC contradicts."""
    signed = replaced(signed, "bad4.signed.example.", "A", "198.18.0.82", "198.18.0.66")
    signed = replaced(signed, "bad6.signed.example.", "AAAA", "2001:db8:80::83", "2001:db8:80::66")
    signed = replaced(signed, "stripped.signed.example.", "AAAA", "2001:db8:80::85", "")
    signed = replaced(signed, "stripped.signed.example.", "RRSIG AAAA", "", "")
    return unsigned(signed, "denied.signed.example.", "NSEC")


class Client:
    """Asks the DNS64 with the programs of BIND."""

    def __init__(self, port: int, anchors: Path) -> None:
        self.port = port
        self.anchors = anchors

    def dig(self, *arguments: str) -> tuple[str, set[str], list[str]]:
        """The code, the flags, and type and data of what is in the answer section."""
        command = ["dig", f"@{LOOPBACK}", "-p", str(self.port), "+noall", "+comments", "+answer", *arguments]
        out = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
        code = out.partition("status: ")[2].partition(",")[0]
        flags = set(out.partition(";; flags: ")[2].partition(";")[0].split())
        rows = [line.split() for line in out.splitlines() if line and not line.startswith(";")]
        return code, flags, [f"{row[3]} {row[4]}" for row in rows]

    def delv(self, name: str, kind: str, zone: str, *flags: str) -> str:
        """With CD, as who validates by himself should ask (§5.5, item 2)."""
        command = [
            "delv",
            f"@{LOOPBACK}",
            *flags,
            "-p",
            str(self.port),
            "-a",
            str(self.anchors),
            f"+root={zone}",
            name,
            kind,
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("validation")
    signed, anchor = sign(folder / "signed", "signed.example.", SIGNED)
    expired, expired_anchor = sign(folder / "expired", "expired.example.", EXPIRED, "-864000", "-432000")
    zones = {
        ".": ROOT.format(address=LOOPBACK),
        "signed.example.": broken(signed),
        "expired.example.": expired,
        "insecure.signed.example.": INSECURE,
    }
    resolver = folder / "unbound"
    resolver.mkdir()
    (resolver / "anchors").write_text(anchor + expired_anchor)
    keys = folder / "delv.keys"
    keys.write_text("trust-anchors {\n" + "".join(map(_static, (anchor + expired_anchor).splitlines())) + "};\n")
    ports = [free_port() for _ in range(3)]
    conf = UNBOUND.format(address=LOOPBACK, port=ports[1], folder=resolver)
    conf += "".join(STUB.format(zone=zone, address=LOOPBACK, port=ports[0]) for zone in zones)
    (resolver / "unbound.conf").write_text(conf)
    with (
        nsd(folder / "nsd", LOOPBACK, ports[0], zones),
        running(resolver, "unbound", "-d", "-c", str(resolver / "unbound.conf")),
    ):
        wait_for(LOOPBACK, ports[1], "v4only.signed.example", "A")
        settings = Dns64Settings(
            listen=(Listen(IPv4Address(LOOPBACK), ports[2]),),
            upstreams=(UpstreamServer(IPv4Address(LOOPBACK), ports[1]),),
            pref64=(Pref64(IPv6Network(f"{PREFIX}/96")),),
            allow=(ip_network("127.0.0.0/8"),),
        )
        (folder / "dns64.json").write_text(settings.to_json())
        with worker(folder):
            yield Client(ports[2], keys)


def _static(line: str) -> str:
    """A line for delv: trust in this DS, and in no other key."""
    name, _, _, tag, algorithm, digest, *hexadecimal = line.split()
    return f'  {name} static-ds {tag} {algorithm} {digest} "{"".join(hexadecimal)}";\n'


# The name, what is synthesized for it, whether the resolver calls the real A data authentic.
GOOD = [
    ("v4only.signed.example", "198.18.0.80", True),
    ("v4only.insecure.signed.example", "198.18.0.88", False),
]


@pytest.mark.parametrize("flags", [(), ("+dnssec",), ("+cd",), ("+adflag",)], ids=" ".join)
@pytest.mark.parametrize(("name", "v4", "secure"), GOOD, ids=["secure", "insecure"])
def test_good_data_are_synthesized_from(
    client: Client, name: str, v4: str, secure: bool, flags: tuple[str, ...]
) -> None:
    code, got, answer = client.dig(*flags, name, "AAAA")
    assert (code, answer) == ("NOERROR", [f"AAAA {IPv6Network(PREFIX)[0] + int(IPv4Address(v4))}"])
    assert ("ad" in got) == (secure and flags == ("+dnssec",))


@pytest.mark.parametrize(("name", "v4", "secure"), GOOD, ids=["secure", "insecure"])
def test_real_data_are_called_authentic_where_they_are(client: Client, name: str, v4: str, secure: bool) -> None:
    code, got, answer = client.dig("+dnssec", name, "A")
    assert code == "NOERROR" and answer[0] == f"A {v4}"
    assert ("ad" in got, any(row.startswith("RRSIG A") for row in answer)) == (secure, secure)
    assert "ad" not in client.dig("+noadflag", name, "A")[1]


BOGUS = [
    "bad4.signed.example",
    "bad6.signed.example",
    "denied.signed.example",
    "stripped.signed.example",
    "badalias.signed.example",
    "v4only.expired.example",
    "dual.expired.example",
]


@pytest.mark.parametrize("flags", [(), ("+dnssec",)], ids=["plain", "do"])
@pytest.mark.parametrize("name", BOGUS)
def test_bogus_data_are_an_error_and_nothing_is_made_of_them(client: Client, name: str, flags: tuple[str, ...]) -> None:
    for _ in range(2):
        assert client.dig(*flags, name, "AAAA")[::2] == ("SERVFAIL", [])


@pytest.mark.parametrize("name", BOGUS)
def test_nor_where_a_client_disables_checking(client: Client, name: str) -> None:
    code, _, answer = client.dig("+cd", name, "AAAA")
    assert not any(PREFIX in row for row in answer), answer
    assert code == "NOERROR" or not answer


def test_what_is_bogus_is_seen_by_who_checks_it_himself(client: Client) -> None:
    """CD and DO: the data as they are, with their signatures."""
    for name, kind, data in [
        ("v4only.signed.example", "A", "A 198.18.0.80"),
        ("bad4.signed.example", "A", "A 198.18.0.66"),
        ("bad6.signed.example", "AAAA", "AAAA 2001:db8:80::66"),
        ("v4only.expired.example", "A", "A 198.18.0.86"),
    ]:
        code, got, answer = client.dig("+dnssec", "+cd", name, kind)
        assert code == "NOERROR" and answer[0] == data and answer[1].startswith(f"RRSIG {kind}")
        assert "ad" not in got or name.startswith("v4only.signed")
    assert client.dig("+dnssec", "+cd", "v4only.signed.example", "AAAA")[::2] == ("NOERROR", [])
    assert client.dig("+dnssec", "+cd", "denied.signed.example", "AAAA")[::2] == ("NOERROR", [])


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("v4only.signed.example", "A", "; fully validated"),
        ("dual.signed.example", "AAAA", "; fully validated"),
        ("alias.signed.example", "A", "; fully validated"),
        ("v4only.signed.example", "AAAA", "; negative response, fully validated"),
        ("nobody.signed.example", "AAAA", "; negative response, fully validated"),
        ("v4only.insecure.signed.example", "A", "; unsigned answer"),
        ("dual.insecure.signed.example", "AAAA", "; unsigned answer"),
        ("bad4.signed.example", "A", "RRSIG failed to verify"),
        ("bad6.signed.example", "AAAA", "RRSIG failed to verify"),
        ("v4only.expired.example", "A", "RRSIG has expired"),
    ],
)
def test_delv_comes_to_its_own_verdict(client: Client, name: str, kind: str, says: str) -> None:
    out = client.delv(name, kind, "expired.example" if "expired" in name else "signed.example", "+cdflag")
    assert says in out, out
    assert PREFIX not in out


def test_a_validator_that_knows_nothing_of_dns64_asks_in_vain(client: Client) -> None:
    """RFC 6147 §6.2: without CD it is given what was synthesized, and sees that nobody signed it. The rest is well."""
    assert "insecurity proof failed" in client.delv("v4only.signed.example", "AAAA", "signed.example", "+nocdflag")
    assert "; fully validated" in client.delv("dual.signed.example", "AAAA", "signed.example", "+nocdflag")
    assert "resolution failed" in client.delv("denied.signed.example", "AAAA", "signed.example", "+nocdflag")
