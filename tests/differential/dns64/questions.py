# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The zones and what is asked about them."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address

from tests.differential.dns64.peers import NSD, PREFIX
from tests.integration.dns64.zones import HEAD, replaced, unsigned

# Every zone lies on one server.
EXAMPLE = (
    HEAD.format(zone="example.")
    + f"""
ns A {NSD}
v4only A 198.18.0.80
v6only AAAA 2001:db8:80::81
dual A 198.18.0.81
dual AAAA 2001:db8:80::81
neither TXT "neither"
mapped A 198.18.0.82
mapped AAAA ::ffff:198.18.0.82
mappedonly AAAA ::ffff:198.18.0.83
mixed A 198.18.0.84
mixed AAAA 2001:db8:80::84
mixed AAAA ::ffff:198.18.0.84
low AAAA ::c612:55
low A 198.18.0.85
alias CNAME v4only
alias2 CNAME alias
alias6 CNAME v6only
aliasdual CNAME dual
aliasneither CNAME neither
aliasmapped CNAME mapped
dangling CNAME nobody
across CNAME www.other.example.
old DNAME new
www.new A 198.18.0.86
six.new AAAA 2001:db8:80::86
private A 10.1.2.3
loopback A 127.0.0.1
short 30 A 198.18.0.87
long 100000 A 198.18.0.88
zero 0 A 198.18.0.89
*.wild A 198.18.0.90
deep.down.empty A 198.18.0.91
@ MX 10 v4only
_sip._udp SRV 1 2 5060 v4only
web HTTPS 1 . alpn=h2 ipv4hint=198.18.0.92
web A 198.18.0.92
other NS ns.example.
signed NS ns.example.
broken NS ns.example.
"""
    + "".join(f"many A 198.18.1.{i}\n" for i in range(1, 201))
)
OTHER = HEAD.format(zone="other.example.") + "www A 198.18.0.93\n"
SIGNED = (
    HEAD.format(zone="signed.example.")
    + """
v4only A 198.18.0.100
dual A 198.18.0.101
dual AAAA 2001:db8:80::101
alias CNAME v4only
bad4 A 198.18.0.102
bad6 A 198.18.0.103
bad6 AAAA 2001:db8:80::103
denied A 198.18.0.104
zz TXT "the last one"
"""
)
ROOT = HEAD.format(zone=".") + f"ns.example. A {NSD}\nexample. NS ns.example.\narpa. NS ns.example.\n"
ARPA = (
    HEAD.format(zone="arpa.")
    + """
in-addr NS ns.example.
ip6 NS ns.example.
ipv4only 86400 A 192.0.0.170
ipv4only 86400 A 192.0.0.171
"""
)
IN_ADDR = (
    HEAD.format(zone="in-addr.arpa.")
    + """
80.0.18.198 PTR v4only.example.
81.0.18.198 CNAME 81.64-95.0.18.198
81.64-95.0.18.198 PTR dual.example.
"""
)
IP6 = (
    HEAD.format(zone="ip6.arpa.") + "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.3 PTR six.example.\n"
)


def zones(signed: str) -> dict[str, str | None]:
    """All zones; of the signed one an address, another and a denial are forged."""
    signed = replaced(signed, "bad4.signed.example.", "A", "198.18.0.102", "198.18.0.66")
    signed = replaced(signed, "bad6.signed.example.", "AAAA", "2001:db8:80::103", "2001:db8:80::66")
    return {
        ".": ROOT, "example.": EXAMPLE, "other.example.": OTHER, "arpa.": ARPA, "in-addr.arpa.": IN_ADDR, "ip6.arpa.": IP6,
        "signed.example.": unsigned(signed, "denied.signed.example.", "NSEC"),
        # Configured without a file: SERVFAIL.
        "broken.example.": None,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    name: str
    kind: str
    do: bool = False
    cd: bool = False

    def __str__(self) -> str:
        return f"{self.name} {self.kind}" + " +do" * self.do + " +cd" * self.cd


def pointer(v4: str) -> str:
    return (PREFIX[int(IPv4Address(v4))]).reverse_pointer


_NAMES = [
    "v4only", "v6only", "dual", "neither", "mapped", "mappedonly", "mixed", "low", "alias", "alias2", "alias6", "aliasdual",
    "aliasneither", "aliasmapped", "dangling", "across", "www.old", "six.old", "nobody.old", "private", "loopback", "short",
    "long", "zero", "any.wild", "empty", "down.empty", "many", "web", "nobody", "x.broken",
    "v4only.signed", "dual.signed", "alias.signed", "bad4.signed", "bad6.signed", "denied.signed", "nobody.signed",
]  # fmt: skip
_OTHERS = [
    # First: what an answer says of the SOA, some keep only for as long as a negative answer.
    ("example", "SOA"), ("v4only.example", "ANY"), ("dual.example", "ANY"), ("example", "MX"), ("v4only.example", "MX"), ("example", "NS"),
    ("_sip._udp.example", "SRV"), ("web.example", "HTTPS"), ("v4only.example", "HTTPS"),
    ("v4only.example", "TXT"), ("v4only.example", "TYPE65280"), ("alias.example", "CNAME"), ("old.example", "DNAME"),
    ("ipv4only.arpa", "A"), ("ipv4only.arpa", "AAAA"), ("ipv4only.arpa", "MX"),
    (pointer("198.18.0.80"), "PTR"), (pointer("198.18.0.81"), "PTR"), (pointer("198.18.0.82"), "PTR"),
    (pointer("192.0.0.170"), "PTR"), (pointer("198.18.0.80"), "TXT"), ("80.0.18.198.in-addr.arpa", "PTR"),
    ("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.3.ip6.arpa", "PTR"),
]  # fmt: skip
QUESTIONS = [
    Question(name, kind, do, cd)
    for name, kind in _OTHERS[:1]
    + [(f"{name}.example", kind) for name in _NAMES for kind in ("AAAA", "A")]
    + _OTHERS[1:]
    for do in (False, True)
    for cd in (False, True)
]
