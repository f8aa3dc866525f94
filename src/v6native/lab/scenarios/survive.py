# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What a running download survives, and what ends it (group 6)."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import sys
from collections.abc import Iterator
from ipaddress import IPv6Address, IPv6Network
from pathlib import Path

from v6native.lab import topology as t
from v6native.lab.edge import BEFORE, Arrangement, network_toml, raise_edge, snapshot
from v6native.lab.laptop import connect_laptop, disconnect_laptop
from v6native.lab.node import Node
from v6native.lab.programs.echo import LINES_PORT
from v6native.lab.scenarios import client
from v6native.lab.scenarios.transfer import Running, download, upload
from v6native.lab.scenarios.trial import ALL, PROGRAMS, Scenario, Trial, expect
from v6native.lab.wait import wait_until

LITERAL = str(t.SERVER4)
INCOMPLETE = ("net.ipv4.ipfrag_time", "net.ipv6.ip6frag_time", "net.netfilter.nf_conntrack_frag6_timeout")
"""How long a kernel waits for the rest of a packet, in seconds: 30 or 60, until somebody changes it."""
INCOMPLETE_SECONDS, FORGOTTEN = 5, 20.0


@contextlib.contextmanager
def running(trial: Trial, seconds: int = 15) -> Iterator[tuple[Running, Running]]:
    """Downloads by phone, and by laptop from the literal, while the body runs; both must end well."""
    downloads = (Running(trial, "phone", client.V4ONLY, seconds), Running(trial, "laptop", LITERAL, seconds))
    for one in downloads:
        wait_until(one.begun, 10, "a download does not begin")
    yield downloads
    for one in downloads:
        status = one.program.status()
        expect(status != 0, "a download ended before its time: the trial proves nothing")
        expect(status is None, f"{one.node.name}'s running download died with curl's status {status}")
    for one in downloads:
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
    """A dead worker is back at once (a busy machine has 4 s for it); packets that need none of them never notice."""
    edge1 = trial.node("edge1")
    workers = json.loads(edge1.run("v6native", "status", "--json", check=False).out)["workers"]
    expect(len(workers) >= 2, f"edge1 has the workers {workers}")
    with running(trial):
        for worker in workers:
            os.kill(int(worker["pid"]), signal.SIGKILL)
        wait_until(lambda: works(trial), 4, "4 s after the workers' death names or fragmented pings do not work")
    return ", ".join(worker["name"] for worker in workers)


def reloaded(trial: Trial) -> str:
    """A reload with another pool drops no session: those on removed addresses drain; new ones use the new pool."""
    seen = []
    with contextlib.ExitStack() as stack:
        stack.callback(restore, trial)
        stack.enter_context(running(trial, 20))
        for pool in ("203.0.113.9:30000-34999", "203.0.113.10:35000-39999"):
            address = pool.partition(":")[0]
            file = trial.node("edge1").path("/etc/v6native/network.toml")
            file.write_text(network_toml(trial.lab.arrangement, pool4=(pool,), static4=address))
            trial.succeeds("edge1", "v6native", "reload")
            port = str(unmapped(trial, t.PHONE6))
            curl = ("curl", "-sS", "-m10", "--local-port", port, f"http://{client.V4ONLY}/who")
            who = trial.succeeds("phone", *curl).out.split()
            # Only the port tells: edge1's own masquerade may have put its address over the pool's.
            expect(int(who[1]) in ports(pool), f"after the reload with {pool} a new connection left from {who[:2]}")
            seen.append(who[1])
    client.web_v4only(trial, "phone")
    return f"2 downloads through 2 reloads; new connections from ports {', '.join(seen)}"


def unmapped(trial: Trial, host: IPv6Address) -> int:
    """A port from which `host` has no BIB entry, which would go on to serve it (RFC 6146 §3.5.2), and calls nobody by itself."""
    rows = json.loads(trial.succeeds("edge1", "v6native", "bib", "--json").out)
    mapped = {row["port6"] for row in rows if row["address6"] == str(host)}
    return next(port for port in range(20000, 30000) if port not in mapped)


def ports(pool: str) -> range:
    first, last = pool.partition(":")[2].split("-")
    return range(int(first), int(last) + 1)


def restore(trial: Trial) -> None:
    """edge1's own file again."""
    trial.node("edge1").path("/etc/v6native/network.toml").write_text(network_toml(trial.lab.arrangement))
    trial.succeeds("edge1", "v6native", "reload")


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
        restore(trial)
    return "refused, and all went on"


def disallowed(trial: Trial) -> str:
    """A reload that no longer allows a client, or a source, ends its sessions at once; the others' go on."""
    edge1 = trial.node("edge1")
    file, own = edge1.path("/etc/v6native/network.toml"), edge1.path("/etc/v6native/clients.d/laptop.toml")
    phone, laptop = Running(trial, "phone", client.V4ONLY, 30), Running(trial, "laptop", LITERAL, 30)
    for each in (phone, laptop):
        wait_until(each.begun, 10, "a download does not begin")
    before = own.read_text()
    try:
        own.write_text(f"{before}enabled = false\n")
        trial.succeeds("edge1", "v6native", "reload")
        expect(not sessions_of(trial, t.TUNNEL6), "sessions of the client that is no longer enabled outlive the reload")
        expect(laptop.wait_status(15) != 0, "the download of laptop, which is no longer enabled, goes on")
        expect(phone.program.status() is None, "the download of phone, which nothing was said about, is gone")
        file.write_text(file.read_text().replace("[nat64]", '[nat64]\nsources = ["2001:db8:64:2::/64"]'))
        trial.succeeds("edge1", "v6native", "reload")
        expect(
            not sessions_of(trial, IPv6Network(t.PHONE6)),
            "sessions of a source that is no longer allowed outlive the reload",
        )
        expect(phone.wait_status(15) != 0, "the download of phone, which is no longer allowed, goes on")
    finally:
        own.write_text(before)
        restore(trial)
    # WireGuard notices after 15 seconds of silence that the other end has forgotten its keys.
    ping = ("ping", "-c1", "-W1", str(t.TUNNEL6[1]))
    wait_until(lambda: trial.node("laptop").run(*ping, check=False).status == 0, 30, "laptop's tunnel stays silent")
    client.web_v4only(trial, "laptop")
    client.web_v4only(trial, "phone")
    return "laptop's ended with its client, phone's with its source; both are back"


