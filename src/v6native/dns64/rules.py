# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""RFC 6147's decisions: what a client is answered, from what upstream said. Pure; `now` is whole seconds.

`decide()` either has the answer, or names the upstream question that it needs first; asked again with that answered,
it goes on. An answer that it was given may be older than now: all TTLs are counted down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Network

from v6native.address import is_wkp, non_global
from v6native.config.modeldns import AaaaFailure
from v6native.dns64 import reverse, special, wire
from v6native.dns64.answer import Answer, build, build_addresses, failure
from v6native.dns64.query import Query, key, key_for
from v6native.dns64.settings import Pref64, Tls
from v6native.dns64.wire import Record

# The TTL of a synthesized record where the negative answer had no SOA (RFC 6147 §5.1.7).
NO_SOA_TTL = 600

# Clients come back soon where a name is taken off the list.
BLOCKED_TTL = 60

_ADDRESSES = (wire.A, wire.AAAA)

# A record that is named by a pointer to the question: name, type and class, and behind the TTL the length of the address.
_PLAIN_A, _PLAIN_AAAA = (b"\xc0\x0c\0\1\0\1", b"\0\4"), (b"\xc0\x0c\0\x1c\0\1", b"\0\x10")

Find = Callable[[bytes], Answer | None]


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for every client; see Dns64Settings for the words. `never` holds lower-cased wire names."""

    exclude_aaaa: tuple[IPv6Network, ...] = ()
    exclude_ipv4: tuple[IPv4Network, ...] = ()
    open_ipv4: tuple[IPv4Network, ...] = ()
    never: frozenset[bytes] = frozenset()
    aaaa_failure: AaaaFailure = AaaaFailure.SYNTHESIZE
    tls: Tls | None = None
    blocked: Callable[[bytes], bool] = lambda _name: False
    excluded: tuple[tuple[int, int], ...] = field(init=False)

    def __post_init__(self) -> None:
        """`excluded`: of each network in exclude_aaaa, mask and address as numbers."""
        networks = [(int(network.netmask), int(network.network_address)) for network in self.exclude_aaaa]
        object.__setattr__(self, "excluded", tuple(networks))

    def excludes(self, rdata: bytes) -> bool:
        """Whether a real address, as octets, counts as absent."""
        number = int.from_bytes(rdata, "big")
        return any(number & mask == address for mask, address in self.excluded)


class Embedding:
    """A pref64 as octets: `head`, the IPv4 address with an octet of zero behind its first `cut`, `tail` (RFC 6052 §2.2)."""

    __slots__ = ("cut", "head", "rule", "tail", "wkp")

    def __init__(self, rule: Pref64) -> None:
        size = rule.prefix.prefixlen // 8
        self.rule = rule
        self.wkp = is_wkp(rule.prefix)
        self.head = rule.prefix.network_address.packed[:size]
        self.cut = 8 - size if size <= 8 else None
        self.tail = bytes(16 - size - 5) if size <= 8 else b""

    def embed(self, v4: bytes) -> bytes:
        """As address.embed, on octets: it is done for each address of each answer."""
        cut = self.cut
        return self.head + v4 if cut is None else self.head + v4[:cut] + b"\0" + v4[cut:] + self.tail


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What holds for the clients of one source prefix; `reverse64`: the prefixes whose PTR is answered (§5.3.1)."""

    pref64: tuple[Pref64, ...]
    reverse64: tuple[IPv6Network, ...]
    policy: Policy
    embeddings: tuple[Embedding, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "embeddings", tuple(Embedding(rule) for rule in self.pref64))


@dataclass(frozen=True, slots=True)
class Need:
    """The upstream question (a key) to be answered first, and one that may be asked beside it when that takes long."""

    key: bytes
    beside: bytes | None = None


def decide(query: Query, view: View, find: Find, now: int) -> Answer | Need:
    """What `query` is answered for a client of `view`; `find` gives upstream's answers as far as they are known."""
    if query.cls == wire.IN:
        if query.name.endswith(special.IPV4ONLY):
            local = special.ipv4only(query, [rule.prefix for rule in view.pref64], now)
            if local is not None:
                return local
        if query.name.endswith(special.RESOLVER_ARPA):
            local = special.designated(query, view.policy.tls, now)
            if local is not None:
                return local
        if view.policy.blocked(query.name):
            return special.negative(
                query.name + query.question[-4:], wire.NXDOMAIN, query.name, now, BLOCKED_TTL, "blocked"
            )
        # A client that validates by itself gets the truth (§5.5, item 3).
        if not (query.do and query.cd):
            if query.type == wire.AAAA:
                return _aaaa(query, view, find, now)
            if query.type == wire.PTR and (target := reverse.embedded(query.name, view.reverse64)) is not None:
                return _pointer(query, *target, find, now)
    wanted = key(query)
    return find(wanted) or Need(wanted)


