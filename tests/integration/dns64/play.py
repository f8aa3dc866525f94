# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Plays a script's case: a whole DNS64 with its sockets, a client and an upstream in one thread, under a clock that stands still.

Time goes on only where the script says so, and nothing is waited for but what the script says comes next.
"""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from ipaddress import IPv6Network

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from tests.integration.dns64.script import SECTIONS, SETTINGS, Case, Question, Step
from tests.integration.dns64.scripted import DEADLINE, LOOPBACK, free_port, packed, settings_for
from v6native.dns64.loop import READ, Loop
from v6native.dns64.server import Server
from v6native.dns64.settings import Pref64, Timing, UpstreamServer
from v6native.dns64.stats import Stats

PREF64 = Pref64(IPv6Network("2001:db8:64::/96"))
START = 1000.0
_FLAGS = {"rd": dns.flags.RD, "cd": dns.flags.CD, "ad": dns.flags.AD}
_QUIET = 0.05


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class Upstream:
    """Upstream's sockets, in the loop of what asks it. `asked` is what nobody has looked at yet."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.says: dict[Question, Step] = {}
        self.asked: list[Question] = []
        self.port = free_port()
        self._udp = socket.socket(type=socket.SOCK_DGRAM)
        self._udp.bind((LOOPBACK, self.port))
        self._tcp = socket.create_server((LOOPBACK, self.port))
        self._clients: list[socket.socket] = []
        loop.add(self._udp.fileno(), READ, self._datagram)
        loop.add(self._tcp.fileno(), READ, self._accept)

    def close(self) -> None:
        for made in (self._udp, self._tcp, *self._clients):
            self.loop.remove(made.fileno())
            made.close()

    def _datagram(self, _events: int) -> None:
        octets, peer = self._udp.recvfrom(65535)
        answer = self._answer(octets, False)
        if answer is not None:
            self._udp.sendto(answer, peer)

    def _accept(self, _events: int) -> None:
        client, _ = self._tcp.accept()
        client.settimeout(DEADLINE)
        self._clients.append(client)
        self.loop.add(client.fileno(), READ, lambda _events: self._stream(client))

    def _stream(self, client: socket.socket) -> None:
        octets = client.recv(65535)
        if not octets:
            self.loop.remove(client.fileno())
            client.close()
            self._clients.remove(client)
            return
        # The question comes in one piece: one small write on loopback.
        answer = self._answer(octets[2:], True)
        if answer is not None:
            client.sendall(len(answer).to_bytes(2, "big") + answer)

    def _answer(self, octets: bytes, tcp: bool) -> bytes | None:
        query = dns.message.from_wire(octets)
        assert isinstance(query, dns.message.QueryMessage)
        (asked,) = query.question
        words = {"+cd"} if query.flags & dns.flags.CD else set()
        words |= {"+do"} if query.ednsflags & dns.flags.DO else set()
        words |= {f"class={dns.rdataclass.to_text(asked.rdclass)}"} if asked.rdclass != dns.rdataclass.IN else set()
        name, kind = asked.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(asked.rdtype)
        plain = Question(name, kind, frozenset(words))
        self.asked.append(replace(plain, words=plain.words | {"tcp"}) if tcp else plain)
        step = self._told(plain)
        if step is None or step.words == ("silence",):
            return None
        message = dns.message.make_response(query, recursion_available=True)
        words_left = [word for word in step.words if word not in ("truncated", "ad")]
        message.set_rcode(dns.rcode.from_text(words_left[0]))
        message.flags |= dns.flags.AD if "ad" in step.words else 0
        for section, text in step.records:
            owner, ttl, rdtype, rdata = text.split(maxsplit=3)
            cls = dns.rdataclass.to_text(asked.rdclass)
            getattr(message, section).append(dns.rrset.from_text(owner, int(ttl), cls, rdtype, rdata))
        if "truncated" in step.words and not tcp:
            message.flags |= dns.flags.TC
            message.answer.clear()
        return packed(message, query, tcp)

    def _told(self, asked: Question) -> Step | None:
        """What the script says to just this question, else to the one without flags."""
        return self.says.get(asked) or self.says.get(replace(asked, words=asked.words - {"+do", "+cd"}))


