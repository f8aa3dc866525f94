# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Upstreams that are asked over TLS and HTTPS: a real unbound, and servers with bad certificates or manners."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import dns.message
import dns.rcode
import pytest

from tests.integration.dns64.scripted import (
    DEADLINE,
    LOOPBACK,
    Running,
    Script,
    Upstream,
    addresses,
    dns64,
    eventually,
    free_port,
    zone,
)
from tests.integration.dns64.test_encrypted import MAPPED, NAME, certificate
from tests.integration.dns64.test_service import RECORDS
from tests.integration.dns64.test_unbound import unbound
from v6native.config.modeldns import (
    UpstreamTls,
)
from v6native.dns64 import channel
from v6native.dns64.probe import ask
from v6native.dns64.settings import Timing, UpstreamServer

TLS = """
server:
  interface: {address}@{dot}
  interface: {address}@{doh}
  tls-port: {dot}
  https-port: {doh}
  http-endpoint: "/dns-query"
  tls-service-pem: "{keys}/cert.pem"
  tls-service-key: "{keys}/key.pem"
"""


BRIEF = Timing(query=1.0, hedge=0.1, parallel_a=0.2, failure=1, tcp_idle=5.0)
"""For what ends in an error: who has no other server waits for this one until the end."""
PATIENT = replace(BRIEF, query=4.0)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    certificate(folder)
    return folder


@pytest.fixture(autouse=True)
def _no_context_of_another_test() -> None:
    channel.forget_authorities()


def encrypted(port: int, name: str = NAME, path: str = "") -> UpstreamServer:
    return UpstreamServer(IPv4Address(LOOPBACK), port, tls=UpstreamTls(name, path))


