# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What a running download survives, and what ends it (group 6)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from v6native.lab import topology as t
from v6native.lab.edge import BEFORE, network_toml, raise_edge, snapshot
from v6native.lab.laptop import connect_laptop, disconnect_laptop
from v6native.lab.node import Node
from v6native.lab.scenarios import client
from v6native.lab.scenarios.transfer import Running, download, upload
from v6native.lab.scenarios.trial import Scenario, Trial, expect
from v6native.lab.wait import wait_until

LITERAL = str(t.SERVER4)


@contextlib.contextmanager
def running(trial: Trial, seconds: int = 8) -> Iterator[tuple[Running, Running]]:
    """Downloads by phone, and by laptop from the literal, while the body runs; both must end well."""
    downloads = (Running(trial, "phone", client.V4ONLY, seconds), Running(trial, "laptop", LITERAL, seconds))
    for one in downloads:
        wait_until(one.begun, 10, "a download does not begin")
    yield downloads
    for one in downloads:
        expect(one.program.status() is None, "a download ended before its time: the trial proves nothing")
        one.finish()


def daemon_pid(edge1: Node) -> int:
    return int(json.loads(edge1.run("v6native", "status", "--json", check=False).out)["daemon"]["pid"])


def kill_daemon(trial: Trial) -> None:
    pid = daemon_pid(trial.node("edge1"))
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{pid}/environ").exists() or _gone(pid), 5, "the daemon outlives SIGKILL")


