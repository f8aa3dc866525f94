# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of network.toml about the DNS64; see file.py."""

from __future__ import annotations

from ipaddress import IPv6Network

from pydantic import Field

from v6native.config.filetypes import (
    Address,
    Domain,
    EngineWord,
    FailureWord,
    Prefix,
    Prefix4,
    Prefix6,
    RecordWord,
    Resolver,
    Server,
    Table,
)
from v6native.config.modeldns import (
    AaaaFailure,
    DnsEngine,
)


class DnsZoneTable(Table):
    """A domain, and what is below it, that other resolvers are asked about."""

    name: Domain = Field(description="The domain.", examples=["dn42"])
    upstream: list[Server] = Field(
        description="Whom to ask: as in `dns64.upstream`, without the words.",
        examples=[["2001:db8::d42"]],
        min_length=1,
    )


class DnsRecordTable(Table):
    """A record that nodes answer themselves. A name of these exists with these records only."""

    name: Domain = Field(description="Whose it is.", examples=["printer.home.arpa"])
    type: RecordWord = Field(description="`A`, `AAAA` or `PTR`.", examples=["AAAA"])
    value: str = Field(description="An address, or for `PTR` a name.", examples=["2001:db8:1::9"])
    ttl: int = Field(default=300, ge=0, le=2**31 - 1, description="Seconds for which clients keep it.", examples=[300])


class DnsViewTable(Table):
    """What some clients are answered otherwise. A client in several views has that with the longest prefix."""

    source: list[Prefix] = Field(
        description="The clients. They may ask only if they might without this.",
        examples=[["2001:db8:5::/48"]],
        min_length=1,
    )
    pref64: list[Prefix6] = Field(
        description="With which of `network.pref64` AAAA records are made for them; empty: real ones only.",
        examples=[["2001:db8:64:64::/96"]],
    )


class DnsTlsTable(Table):
    """DNS over TLS and over HTTPS on the addresses that answer. Clients that ask plainly are told of it (RFC 9462)."""

    name: Domain = Field(
        description="The resolver's name. For clients to change over by themselves the certificate has to be of the addresses "
        "that they ask, too.",
        examples=["dns.example.net"],
    )
    certificate: str = Field(
        description="A file: the certificate and those above it, in PEM form; read anew within ten seconds of a change.",
        examples=["/etc/v6native/tls/fullchain.pem"],
    )
    key: str = Field(description="A file: its private key.", examples=["/etc/v6native/tls/key.pem"])
    dot: int = Field(default=853, ge=0, le=65535, description="The port of DNS over TLS; 0: none.", examples=[853])
    doh: int = Field(
        default=443,
        ge=0,
        le=65535,
        description="The port of DNS over HTTPS, at `/dns-query`; 0: none.",
        examples=[8443],
    )


