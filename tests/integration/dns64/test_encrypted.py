# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""DNS over TLS and HTTPS with the programs that people use, and clients that do not end, speak something else, or stop."""

from __future__ import annotations

import base64
import http.server
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import httpx
import pytest

from tests.integration.dns64.scripted import (
    DEADLINE,
    LOOPBACK,
    Running,
    Upstream,
    addresses,
    dns64,
    eventually,
    free_port,
    zone,
)
from tests.integration.dns64.test_service import MANY, RECORDS
from v6native.dns64.settings import Listen, Tls
from v6native.dns64.watched import CHECK_SECONDS

NAME = "dns.example.net"
LOOPBACK4 = IPv4Network("127.0.0.0/8")
MAPPED = "2001:db8:64:64::c633:6450"


def certificate(folder: Path, name: str = NAME) -> None:
    """A certificate of its own for the resolver's name and address."""
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    command += ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:{LOOPBACK}"]
    command += ["-keyout", str(folder / "new-key.pem"), "-out", str(folder / "new.pem")]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    (folder / "new-key.pem").rename(folder / "key.pem")
    (folder / "new.pem").rename(folder / "cert.pem")


@dataclass(frozen=True, slots=True)
class Encrypted:
    running: Running
    folder: Path
    dot: int
    doh: int

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.folder / "cert.pem"))

    @property
    def url(self) -> str:
        return f"https://{LOOPBACK}:{self.doh}/dns-query"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    certificate(folder)
    return folder