class Play:
    """One case from its first step to its last; `AssertionError` names the script's line."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.clock = Clock()
        self.loop = Loop(self.clock)
        self.upstream = Upstream(self.loop)
        self.trusted = True
        self.settings = settings_for(pref64=(), timing=Timing(failure=5), upstreams=self._upstreams())
        self.server: Server | None = None
        self._open: tuple[Question, dns.message.QueryMessage, socket.socket] | None = None

    def run(self) -> None:
        try:
            for step in self.case.steps:
                getattr(self, f"_{step.what}")(step)
            assert self._open is None, "the case ends with an open question"
            self._nothing_else("after the last step")
            assert self.loop.errors == 0, "a handler raised; see the log"
        except AssertionError as error:
            line = f"{self.case.key.partition('/')[0]}.script:{step.line}"
            raise AssertionError(f"{line} ({self.case.key}, §{self.case.section} {self.case.text})\n{error}") from error
        finally:
            if self._open is not None:
                self._open[2].close()
            self.upstream.close()
            if self.server is not None:
                self.server.close()
            self.loop.close()

    def _upstreams(self) -> tuple[UpstreamServer, ...]:
        return (UpstreamServer(settings_for().listen[0].address, self.upstream.port, self.trusted),)

    def _until(self, condition: object, what: str) -> None:
        until = time.monotonic() + DEADLINE
        while not condition():  # type: ignore[operator]
            assert time.monotonic() < until, f"{what}; upstream was asked {self._shown_asked()}"
            self.loop.turn(_QUIET)

    def _shown_asked(self) -> str:
        return ", ".join(map(str, self.upstream.asked)) or "nothing more"

    def _nothing_else(self, when: str, seconds: float = 0) -> None:
        """What is under way arrives; `seconds` more for where it must not be too late."""
        for wait in (0, seconds):
            self.loop.turn(wait)
        assert not self.upstream.asked, f"{when}: upstream was also asked {self._shown_asked()}"

    def _upstream(self, step: Step) -> None:
        assert step.question is not None
        self.upstream.says[step.question] = step

    def _set(self, step: Step) -> None:
        key, *words = step.words
        name, change = SETTINGS[key]
        if name == "trusted":
            self.trusted = change(words, None)
            changes = {"upstreams": self._upstreams()}
        else:
            changes = {name: () if words == ["none"] else change(words, getattr(self.settings, name))}
        self.settings = replace(self.settings, **changes)
        if self.server is not None:
            self.server.reload(self.settings)

    def _ask(self, step: Step) -> None:
        assert step.question is not None and self._open is None, "the last question is not answered yet"
        if self.server is None:
            if not self.settings.pref64:
                self.settings = replace(self.settings, pref64=(PREF64,))
            self.server = Server(self.loop, Stats(), self.settings)
        asked = step.question
        version = asked.option("+edns", "0")
        edns = "+do" in asked.words or any(word.startswith("+edns") for word in asked.words)
        query = dns.message.make_query(
            asked.name,
            asked.kind,
            asked.option("class", "IN"),
            use_edns=int(version) if edns else False,
            want_dnssec="+do" in asked.words,
            payload=1232,
        )
        query.flags = dns.flags.Flag(0 if "-rd" in asked.words else dns.flags.RD)
        for word in ("+cd", "+ad"):
            query.flags |= _FLAGS[word[1:]] if word in asked.words else 0
        octets, tcp = query.to_wire(), "tcp" in asked.words
        client = socket.socket(type=socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
        client.bind((asked.option("from", LOOPBACK), 0))
        client.connect((LOOPBACK, self.settings.listen[0].port))
        client.sendall(len(octets).to_bytes(2, "big") + octets if tcp else octets)
        client.setblocking(False)
        self._open = (asked, query, client)

    def _asked(self, step: Step) -> None:
        self._until(lambda: self.upstream.asked, f"upstream is not asked {step.question}")
        found = self.upstream.asked.pop(0)
        assert found == step.question, f"upstream is asked {found}, not {step.question}"

    def _pass(self, step: Step) -> None:
        self._nothing_else("before time goes on", _QUIET / 5)
        if self._open is not None:
            assert _received(self._open[2]) is None, "there is an answer before time goes on"
        self.clock.now += float(step.words[0])
        self.loop.turn(0)

    def _answer(self, step: Step) -> None:
        assert self._open is not None, "nothing was asked"
        asked, query, client = self._open
        got: list[bytes] = []

        def arrived() -> bool:
            octets = _received(client)
            got.extend([] if octets is None else [octets])
            return bool(octets)

        self._until(arrived, f"there is no answer to {asked}")
        client.close()
        self._open = None
        octets = got[0][2:] if "tcp" in asked.words else got[0]
        message = dns.message.from_wire(octets, one_rr_per_rrset=True)
        assert message.id == query.id
        rcode, *flags = step.words
        if message.rcode() not in (dns.rcode.FORMERR, dns.rcode.NOTIMP):
            assert message.question[0].to_text() == query.question[0].to_text(), "the question is the client's own"
        wanted = [" ".join((rcode, *sorted(flags))), *(f"{section}: {text}" for section, text in step.records)]
        found = shown(message)
        assert found == wanted, "\n".join(["is answered", *found, "instead of", *wanted])
        self._nothing_else("with the answer")


def _received(client: socket.socket) -> bytes | None:
    """What has come, not taken away where it is not whole; None where nothing has."""
    try:
        octets = client.recv(65535, socket.MSG_PEEK)
    except BlockingIOError:
        return None
    if client.type == socket.SOCK_STREAM and len(octets) < 2 + int.from_bytes(octets[:2], "big"):
        return None
    return octets


def shown(message: dns.message.Message) -> list[str]:
    """An answer as the scripts write it: the code and flags, then section: record."""
    names = {"aa": dns.flags.AA, "tc": dns.flags.TC, "rd": dns.flags.RD, "ra": dns.flags.RA, **_FLAGS}
    flags = {name for name, bit in names.items() if message.flags & bit}
    flags |= {"edns"} if message.edns >= 0 else set()
    flags |= {"do"} if message.ednsflags & dns.flags.DO else set()
    assert message.flags & dns.flags.QR
    lines = [" ".join((dns.rcode.to_text(message.rcode()), *sorted(flags)))]
    for section in SECTIONS:
        for rrset in getattr(message, section):
            kind = dns.rdatatype.to_text(rrset.rdtype)
            lines += [f"{section}: {rrset.name} {rrset.ttl} {kind} {rdata.to_text()}" for rdata in rrset]
    return lines