class Dns64Table(Table):
    """The resolver that synthesizes AAAA records (RFC 6147)."""

    enabled: bool = Field(default=True, description="Whether nodes answer DNS.", examples=[True])
    engine: EngineWord = Field(
        default=DnsEngine.BUILTIN,
        description="Who answers: `builtin`, or an `unbound` that the node runs, with its dns64 module: the classic arrangement, which "
        "knows less.",
        examples=["unbound"],
    )
    listen: list[Address] = Field(
        default=[],
        description="Addresses to answer on. Empty: the node's addresses on its LANs and tunnels.",
        examples=[["2001:db8:1::1"]],
    )
    upstream: list[Resolver] = Field(
        default=["system"],
        description="Resolvers to ask: `system` (/etc/resolv.conf), `unbound` (on this machine), `own` (an unbound "
        "that the node runs, which asks the authoritative servers and validates), addresses, "
        "`ADDRESS#PORT`, encrypted `tls://ADDRESS#NAME` or `https://ADDRESS/PATH#NAME`, where NAME is in the certificate "
        "(without: ADDRESS is).",
        examples=[["2001:db8::53", "tls://[2001:db8::853]#dns.example.net"]],
        min_length=1,
    )
    pref64: list[Prefix6] = Field(
        default=[],
        description="With which of `network.pref64` AAAA records are made, one with each. Empty: with the first.",
        examples=[["2001:db8:64:64::/96"]],
    )
    synthesize_for_dual: bool = Field(
        default=False,
        description="Whether tunnel clients that have an IPv4 address are told AAAA records that were made, too. Without, "
        "they reach IPv4 by IPv4, which their tunnel's CLAT carries.",
        examples=[True],
    )
    exclude_aaaa: list[Prefix6] = Field(
        default=[IPv6Network("::ffff:0:0/96")],
        description="AAAA answers in these are treated as absent (RFC 6147 §5.1.4).",
        examples=[["::ffff:0:0/96"]],
    )
    exclude_ipv4: list[Prefix4] = Field(
        default=[],
        description="No AAAA is made of A records in these. With 64:ff9b::/96 none is made of non-global ones either, but "
        "for `nat64.allow_ipv4` (RFC 6052 §3.1).",
        examples=[["192.0.2.0/24"]],
    )
    never_synthesize: list[Domain] = Field(
        default=[],
        description="Domains that, with all below them, have their real AAAA records only.",
        examples=[["example.com"]],
    )
    aaaa_failure: FailureWord = Field(
        default=AaaaFailure.SYNTHESIZE,
        description="What a question for AAAA leads to whose answer is an error, or does not come: `synthesize` from the A "
        "records, which keeps names usable whose servers are deaf to AAAA (RFC 6147 §5.1.2), or `fail`.",
        examples=["fail"],
    )
    serve_stale: bool = Field(
        default=True,
        description="Whether answers up to a day past their time are given where resolvers fail, or take longer than 1.8 "
        "seconds (RFC 8767).",
        examples=[True],
    )
    block: list[str] = Field(
        default=[],
        description="Files with names that are not answered: hosts files, lists of domains, of adblockers, dnsmasq or response "
        "policy zones. Read anew within ten seconds of a change.",
        examples=[["/etc/v6native/block.txt"]],
    )
    never_block: list[Domain] = Field(
        default=[], description="Domains that no list blocks, with all below them.", examples=[["example.com"]]
    )
    client_per_second: int = Field(
        default=1000,
        ge=0,
        le=1_000_000,
        description="Questions a second that one client may ask, which is a /64, or an address of a view or of IPv4; 0: any number. "
        "Above it some are told to come by TCP, the others get no answer.",
        examples=[1000],
    )
    count_names: bool = Field(
        default=True,
        description="Whether it is counted which domains are asked for, and by about how many clients, never which: `v6native dns top`.",
        examples=[False],
    )
    query_log: str = Field(
        default="",
        description="A file to which each question is written with its client and answer, a JSON object a line; opened anew after "
        "`v6native reload`, and where it was moved. Empty: none.",
        examples=["/var/log/v6native/queries.json"],
    )
    trust_anchor: str = Field(
        default="/usr/share/dns/root.key",
        description="The root's key, by which an unbound that the node runs validates. Debian's package dns-root-data has it.",
        examples=["/var/lib/unbound/root.key"],
    )
    authorities: str = Field(
        default="",
        description="A file with certificates, in PEM form, that those of encrypted resolvers may come from, besides what the "
        "system trusts.",
        examples=["/etc/v6native/tls/our-ca.pem"],
    )
    tls: DnsTlsTable | None = Field(default=None, description="DNS over TLS and over HTTPS.")
    view: list[DnsViewTable] = Field(
        default=[], description="What some clients are answered, one `[[dns64.view]]` each."
    )
    zone: list[DnsZoneTable] = Field(
        default=[], description="Domains that other resolvers are asked about, one `[[dns64.zone]]` each."
    )
    record: list[DnsRecordTable] = Field(
        default=[], description="Records that nodes answer themselves, one `[[dns64.record]]` each."
    )
