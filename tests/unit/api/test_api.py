# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The API over a real unix socket."""

from __future__ import annotations

import asyncio
import datetime
import json
import socket
import stat
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.unit.daemon.rig import FILE, FakeLauncher, Rig, binding, rig, session
from tests.unit.log.events import block
from v6native.api.app import BATCH, make_app
from v6native.api.server import serving
from v6native.daemon import confirm
from v6native.daemon.backend import DaemonBackend
from v6native.daemon.core import Daemon
from v6native.daemon.notify import Notifier
from v6native.daemon.run import Parts, Runner
from v6native.daemon.snapshot import Snapshots
from v6native.daemon.workers import Supervisor, dns64_top
from v6native.dataplane.door import Reason, Session, TcpState, Translator
from v6native.dataplane.fake import FakeDataPlane
from v6native.dataplane.look import Fate, Look
from v6native.desired.state import RouteFound, Way
from v6native.errors import DataPlaneError
from v6native.log.store import Store

Ask = Callable[[httpx.AsyncClient], Awaitable[Any]]


def serve(made: Rig, ask: Ask) -> Any:
    """Runs `ask` against a daemon that is up."""

    async def run() -> Any:
        launcher = FakeLauncher()
        node = made.node
        daemon = Daemon(node, Snapshots(made.paths), lambda: datetime.datetime.now(datetime.UTC), lambda _step: None)
        runner = Runner(Parts(daemon, node, launcher, Supervisor(launcher), Notifier(None), 164, made.paths.run))
        daemon.start()
        runner.follow_workers()
        async with serving(make_app(DaemonBackend(runner, made.paths)), made.paths.api_socket):
            transport = httpx.AsyncHTTPTransport(uds=str(made.paths.api_socket))
            async with httpx.AsyncClient(transport=transport, base_url="http://node", timeout=20) as client:
                return await ask(client)

    return asyncio.run(run())


def get(made: Rig, path: str) -> httpx.Response:
    async def ask(client: httpx.AsyncClient) -> httpx.Response:
        return await client.get(path)

    answer = serve(made, ask)
    assert isinstance(answer, httpx.Response)
    return answer


@pytest.fixture
def made(tmp_path: Path) -> Rig:
    return rig(tmp_path)


def test_only_root_and_its_group_may_connect(made: Rig) -> None:
    async def ask(_client: httpx.AsyncClient) -> int:
        return stat.S_IMODE(made.paths.api_socket.stat().st_mode)

    assert serve(made, ask) == 0o660
    assert not made.paths.api_socket.exists()


def test_status(made: Rig) -> None:
    made.doors.machine.dataplane.live.append(session())
    document = get(made, "/v1/status").json()
    assert set(document) == {"ok", "daemon", "node", "workers", "fast_path", "gateways", "confirm", "findings"}
    node = document["node"]
    assert (node["node"], node["pref64"]) == ("edge1", ["2001:db8:64:64::/96"])
    assert node["pool4"] == [{"address": "192.0.2.1", "first_port": 40000, "last_port": 59999, "shared": True}]
    assert "2001:db8:64:1::/64" in node["sources"] or "2001:db8:64::/48" in node["sources"]
    assert node["sessions"]["used"] == 1
    assert {(i["name"], i["role"]) for i in node["interfaces"]} >= {("eth0", "uplink"), ("lan0", "lan")}
    assert document["daemon"]["reload"]["error"] is None
    assert document["confirm"] == {"seconds_left": None, "last_undo": None}
    assert [worker["name"] for worker in document["workers"]] == ["slowpath", "log"]


def test_plan_after_up_is_empty(made: Rig) -> None:
    assert get(made, "/v1/plan").json() == {"changes": []}


def test_counters_have_their_meaning(made: Rig) -> None:
    made.doors.machine.dataplane.counted[Translator.NAT64] = {"SOURCE_NOT_ALLOWED": 7}
    document = get(made, "/v1/counters").json()
    assert document["counters"]["SOURCE_NOT_ALLOWED"] == 7
    assert document["reasons"]["SOURCE_NOT_ALLOWED"]["kind"] == "ANSWERED"
    assert set(document["counters"]) == set(document["reasons"])


def test_a_long_list_is_streamed_whole(made: Rig) -> None:
    count = 3 * BATCH + 1
    made.doors.machine.dataplane.live = [session(port) for port in range(count)]
    lines = get(made, "/v1/sessions").text.splitlines()
    assert len(lines) == count
    assert json.loads(lines[-1])["port6"] == count - 1