def _aaaa(query: Query, view: View, find: Find, now: int) -> Answer | Need:
    wanted = key(query)
    # Synthesis starts from data that was checked, even where the client did not ask for that (RFC 4035 §3.2.2).
    wanted_a = key(query, wire.A, cd=False)
    aaaa = find(wanted)
    if aaaa is None:
        return Need(wanted, wanted_a)
    if aaaa.memo is not None:
        maker, source, made = aaaa.memo
        if maker is view and now < made.expires and (source is None or source is find(wanted_a)):
            return made
    if (stands := _stands(query, view.policy, aaaa, now)) is not None:
        aaaa.memo = (view, None, stands)
        return stands
    never = view.policy.never
    if not view.pref64 or (never and any(suffix in never for suffix in wire.suffixes(query.name))):
        return _empty(query, aaaa, None, now)
    if _in_doubt(query, aaaa):
        other = find(key(query, cd=not query.cd))
        if other is None:
            return Need(key(query, cd=not query.cd), wanted_a)
        if other.failed != aaaa.failed and (aaaa if aaaa.failed else other).origin == "upstream":
            return _empty(query, aaaa, None, now)
    a = find(wanted_a)
    if a is None:
        return Need(wanted_a)
    made = _synthesized(query, view, aaaa, a, now)
    aaaa.memo = (view, a, made)
    return made


def _in_doubt(query: Query, aaaa: Answer) -> bool:
    """Whether the answer might be bogus: then it must not lead to synthesis, or a forger who denies the AAAA records, and
    can prove nothing, would get round DNSSEC (§5.5, item 2). A validator says SERVFAIL to what is bogus, as to what it
    could not get; only the latter fails with CD as well. What came with CD was not validated at all.
    """
    return not aaaa.failed if query.cd else aaaa.rcode == wire.SERVFAIL and aaaa.origin == "upstream"


def _stands(query: Query, policy: Policy, aaaa: Answer, now: int) -> Answer | None:
    """The answer where there is AAAA data, or an error that is passed on; None where synthesis is to be tried."""
    if aaaa.rcode == wire.NXDOMAIN:
        return aaaa
    if aaaa.failed:
        return aaaa if policy.aaaa_failure is AaaaFailure.FAIL else None
    if not aaaa.has_answer:
        return None
    plain = _plain(aaaa, len(query.name) + 4, now, _PLAIN_AAAA)
    if plain is not None and not any(policy.excludes(rdata) for _, rdata in plain):
        return aaaa
    # Of another class it is no address, and may have any length.
    records = wire.parse(aaaa.message).answer
    real = [record for record in records if record.type == wire.AAAA and record.cls == wire.IN]
    usable = frozenset(record for record in real if not policy.excludes(record.rdata))
    if not usable:
        return None
    # Some are usable: those alone are the answer (§5.1.4).
    return aaaa if len(usable) == len(real) else _without_addresses(query, aaaa, usable, now)


def _synthesized(query: Query, view: View, aaaa: Answer, a: Answer, now: int) -> Answer:
    """§5.1.6 and §5.1.7: the answer from the A records, or where there are none, the negative one."""
    if a.rcode != wire.NOERROR:
        return a
    soa_ttl = aaaa.remaining_soa_ttl(now)
    ceiling = NO_SOA_TTL if soa_ttl is None else soa_ttl
    question = query.name + query.question[-4:]
    plain = _plain(a, len(question), now, _PLAIN_A)
    if plain is not None:
        found = [(min(ttl, ceiling), out) for ttl, rdata in plain for out in _addresses(rdata, view)]
        made = build_addresses(question, found, now) if found else None
    else:
        made = _from_all_records(question, view, a, now, ceiling)
    if made is None:
        return _empty(query, aaaa, a, now)
    # To who understands DNSSEC: upstream vouches for the A, and that there is no AAAA (§5.5, item 2; not item 1).
    made.authentic = query.do and aaaa.authentic and a.authentic
    return made


def _from_all_records(question: bytes, view: View, a: Answer, now: int, ceiling: int) -> Answer | None:
    """The same of an answer that holds other records, too; None where no address can be made."""
    message = wire.parse(bytes(a.aged(now)))
    answer: list[Record] = []
    found = False
    for record in message.answer:
        if record.type == wire.A:
            # Of another class it is no address, and may have any length.
            for rdata in _addresses(record.rdata, view) if record.cls == wire.IN else ():
                found = True
                answer.append(Record(record.name, wire.AAAA, wire.IN, min(record.ttl, ceiling), rdata))
        elif not _signs(record, wire.A):
            answer.append(record)
    if not found:
        return None
    sections = (answer, message.authority, message.additional)
    return build(question, wire.NOERROR, sections, now, ceiling, "synthesized")