def _gone(pid: int) -> bool:
    """Dead; a zombie waits only for its parent to take note."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def killed(trial: Trial) -> str:
    """SIGKILL: downloads go on, names and fragmented pings work within a second, the next `up` adopts all."""
    edge1 = trial.node("edge1")
    with running(trial):
        kill_daemon(trial)
        wait_until(lambda: works(trial), 1, "a second after the daemon's death names or fragmented pings do not work")
        trial.succeeds("laptop", "ping", "-n", "-c1", "-W1", str(t.EDGE_TUNNEL6))
        client.web_v4only(trial, "phone")
        raise_edge(edge1)
        client.web_v4only(trial, "phone")
    unchanged(trial)
    return "2 downloads, names, fragmented pings, tunnel; adopted"


def works(trial: Trial) -> bool:
    phone = trial.node("phone")
    return (
        phone.run("dig", "+short", "+time=1", "+tries=1", client.V4ONLY, "AAAA", check=False).out.strip() != ""
        and phone.run("ping", "-n", "-c1", "-W1", "-s3000", str(trial.through(t.SERVER4)), check=False).ok
    )


def unchanged(trial: Trial) -> None:
    """`plan` after `up` says that nothing would change."""
    plan = json.loads(trial.succeeds("edge1", "v6native", "plan", "--json").out)
    expect(plan["changes"] == [], f"after `up`, plan wants {plan['changes']}")


def stopped(trial: Trial) -> str:
    """SIGTERM, as of `systemctl stop`, leaves the data plane running."""
    edge1 = trial.node("edge1")
    with running(trial):
        pid = daemon_pid(edge1)
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: _gone(pid), 10, "the daemon does not end on SIGTERM")
        client.web_v4only(trial, "phone")
        raise_edge(edge1)
    unchanged(trial)
    return "2 downloads"


def workers_killed(trial: Trial) -> str:
    """A dead worker is back within a second; packets that need none of them never notice."""
    edge1 = trial.node("edge1")
    workers = json.loads(edge1.run("v6native", "status", "--json", check=False).out)["workers"]
    expect(len(workers) >= 2, f"edge1 has the workers {workers}")
    with running(trial):
        for worker in workers:
            os.kill(int(worker["pid"]), signal.SIGKILL)
        wait_until(lambda: works(trial), 2, "2 s after the workers' death names or fragmented pings do not work")
    return ", ".join(worker["name"] for worker in workers)


def reloaded(trial: Trial) -> str:
    """A reload with another pool drops no session: those on removed addresses drain; new ones use the new pool."""
    edge1, file = trial.node("edge1"), trial.node("edge1").path("/etc/v6native/network.toml")
    before = file.read_text()
    try:
        with running(trial):
            file.write_text(network_toml(trial.lab.arrangement, pool4=("203.0.113.9",), static4="203.0.113.9"))
            trial.succeeds("edge1", "v6native", "reload")
            seen, _ = client.who(trial, "phone", f"http://{client.V4ONLY}")
            expect(seen == "203.0.113.9", f"after the reload a new connection left from {seen} instead of 203.0.113.9")
    finally:
        file.write_text(before)
        edge1.run("v6native", "reload")
    client.web_v4only(trial, "phone")
    return "2 downloads; new connections from 203.0.113.9"


def broken_reload(trial: Trial) -> str:
    """A wrong file changes nothing."""
    file = trial.node("edge1").path("/etc/v6native/network.toml")
    before = file.read_text()
    try:
        file.write_text(before.replace("pool4", "poool4"))
        done = trial.node("edge1").run("v6native", "reload", check=False)
        expect(done.status == 1, f"reload of a wrong file ended with {done.status}: {done.err or done.out}")
        expect("pool4" in done.err, f"reload does not say what is wrong: {done.err}")
        client.web_v4only(trial, "phone")
    finally:
        file.write_text(before)
        trial.succeeds("edge1", "v6native", "reload")
    return "refused, and all went on"


def flooded(trial: Trial) -> str:
    """First fragments without the rest, by the thousand, from both sides."""
    mapped = str(trial.through(t.SERVER4))
    with running(trial):
        for node, target in (("phone", mapped), ("laptop", LITERAL), ("internet", trial.lab.arrangement.static4)):
            trial.program(node, "fragments", target, "7", "flood", timeout=90)
        download(trial, "phone", client.V4ONLY, 16)
    client.big_datagram(trial, "phone", mapped)
    client.big_ping(trial, "phone", client.V4ONLY, "-6")
    return "2 downloads; fragments work afterwards"


def downed(trial: Trial) -> str:
    """`down` stops the traffic and leaves edge1 as it was before v6native."""
    edge1 = trial.node("edge1")
    one = Running(trial, "phone", client.V4ONLY, 20)
    wait_until(one.begun, 10, "a download does not begin")
    try:
        disconnect_laptop(trial.node("laptop"))
        trial.succeeds("edge1", "v6native", "down", timeout=60)
        expect(one.wait_status(15) != 0, "the download outlives `down`")
        now, then = snapshot(edge1), json.loads(edge1.path(BEFORE).read_text())
        for what in then:
            expect(now[what] == then[what], f"`down` left {what} changed: {_difference(then[what], now[what])}")
        pins = list((trial.lab.estate.bpffs / "v6native").glob(f"{edge1.instance}*"))
        expect(not pins, f"`down` left pins: {pins}")
    finally:
        raise_edge(edge1)
        connect_laptop(trial.node("laptop"), edge1)
    client.web_v4only(trial, "phone")
    return "stopped; edge1 is as it was found; up again"


def _difference(then: list[str], now: list[str]) -> str:
    gone, new = [x for x in then if x not in now], [x for x in now if x not in then]
    return f"gone {gone}, new {new}" if gone or new else f"other order: {now}"


OFFLOADS = ("tso", "gso", "gro", "tx", "rx", "sg")
ENDS = (("phone", "eth0"), ("edge1", "lan0"), ("edge1", "eth0"), ("r1", "edge"), ("internet", "eth0"), ("r2", "server"))


def offloads(trial: Trial) -> str:
    """Whole and cut, with checksums made by the kernel before the translator sees them or after."""

    def turn(state: str) -> None:
        for node, interface in ENDS:
            trial.node(node).run("ethtool", "-K", interface, *(word for name in OFFLOADS for word in (name, state)))

    speeds = [download(trial, "phone", client.V4ONLY, 32)]
    turn("off")
    try:
        for node, host in (("phone", client.V4ONLY), ("laptop", LITERAL)):
            speeds.append(download(trial, node, host, 32))
            upload(trial, node, host, 32)
            client.big_datagram(trial, node, host)
    finally:
        turn("on")
    return f"on {speeds[0]}; off {speeds[1]}"


SCENARIOS = tuple(
    Scenario(f"survive-{key}", 6, title, play)
    for key, title, play in (
        ("offloads", "offloads off and on", offloads),
        ("killed", "kill -9 of the daemon, `up` again", killed),
        ("stopped", "SIGTERM, `up` again", stopped),
        ("workers", "kill -9 of the workers", workers_killed),
        ("flood", "a flood of fragments", flooded),
        ("reload", "reload with another pool", reloaded),
        ("broken-reload", "reload of a wrong file", broken_reload),
        ("down", "`down` stops it and restores edge1", downed),
    )
)