def test_a_list_is_read_as_it_is_sent(made: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endless table would never be told if it were gathered first."""

    def endless() -> Iterator[Session]:
        while True:
            yield session()

    monkeypatch.setattr(FakeDataPlane, "sessions", lambda _self: endless())

    async def ask(client: httpx.AsyncClient) -> int:
        async with client.stream("GET", "/v1/sessions") as answer:
            count = 0
            async for _line in answer.aiter_lines():
                count += 1
                if count == 5 * BATCH:
                    return count
        return count

    assert serve(made, ask) == 5 * BATCH


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 4), ("proto=tcp", 3), ("proto=UDP", 1), ("port=4001", 1), ("remote=198.51.100.81", 1),
        ("remote=2001:db8:64:64::/96", 4), ("client=2001:db8:64:1::/64", 4), ("client=2001:db8:64:2::/64", 0),
        ("state=v4-fin-v6-fin-rcv", 1), ("state=ESTABLISHED", 2), ("limit=2", 2), ("pool=192.0.2.0/24", 4),
        ("limit=0", 0),
    ],
)  # fmt: skip
def test_filters(made: Rig, query: str, count: int) -> None:
    made.doors.machine.dataplane.live = [
        session(4000), session(4001, remote="198.51.100.81"), session(4002, state=None),
        session(4003, state=TcpState.V4_FIN_V6_FIN_RCV),
    ]  # fmt: skip
    assert len(get(made, f"/v1/sessions?{query}").text.splitlines()) == count


QUESTION = {"from": "2001:db8:64:1::5", "to": "2001:db8:64:64::198.51.100.80", "dport": 443}


def post(made: Rig, path: str, body: Any) -> httpx.Response:
    async def ask(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post(path, content=body) if isinstance(body, str) else await client.post(path, json=body)

    answer = serve(made, ask)
    assert isinstance(answer, httpx.Response)
    return answer


def test_explain(made: Rig) -> None:
    made.doors.routes = {
        "2001:db8:64:1::5": RouteFound(Way.UNICAST, "lan0", None, 254, 1500),
        "2001:db8:64:64::c633:6450": RouteFound(Way.UNICAST, "nat64", None, 254, 1520),
    }
    loop = Look(Fate.DROP, Reason("LOOP", "DROP", "our own output came back"), b"", 0, 0)
    made.doors.machine.dataplane.looks["nat64"] = loop
    document = post(made, "/v1/explain", QUESTION).json()
    assert set(document) == {"verdict", "text", "steps", "reason", "remedy", "interface", "summary", "packet"}
    assert (document["verdict"], document["reason"]) == ("dropped", "LOOP")
    assert [step["key"] for step in document["steps"]] == ["packet", "arrival", "route", "mtu", "refusal"]
    assert set(document["steps"][0]) == {"key", "ok", "text", "details"}


@pytest.mark.parametrize(
    ("body", "what"), [({}, "from is missing"), ("{", "no JSON"), ("[1]", "no JSON object"), ({"frm": 1}, "no frm")]
)
def test_a_question_that_makes_no_packet_is_refused(made: Rig, body: Any, what: str) -> None:
    answer = post(made, "/v1/explain", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_packet")
    assert what in answer.json()["error"]["text"]


@pytest.mark.parametrize(
    "query", ["proto=gre", "client=192.0.2.1", "pool=2001:db8::1", "port=x", "limit=-1", "clint=::1"]
)
def test_a_wrong_filter_is_named(made: Rig, query: str) -> None:
    answer = get(made, f"/v1/sessions?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_filter"
    assert query.partition("=")[0] in answer.json()["error"]["text"]


def test_bindings(made: Rig) -> None:
    made.doors.machine.dataplane.dynamic = [binding(4000), binding(4001)]
    (line,) = get(made, "/v1/bib?port=4001").text.splitlines()
    assert json.loads(line)["static"] is False


def test_reload_tells_what_is_wrong_and_keeps_running(made: Rig) -> None:
    async def ask(client: httpx.AsyncClient) -> tuple[Any, Any]:
        made.write(FILE.replace("uplink =", "uplnk ="))
        failed = (await client.post("/v1/reload")).json()
        return failed, (await client.get("/v1/status")).json()

    failed, status = serve(made, ask)
    assert "network.toml:7" in failed["error"] and failed["changes"] == []
    assert status["daemon"]["reload"]["error"] == failed["error"]
    assert status["node"]["node"] == "edge1"


def test_reload(made: Rig) -> None:
    async def ask(client: httpx.AsyncClient) -> Any:
        made.write(FILE.replace("40000-59999", "41000-42000"))
        return (await client.post("/v1/reload")).json()

    answer = serve(made, ask)
    assert answer["error"] is None and answer["changes"]


def test_down_removes(made: Rig) -> None:
    async def ask(client: httpx.AsyncClient) -> Any:
        return (await client.post("/v1/down")).json()

    assert serve(made, ask)["changes"]
    assert made.doors.machine.dataplane.removed


def test_confirm(made: Rig) -> None:
    async def ask(client: httpx.AsyncClient) -> list[Any]:
        confirm.begin(made.paths.run, confirm.Pending(1e12, None))
        left = (await client.get("/v1/status")).json()["confirm"]["seconds_left"]
        return [left, *[(await client.post("/v1/confirm")).json()["confirmed"] for _ in range(2)]]

    left, first, second = serve(made, ask)
    assert left > 0 and first and not second


def test_metrics_are_prometheus(made: Rig) -> None:
    made.doors.machine.dataplane.live = [session()]
    made.doors.machine.dataplane.dynamic = [binding()]
    made.doors.machine.dataplane.counted[Translator.NAT64] = {"TRANSLATED_6TO4": 5}
    families = {family.name: family for family in text_string_to_metric_families(get(made, "/metrics").text)}
    packets = {sample.labels["reason"]: sample.value for sample in families["v6native_packets"].samples}
    assert packets["translated_6to4"] == 5 and packets["source_not_allowed"] == 0
    assert [s.value for s in families["v6native_sessions"].samples] == [1]
    assert {s.labels["proto"]: s.value for s in families["v6native_bib_entries"].samples} == {
        "tcp": 1,
        "udp": 0,
        "icmp": 0,
    }
    assert families["v6native_pool4_ports"].samples[0].value == 20000
    assert families["v6native_worker_up"].samples[0].labels == {"worker": "slowpath"}


def test_the_domains_that_are_asked_for(made: Rig) -> None:
    """Joined with the sessions to their addresses; an address of two domains counts for both."""
    live = [session(port) for port in range(4000, 4003)]
    made.doors.machine.dataplane.live = live
    address = str(live[0].remote4)
    domains = [
        {"domain": "a.example", "queries": 5, "synthesized": 5, "clients": 2, "ipv4": [address, "192.0.2.99"]},
        {"domain": "b.example", "queries": 3, "synthesized": 3, "clients": 1, "ipv4": [address]},
        {"domain": "c.example", "queries": 9, "synthesized": 0, "clients": 1, "ipv4": []},
    ]
    document = {"enabled": True, "seconds": 60, "skipped": 0, "domains": domains}
    assert get(made, "/v1/dns/top").json() == {
        "answers": False,
        "enabled": False,
        "seconds": 0,
        "skipped": 0,
        "domains": [],
    }
    dns64_top(made.paths).parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as worker:
        worker.bind(str(dns64_top(made.paths)))
        worker.listen()
        telling = threading.Thread(target=_tell, args=(worker, document))
        telling.start()
        found = get(made, "/v1/dns/top").json()
        telling.join()
    octets = sum(s.bytes_4to6 + s.bytes_6to4 for s in live)
    assert [(d["domain"], d["sessions"], d["bytes"]) for d in found["domains"]] == [
        ("a.example", 3, octets),
        ("b.example", 3, octets),
        ("c.example", 0, 0),
    ]
    assert found["answers"] and octets > 0


def _tell(worker: socket.socket, document: dict[str, Any]) -> None:
    client, _ = worker.accept()
    with client:
        client.sendall(json.dumps(document).encode())


def test_who_had(made: Rig) -> None:
    now = int(time.time() * 1000)
    store = Store(made.paths.log_database)
    store.begin("boot", now - 60_000)
    store.write([block(0, began=1)], (now - 60_000) * 1_000_000, "ring", 1, now)
    store.close()
    answer = get(made, "/v1/who-had?address=192.0.2.1&port=1030")
    (holder,) = answer.json()["holders"]
    assert (holder["client"], holder["first_port"], holder["end"]) == ("2001:db8:64:1::/64", 1024, None)
    assert get(made, "/v1/who-had?address=192.0.2.1&port=1030&at=2026-01-01T00:00Z").json()["holders"] == []
    refused = get(made, "/v1/who-had?address=192.0.2.1&port=http")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_filter")


def test_who_had_without_a_log(made: Rig) -> None:
    refused = get(made, "/v1/who-had?address=192.0.2.1&port=1030")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "refused")
    assert "nothing was ever logged" in refused.json()["error"]["text"]


def test_an_error_has_its_code(made: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> Iterator[Session]:
        raise DataPlaneError("the map is gone")
        yield session()

    monkeypatch.setattr(FakeDataPlane, "sessions", lambda _self: refused())
    answer = get(made, "/v1/sessions")
    assert (answer.status_code, answer.json()["error"]) == (500, {"code": "dataplane", "text": "the map is gone"})
    assert get(made, "/v2/status").json()["error"]["code"] == "not_found"


def test_a_bug_is_told_without_a_traceback(made: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("v6native.daemon.host.HostNode.counters", lambda _self: 1 / 0)
    answer = get(made, "/v1/counters")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert "Traceback" not in answer.text