def _plain(answer: Answer, question: int, now: int, form: tuple[bytes, bytes]) -> list[tuple[int, bytes]] | None:
    """TTLs and addresses of an answer that is address records of the very name and nothing else, as most are: without
    reading it whole. None where it is another one; `question`: its length."""
    message = answer.message
    name_type_class, length = form
    size = 12 + length[1]
    begin = wire.HEADER + question
    if message[8:12] != b"\0\0\0\0" or len(message) != begin + size * (message[6] << 8 | message[7]):
        return None
    found = []
    age = now - answer.born
    for pos in range(begin, len(message), size):
        if message[pos : pos + 6] != name_type_class or message[pos + 10 : pos + 12] != length:
            return None
        ttl = int.from_bytes(message[pos + 6 : pos + 10], "big")
        found.append((max(0, ttl - age), message[pos + 12 : pos + size]))
    return found


def _empty(query: Query, aaaa: Answer, a: Answer | None, now: int) -> Answer:
    """The answer where nothing was synthesized: upstream's own to the AAAA question (§5.4), or where that was an error or
    says nothing negative, to the A question (§5.1.6), and none of the addresses in it."""
    better = a is not None and (aaaa.failed or (aaaa.soa_ttl is None and a.soa_ttl is not None))
    basis = a if a is not None and better else aaaa
    return basis if basis.failed else _without_addresses(query, basis, frozenset(), now)


def _without_addresses(query: Query, basis: Answer, usable: frozenset[Record], now: int) -> Answer:
    """`basis` without address records but the `usable` ones, nor signatures, which no longer fit."""
    message = wire.parse(basis.message)
    kept = [
        record
        for record in message.answer
        if record in usable or not (record.type in _ADDRESSES or _signs(record, wire.A) or _signs(record, wire.AAAA))
    ]
    if len(kept) == len(message.answer):
        return basis
    sections = (kept, message.authority, message.additional)
    answer = build(query.name + query.question[-4:], wire.NOERROR, sections, basis.born, NO_SOA_TTL, "filtered")
    answer.expires = min(answer.expires, max(basis.expires, now))
    return answer


def _signs(record: Record, kind: int) -> bool:
    return record.type == wire.RRSIG and int.from_bytes(record.rdata[:2], "big") == kind


def _addresses(rdata: bytes, view: View) -> Iterator[bytes]:
    """The IPv6 addresses for an A record, in the order of the configured prefixes (§5.1.7, §5.2)."""
    policy = view.policy
    if policy.exclude_ipv4 and _within(rdata, policy.exclude_ipv4):
        return
    for embedding in view.embeddings:
        serves = embedding.rule.ipv4
        if serves and not _within(rdata, serves):
            continue
        # The well-known prefix stands for global IPv4 only (RFC 6052 §3.1).
        if embedding.wkp and non_global(IPv4Address(rdata)) and not _within(rdata, policy.open_ipv4):
            continue
        yield embedding.embed(rdata)


def _within(rdata: bytes, networks: tuple[IPv4Network, ...]) -> bool:
    v4 = IPv4Address(rdata)
    return any(v4 in network for network in networks)


def _pointer(query: Query, prefix: IPv6Network, v4: IPv4Address, find: Find, now: int) -> Answer | Need:
    """A PTR of our own for an address under a pref64 (§5.3.1, first way): the name that the IPv4 address has.

    Not the CNAME into in-addr.arpa (the second way): that must not be made where a CNAME is there already, as with
    every classless delegation (RFC 2317), and RFC 8880 §7.2.1 describes this way.
    """
    question = query.name + query.question[-4:]
    if v4 in special.WELL_KNOWN:
        names = [Record(query.name, wire.PTR, wire.IN, special.TTL, special.IPV4ONLY)]
        return build(question, wire.NOERROR, (names,), now, special.TTL, "local", wire.AA)
    wanted = key_for(reverse.in_addr_name(v4), wire.PTR, query.do)
    basis = find(wanted)
    if basis is None:
        return Need(wanted)
    if basis.failed:
        return failure(question, basis.rcode, now, max(1, basis.expires - now))
    message = wire.parse(bytes(basis.aged(now)))
    chain = [record.ttl for record in message.answer if record.type in (wire.CNAME, wire.DNAME, wire.PTR)]
    pointers = [
        Record(query.name, wire.PTR, wire.IN, min(chain), record.rdata)
        for record in message.answer
        if record.type == wire.PTR
    ]
    if pointers:
        return build(question, wire.NOERROR, (pointers,), now, 0, "synthesized")
    return special.negative(question, basis.rcode, reverse.zone_name(prefix), now, basis.remaining_soa_ttl(now) or 0)