def sessions_of(trial: Trial, network: IPv6Network) -> list[str]:
    """The IPv6 addresses of a network that have sessions."""
    rows = json.loads(trial.succeeds("edge1", "v6native", "sessions", "--json").out)
    return [row["address6"] for row in rows if IPv6Address(row["address6"]) in network]


def flooded(trial: Trial) -> str:
    """First fragments without the rest, by the thousand, from both sides."""
    mapped = str(trial.through(t.SERVER4))
    with less_patience(trial), running(trial, 25):
        for node, target in (("phone", mapped), ("laptop", LITERAL), ("internet", trial.lab.arrangement.static4)):
            trial.program(node, "fragments", target, "7", "flood", timeout=90)
        download(trial, "phone", client.V4ONLY, 16)
        # The kernels on the way (edge1's, the server's) take no more fragments while they hold so many.
        wait_until(lambda: works(trial), FORGOTTEN, "fragmented pings do not work again after the flood")
    return "3 downloads meanwhile; then fragments work again"


@contextlib.contextmanager
def less_patience(trial: Trial) -> Iterator[None]:
    """The kernels give up incomplete packets after INCOMPLETE_SECONDS."""
    nodes = [trial.node(name) for name in ("edge1", "internet")]
    before = [node.run("sysctl", *INCOMPLETE).out.replace(" = ", "=").split() for node in nodes]
    try:
        for node in nodes:
            node.run("sysctl", *(f"{name}={INCOMPLETE_SECONDS}" for name in INCOMPLETE))
        yield
    finally:
        for node, lines in zip(nodes, before, strict=True):
            node.run("sysctl", *lines)


def downed(trial: Trial) -> str:
    """`down` stops the traffic and leaves edge1 as it was before v6native."""
    edge1 = trial.node("edge1")
    one = Running(trial, "phone", client.V4ONLY, 20)
    wait_until(one.begun, 10, "a download does not begin")
    idle = Orphan(trial, "phone")
    try:
        disconnect_laptop(trial.node("laptop"))
        trial.succeeds("edge1", "v6native", "down", timeout=60)
        expect(one.wait_status(15) != 0, "the download outlives `down`")
        now, then = snapshot(edge1), json.loads(edge1.path(BEFORE).read_text())
        left = edge1.path("/run/v6native")
        expect(
            not left.exists() or not list(left.iterdir()),
            f"`down` left {list(left.iterdir()) if left.exists() else ''}",
        )
        # An empty folder, and that of wireguard-go's sockets: neither does anything.
        now["run"] = [name for name in now["run"] if name not in ("v6native", "wireguard")]
        for what in then:
            expect(now[what] == then[what], f"`down` left {what} changed: {_difference(then[what], now[what])}")
        pins = list((trial.lab.estate.bpffs / "v6native").glob(f"{edge1.instance}*"))
        expect(not pins, f"`down` left pins: {pins}")
    finally:
        raise_edge(edge1)
        connect_laptop(trial.node("laptop"), edge1)
    client.web_v4only(trial, "phone")
    return f"stopped; edge1 is as it was found; up again; an idle connection: {idle.outcome()}"


class Orphan:
    """An idle TCP connection whose NAT64 loses it: what it sends next is answered with a reset, at once."""

    def __init__(self, trial: Trial, node: str) -> None:
        self._node = trial.node(node)
        self._go_on = f"/run/lab/{secrets.token_hex(4)}"
        program = (sys.executable, "-m", f"{PROGRAMS}.orphan", client.V4ONLY, str(LINES_PORT), self._go_on)
        self._program = self._node.start("orphan", *program)
        wait_until(lambda: "connected" in self._said(), 10, "the idle connection does not come to be")

    def outcome(self) -> str:
        self._node.path(self._go_on).touch()
        wait_until(lambda: self._program.status() is not None, 30, "the idle connection hangs")
        what, seconds = self._said().split()[-2:]
        expect(what == "ConnectionResetError", f"the orphaned connection: {what} instead of a reset")
        expect(float(seconds) < 2, f"the orphaned connection heard of it only after {seconds} s")
        return f"reset after {seconds} s"

    def _said(self) -> str:
        return self._node.log("orphan").read_text()


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
    Scenario(f"survive-{key}", 6, title, play, arrangements)
    for key, title, play, arrangements in (
        ("offloads", "offloads off and on", offloads, ALL),
        ("killed", "kill -9 of the daemon, `up` again", killed, ALL),
        ("stopped", "SIGTERM, `up` again", stopped, ALL),
        ("workers", "kill -9 of the workers", workers_killed, ALL),
        ("flood", "a flood of fragments", flooded, frozenset({Arrangement.SHARED})),
        ("reload", "reload with another pool", reloaded, ALL),
        ("disallowed", "reload that no longer allows a client or source", disallowed, ALL),
        ("broken-reload", "reload of a wrong file", broken_reload, ALL),
        ("down", "`down` stops it and restores edge1", downed, ALL),
    )
)