class TlsUpstream:
    """Answers over TLS as its script says, message by message. `leave` says after which answers it closes the connection."""

    def __init__(self, keys: Path, script: Script, leave: Callable[[int], bool] = lambda _answered: False) -> None:
        self.asked: list[str] = []
        self.lengths: list[int] = []
        self.connections = 0
        self._script = script
        self._leave = leave
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(keys / "cert.pem", keys / "key.pem")
        self._listening = socket.create_server((LOOPBACK, 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> TlsUpstream:
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        with suppress(OSError), raw:
            raw.settimeout(DEADLINE)
            with self._context.wrap_socket(raw, server_side=True) as client:
                answered = 0
                while size := client.recv(2):
                    octets = client.recv(int.from_bytes(size, "big"))
                    self.lengths.append(len(octets))
                    query = dns.message.from_wire(octets)
                    assert isinstance(query, dns.message.QueryMessage)
                    self.asked.append(f"{query.question[0].name}")
                    for _, out in self._script(query, True):
                        client.sendall(len(out).to_bytes(2, "big") + out)
                        answered += 1
                    if self._leave(answered):
                        return


def behind(
    upstream: TlsUpstream, keys: Path, name: str = NAME, timing: Timing = PATIENT
) -> AbstractContextManager[Running]:
    return dns64(upstreams=(encrypted(upstream.port, name),), authorities=str(keys / "cert.pem"), timing=timing)


def names_work(running: Running, *names: str) -> None:
    for name in names:
        assert addresses(running.ask(name, "AAAA")) == [MAPPED], name


NAMES = {(f"n{i}.example.", "A"): [f"n{i}.example. 60 IN A 198.51.100.80"] for i in range(10)}
ZONE = zone(RECORDS | NAMES)


@pytest.mark.parametrize(("path", "name"), [("", NAME), ("/dns-query", NAME), ("", ""), ("/dns-query", "")])
def test_a_real_unbound(keys: Path, tmp_path: Path, path: str, name: str) -> None:
    """Names and addresses in the certificate; all questions go over one connection."""
    dot, doh = free_port(), free_port()
    more = TLS.format(address=LOOPBACK, dot=dot, doh=doh, keys=keys)
    with unbound(tmp_path, more) as plain:
        server = encrypted(doh if path else dot, name, path)
        with dns64(upstreams=(server,), authorities=str(keys / "cert.pem")) as running:
            assert len(addresses(running.ask("many.example", "AAAA", tcp=True))) == 200
            threads = [threading.Thread(target=running.ask, args=(f"x{i}.example", "AAAA")) for i in range(40)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(DEADLINE)
            names_work(running, "v4only.example")
            assert running.event("upstream-connections") == 1
            assert running.ask("nowhere.example", "AAAA").rcode() == dns.rcode.NXDOMAIN
            assert running.server.document()["upstream_problems"] == []
        assert plain != server.port


def test_questions_are_padded(keys: Path) -> None:
    with TlsUpstream(keys, ZONE) as upstream, behind(upstream, keys) as running:
        names_work(running, "v4only.example", "n1.example")
    assert upstream.lengths and {length % 128 for length in upstream.lengths} == {0}, "RFC 8467 §4.1"


def test_a_certificate_of_another_name(keys: Path) -> None:
    with TlsUpstream(keys, ZONE) as upstream, behind(upstream, keys, name="dns.example.org", timing=BRIEF) as running:
        assert running.ask("v4only.example", "AAAA").rcode() == dns.rcode.SERVFAIL
        (problem,) = running.server.document()["upstream_problems"]  # type: ignore[misc]
        assert "Hostname mismatch" in problem
    assert upstream.asked == [], "nothing is asked of somebody else"


def test_a_certificate_that_nobody_vouches_for(keys: Path) -> None:
    with TlsUpstream(keys, ZONE) as upstream, dns64(upstreams=(encrypted(upstream.port),), timing=BRIEF) as running:
        assert running.ask("v4only.example", "AAAA").rcode() == dns.rcode.SERVFAIL
        (problem,) = running.server.document()["upstream_problems"]  # type: ignore[misc]
        assert "self-signed" in problem
        # The operator names the authority: the same worker goes on with it.
        settings = replace(running.server.settings, authorities=str(keys / "cert.pem"))
        running.do(lambda: running.server.reload(settings))
        eventually(lambda: addresses(running.ask("v4only.example", "AAAA")) == [MAPPED], "names work")
    assert upstream.asked


def test_authorities_that_cannot_be_read(keys: Path, tmp_path: Path) -> None:
    missing = str(tmp_path / "none.pem")
    with (
        TlsUpstream(keys, ZONE) as upstream,
        dns64(upstreams=(encrypted(upstream.port),), authorities=missing, timing=BRIEF) as running,
    ):
        assert running.ask("v4only.example", "AAAA").rcode() == dns.rcode.SERVFAIL
        (problem,) = running.server.document()["upstream_problems"]  # type: ignore[misc]
        assert missing in problem
    assert upstream.asked == []


def test_one_that_speaks_no_tls_gets_no_question(keys: Path) -> None:
    heard = b""

    def serve() -> None:
        nonlocal heard
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                with client:
                    heard += client.recv(4096)
                    client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server((LOOPBACK, 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        server = encrypted(listening.getsockname()[1])
        with dns64(upstreams=(server,), authorities=str(keys / "cert.pem"), timing=BRIEF) as running:
            assert running.ask("v4only.example", "AAAA").rcode() == dns.rcode.SERVFAIL
            (problem,) = running.server.document()["upstream_problems"]  # type: ignore[misc]
            assert "TLS: " in problem
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(DEADLINE)
    assert heard and b"v4only" not in heard


def test_nobody_there_and_another_one_beside(keys: Path) -> None:
    with Upstream(ZONE) as plain:
        servers = (encrypted(free_port()), plain.server)
        with dns64(upstreams=servers, authorities=str(keys / "cert.pem")) as running:
            names_work(running, "v4only.example", "n1.example", "n2.example")
            (problem,) = running.server.document()["upstream_problems"]  # type: ignore[misc]
            assert "refused" in problem


def test_a_server_that_closes_after_each_answer(keys: Path) -> None:
    with TlsUpstream(keys, ZONE, leave=lambda answered: answered > 0) as upstream, behind(upstream, keys) as running:
        names_work(running, *(f"n{i}.example" for i in range(10)))
    assert upstream.connections >= 10


def test_a_server_that_closes_instead_of_an_answer_is_asked_again(keys: Path) -> None:
    """As one does that has had the connection for long enough."""
    answers = iter(range(1, 100))

    def tired(query: dns.message.QueryMessage, tcp: bool) -> list[tuple[float, bytes]]:
        return [] if next(answers) % 3 == 0 else ZONE(query, tcp)

    upstream = TlsUpstream(keys, tired)
    upstream._leave = lambda _answered: len(upstream.asked) % 3 == 0
    with upstream, behind(upstream, keys) as running:
        names_work(running, *(f"n{i}.example" for i in range(6)))
        assert running.event("upstream-timeout") == 0
    assert len(upstream.asked) > len(set(upstream.asked))


def test_answers_in_another_order(keys: Path) -> None:
    """The answer to the first question comes after that to the second."""
    held: list[tuple[float, bytes]] = []

    def swapped(query: dns.message.QueryMessage, tcp: bool) -> list[tuple[float, bytes]]:
        name = query.question[0].name.to_text()
        if name == "n1.example." and not held:
            held.extend(ZONE(query, tcp))
            return []
        return [*ZONE(query, tcp), *held] if name == "n2.example." else ZONE(query, tcp)

    with TlsUpstream(keys, swapped) as upstream, behind(upstream, keys) as running:
        names_work(running, "v4only.example")
        got: list[list[str]] = []
        first = threading.Thread(target=lambda: got.append(addresses(running.ask("n1.example", "A"), "A")))
        first.start()
        eventually(lambda: held, "the first question arrives")
        assert addresses(running.ask("n2.example", "A"), "A") == ["198.51.100.80"]
        first.join(DEADLINE)
        assert got == [["198.51.100.80"]]
        assert upstream.connections == 1


def test_a_stuck_connection_is_given_up(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first connection's questions are never answered: after a while there is another one."""
    monkeypatch.setattr(channel, "STUCK", 0.3)
    stuck = threading.Event()

    def script(query: dns.message.QueryMessage, tcp: bool) -> list[tuple[float, bytes]]:
        if not stuck.is_set():
            stuck.set()
            return []
        return ZONE(query, tcp) if upstream.connections > 1 else []

    with TlsUpstream(keys, script) as upstream, behind(upstream, keys) as running:
        names_work(running, "v4only.example")
        assert upstream.connections == 2


def test_an_unused_connection_is_closed(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "IDLE", 0.3)
    with TlsUpstream(keys, ZONE) as upstream, behind(upstream, keys) as running:
        names_work(running, "v4only.example")
        link = running.server.resolver.upstreams.servers[0].channel
        assert link is not None
        eventually(lambda: link._socket is None, "the connection is closed")
        names_work(running, "n1.example")
        assert upstream.connections == 2


def test_the_doctor_asks_the_same_way(keys: Path) -> None:
    authorities = str(keys / "cert.pem")
    with TlsUpstream(keys, zone(RECORDS)) as upstream:
        good, other, nobody = (
            encrypted(upstream.port),
            encrypted(upstream.port, "dns.example.org"),
            encrypted(free_port()),
        )
        answered, mismatch, refused = ask([good, other, nobody], authorities)
        # The scripted zone has no root; that it answers at all counts.
        assert answered == "NXDOMAIN"
        assert "Hostname mismatch" in str(mismatch) and "refused" in str(refused)
        assert "self-signed" in str(ask([good], "")[0])