@pytest.fixture
def server(keys: Path, tmp_path: Path) -> Iterator[Encrypted]:
    for name in ("cert.pem", "key.pem"):
        shutil.copy(keys / name, tmp_path)
    dot, doh = (Listen(IPv4Address(LOOPBACK), free_port()) for _ in range(2))
    tls = Tls(str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"), NAME, (dot,), (doh,))
    records = RECORDS | {("here.example.", "A"): ["here.example. 60 IN A 127.0.0.1"]}
    with Upstream(zone(records)) as upstream, dns64(upstream, tls=tls, exclude_ipv4=(LOOPBACK4,)) as running:
        yield Encrypted(running, tmp_path, dot.port, doh.port)


def dig(server: Encrypted, *options: str) -> list[str]:
    command = ["dig", f"@{LOOPBACK}", "+short", "+tries=1", "+time=5", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.split()


def test_dig_over_tls_and_https(server: Encrypted) -> None:
    trusted = ("v4only.example", "AAAA", f"+tls-ca={server.folder / 'cert.pem'}", f"+tls-hostname={NAME}")
    assert dig(server, "-p", str(server.dot), "+tls", *trusted) == [MAPPED]
    assert dig(server, "-p", str(server.doh), "+https", *trusted) == [MAPPED]
    assert dig(server, "-p", str(server.doh), "+https-get", *trusted) == [MAPPED]
    answers = server.running.stats.document()["answers"]
    assert isinstance(answers, dict)
    assert {word.split()[0] for word in answers} == {"dot", "doh"}


def test_curl_finds_a_host_by_it(server: Encrypted) -> None:
    """As browsers do. The host is this machine, so that nothing leaves it."""
    with http.server.HTTPServer((LOOPBACK, 0), http.server.SimpleHTTPRequestHandler) as web:
        serving = threading.Thread(target=web.handle_request)
        serving.start()
        command = ["curl", "-sS", "-f", "-o", "/dev/null", "-m10", "--noproxy", "*", "-w", "%{remote_ip}"]
        command += ["--cacert", str(server.folder / "cert.pem"), "--doh-url", server.url]
        command += [f"http://here.example:{web.server_port}/"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode:
            web.socket.close()
        serving.join(DEADLINE)
    assert (done.returncode, done.stdout) == (0, LOOPBACK), done.stderr


def test_many_questions_in_one_connection(server: Encrypted) -> None:
    with httpx.Client(verify=server.trust, http2=True, timeout=DEADLINE) as client:
        for n in range(50):
            query = dns.message.make_query(("many", "v4only")[n % 2] + ".example", "AAAA", id=0)
            got = client.post(server.url, content=query.to_wire(), headers={"content-type": "application/dns-message"})
            assert got.http_version == "HTTP/2" and got.headers["content-type"] == "application/dns-message"
            answer = dns.message.from_wire(got.content)
            assert len(addresses(answer)) == (200, 1)[n % 2]
            ttl = min(found.ttl for found in answer.answer)
            assert got.headers["cache-control"] == f"max-age={ttl}", "RFC 8484 §5.1"
    assert server.running.event("doh-connections") == 1


@pytest.mark.parametrize(
    ("method", "path", "headers", "content", "status"),
    [
        ("GET", "/", {}, b"", 404),
        ("GET", "/dns-query", {}, b"", 400),
        ("GET", "/dns-query?dns=!!", {}, b"", 400),
        ("PUT", "/dns-query", {"content-type": "application/dns-message"}, b"x", 405),
        ("POST", "/dns-query", {"content-type": "text/plain"}, b"x", 415),
        ("POST", "/dns-query", {"content-type": "application/dns-message"}, bytes(5000), 413),
    ],
)
def test_what_is_no_question(
    server: Encrypted, method: str, path: str, headers: dict[str, str], content: bytes, status: int
) -> None:
    with httpx.Client(verify=server.trust, http2=True, timeout=DEADLINE) as client:
        url = f"https://{LOOPBACK}:{server.doh}{path}"
        assert client.request(method, url, headers=headers, content=content).status_code == status
        query = (
            base64.urlsafe_b64encode(dns.message.make_query("v4only.example", "AAAA").to_wire()).decode().rstrip("=")
        )
        assert client.get(f"{server.url}?dns={query}").status_code == 200, "the connection goes on"


def test_clients_are_told_of_it(server: Encrypted) -> None:
    """RFC 9462 §4, RFC 9461 §5."""
    answer = server.running.ask("_dns.resolver.arpa", "SVCB")
    assert [rdata.to_text() for rdata in answer.answer[0]] == [
        f'1 {NAME}. alpn="h2" port="{server.doh}" dohpath="/dns-query{{?dns}}"',
        f'2 {NAME}. alpn="dot" port="{server.dot}"',
    ]
    assert server.running.ask("_dns.resolver.arpa", "A").answer == []
    assert server.running.ask("x.resolver.arpa", "SVCB").rcode() == dns.rcode.NXDOMAIN


def test_nothing_is_told_where_there_is_none() -> None:
    with Upstream(zone(RECORDS)) as upstream, dns64(upstream) as running:
        answer = running.ask("_dns.resolver.arpa", "SVCB")
        assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])
        assert upstream.asked == [], "RFC 9462 §6.4: nobody else is asked"


def test_a_new_certificate_is_used(server: Encrypted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within seconds, without a reload; a broken one changes nothing."""
    made = server.running.server._certificate
    assert made is not None
    old = server.trust
    dns.query.tls(
        dns.message.make_query("v4only.example", "AAAA"),
        LOOPBACK,
        DEADLINE,
        server.dot,
        ssl_context=old,
        server_hostname=NAME,
    )
    (server.folder / "key.pem").write_text("no key")
    server.running.do(made.look)
    dns.query.tls(
        dns.message.make_query("v4only.example", "AAAA"),
        LOOPBACK,
        DEADLINE,
        server.dot,
        ssl_context=old,
        server_hostname=NAME,
    )
    certificate(server.folder)
    server.running.do(made.look)
    with pytest.raises(ssl.SSLCertVerificationError):
        dns.query.tls(
            dns.message.make_query("v4only.example", "AAAA"),
            LOOPBACK,
            DEADLINE,
            server.dot,
            ssl_context=old,
            server_hostname=NAME,
        )
    query = dns.message.make_query("v4only.example", "AAAA")
    assert addresses(
        dns.query.tls(query, LOOPBACK, DEADLINE, server.dot, ssl_context=server.trust, server_hostname=NAME)
    ) == [MAPPED]
    assert CHECK_SECONDS <= 10, "as the reference says"


def test_without_certificate_or_port_names_are_answered(keys: Path, tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken, Upstream(zone(RECORDS)) as upstream:
        on = (Listen(IPv4Address(LOOPBACK), taken.getsockname()[1]),)
        for tls, told in (
            (Tls(str(tmp_path / "none.pem"), str(tmp_path / "none.key"), NAME, on), "No such file"),
            (Tls(str(keys / "cert.pem"), str(keys / "key.pem"), NAME, on), "in use"),
        ):
            with dns64(upstream, tls=tls) as running:
                assert addresses(running.ask("v4only.example", "AAAA")) == [MAPPED]
                (line,) = running.server.document()["not_listening"]  # type: ignore[misc]
                assert told in line


def test_who_speaks_something_else_harms_nobody(server: Encrypted) -> None:
    """Plain DNS, HTTP/1.1 and noise at the encrypted ports; a handshake that stops; a client that reads nothing."""
    query = dns.message.make_query("v4only.example", "AAAA")
    plain = len(query.to_wire()).to_bytes(2, "big") + query.to_wire()
    for port in (server.dot, server.doh):
        for noise in (plain, b"GET / HTTP/1.1\r\n\r\n", os.urandom(2000), b""):
            with socket.create_connection((LOOPBACK, port), DEADLINE) as client:
                client.sendall(noise)
    trust = server.trust
    trust.set_alpn_protocols(["http/1.1"])
    with (
        socket.create_connection((LOOPBACK, server.doh), DEADLINE) as raw,
        trust.wrap_socket(raw, server_hostname=LOOPBACK) as client,
    ):
        client.sendall(b"GET /dns-query HTTP/1.1\r\nHost: x\r\n\r\n")
        while client.recv(4096):
            pass
    assert server.running.event("doh-broken") >= 1
    idle = [socket.create_connection((LOOPBACK, server.dot), DEADLINE) for _ in range(20)]
    answer = dns.query.tls(query, LOOPBACK, DEADLINE, server.dot, ssl_context=server.trust, server_hostname=NAME)
    assert addresses(answer) == [MAPPED]
    for client in idle:
        client.close()
    eventually(lambda: len(server.running.server._tcp) == 0, "the connections end")


def test_a_client_that_opens_its_window_late_gets_all(server: Encrypted) -> None:
    """HTTP/2's flow control: 200 addresses through a window of 100 octets, by and by."""
    from h2.config import H2Configuration
    from h2.connection import H2Connection
    from h2.events import DataReceived, StreamEnded
    from h2.settings import SettingCodes, Settings

    trust = server.trust
    trust.set_alpn_protocols(["h2"])
    query = dns.message.make_query("many.example", "AAAA").to_wire()
    body, ended = b"", False
    with (
        socket.create_connection((LOOPBACK, server.doh), DEADLINE) as raw,
        trust.wrap_socket(raw, server_hostname=LOOPBACK) as client,
    ):
        h2 = H2Connection(H2Configuration(header_encoding="utf-8"))
        h2.local_settings = Settings(client=True, initial_values={SettingCodes.INITIAL_WINDOW_SIZE: 100})
        h2.initiate_connection()
        headers = [(":method", "POST"), (":path", "/dns-query"), (":scheme", "https"), (":authority", NAME)]
        h2.send_headers(1, [*headers, ("content-type", "application/dns-message")])
        h2.send_data(1, query, end_stream=True)
        client.sendall(h2.data_to_send())
        while not ended and (octets := client.recv(65535)):
            for event in h2.receive_data(octets):
                if isinstance(event, DataReceived):
                    body += event.data
                    h2.acknowledge_received_data(event.flow_controlled_length, 1)
                ended = ended or isinstance(event, StreamEnded)
            client.sendall(h2.data_to_send())
    assert len(addresses(dns.message.from_wire(body))) == 200 == len(MANY.split("|"))


def test_a_frame_that_announces_megabytes_ends_the_connection(server: Encrypted) -> None:
    """Before they have come: a few hundred clients would fill the memory."""
    trust = server.trust
    trust.set_alpn_protocols(["h2"])
    with (
        socket.create_connection((LOOPBACK, server.doh), DEADLINE) as raw,
        trust.wrap_socket(raw, server_hostname=LOOPBACK) as client,
    ):
        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5))
        client.sendall(b"\xff\xff\xff\x00" + bytes(5))
        while client.recv(4096):
            pass
    assert server.running.event("doh-broken") == 1


def test_settings_go_through_json(server: Encrypted) -> None:
    text = server.running.server.settings.to_json()
    assert json.loads(text)["tls"]["name"] == NAME
    assert type(server.running.server.settings).from_json(text) == server.running.server.settings
