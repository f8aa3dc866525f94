# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A daemon's life on a real host: start, reload, death, adoption, repair, end."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.system.daemon.machine import FILE, Machine, until

pytestmark = pytest.mark.root


def alive(pid: int | None) -> bool:
    """A zombie, which waits for a slow init, is dead."""
    try:
        return pid is not None and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_up_tells_the_service_manager_and_down_leaves_nothing(machine: Machine) -> None:
    before = machine.picture()
    with machine.manager() as told:
        daemon = machine.start()
        until(lambda: "READY=1" in told() or daemon.poll() is not None, 30, "READY=1")
        assert daemon.poll() is None, machine.log()
        assert "STATUS=Node edge1 is up" in told()
        worker = until(machine.worker)
        status = machine.ask("status")
        assert status["ok"] and status["node"]["node"] == "edge1", status
        assert [w["name"] for w in status["workers"]] == ["slowpath", "log"]
        assert [w["pid"] for w in status["workers"]] == [worker, until(lambda: machine.worker("log"))]
        assert machine.v6native("plan").stdout == "Nothing would change.\n"
        done = machine.v6native("down")
        assert done.returncode == 0, done.stderr
        assert daemon.wait(10) == 0
        assert "STOPPING=1" in told()
    assert machine.picture() == before
    assert not alive(worker)
    assert machine.v6native("down").stdout == "Nothing of v6native is on this host.\n"


def test_a_second_up_is_one_sentence(machine: Machine) -> None:
    machine.up()
    second = machine.v6native("up")
    assert second.returncode == 1
    assert len(second.stderr.splitlines()) == 1 and "already runs" in second.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_daemon_only(machine: Machine, number: signal.Signals) -> None:
    daemon = machine.up()
    worker = until(machine.worker)
    placed = machine.picture()
    daemon.send_signal(number)
    assert daemon.wait(10) == 0
    assert machine.picture() == placed
    assert alive(worker)
    assert "is in place" in machine.v6native("status").stderr


def test_killed_and_adopted(machine: Machine) -> None:
    daemon = machine.up()
    worker = until(machine.worker)
    placed = machine.picture()
    daemon.kill()
    daemon.wait()
    assert alive(worker) and machine.picture() == placed
    assert machine.v6native("plan").stdout == "Nothing would change.\n"
    machine.up()
    assert machine.picture() == placed
    assert machine.ask("status")["workers"][0]["pid"] == worker
    assert machine.ask("status")["daemon"]["reload"]["changes"] == 0


def test_a_killed_worker_is_back_within_a_second(machine: Machine) -> None:
    machine.up()
    first = until(machine.worker)
    os.kill(first, signal.SIGKILL)
    second = until(lambda: machine.worker() if machine.worker() != first else None, 1.5, "the worker's return")
    assert alive(second)
    assert machine.ask("status")["workers"][0]["restarts"] == 1


def test_a_killed_log_worker_is_back_and_goes_on(machine: Machine) -> None:
    machine.up()
    first = until(lambda: machine.worker("log"))
    database = machine.folder / "var" / "default" / "who-had.db"
    until(database.exists)
    os.kill(first, signal.SIGKILL)
    second = until(
        lambda: machine.worker("log") if machine.worker("log") != first else None, 1.5, "the worker's return"
    )
    assert alive(second)
    answer = machine.ask("who-had", "192.0.2.1:40000")
    assert answer["holders"] == [] and answer["seen"] is not None
    assert machine.run("curl", "-s", "--unix-socket", str(machine.folder / "run" / "api.sock"),
                       "http://node/v1/who-had?address=192.0.2.1&port=40000").stdout.startswith('{"address":"192.0.2.1"')  # fmt: skip
    assert machine.v6native("down").returncode == 0
    assert not alive(second) and database.exists()


def test_a_reload_switches_the_log_off_and_on(machine: Machine) -> None:
    machine.up()
    first = until(lambda: machine.worker("log"))
    until((machine.folder / "var" / "default" / "who-had.db").exists)
    assert machine.ask("who-had", "192.0.2.1:40000")["off"] is False
    text = machine.network_toml.read_text()
    machine.network_toml.write_text(text + "\n[log]\nenabled = false\n")
    assert machine.ask("reload")["error"] is None
    until(lambda: not alive(first))
    assert [w["name"] for w in machine.ask("status")["workers"]] == ["slowpath"]
    assert machine.ask("who-had", "192.0.2.1:40000")["off"] is True
    machine.network_toml.write_text(text)
    assert machine.ask("reload")["error"] is None
    until(lambda: machine.worker("log"))
    until(lambda: machine.ask("who-had", "192.0.2.1:40000")["off"] is False)


def test_down_without_a_daemon(machine: Machine) -> None:
    before = machine.picture()
    daemon = machine.up()
    worker = until(machine.worker)
    daemon.kill()
    daemon.wait()
    assert machine.v6native("down").returncode == 0
    assert machine.picture() == before
    assert not alive(worker)


def pool(machine: Machine) -> list[str]:
    return [f"{p['address']}:{p['first_port']}-{p['last_port']}" for p in machine.ask("status")["node"]["pool4"]]


def test_sighup_and_reload_take_the_file_over(machine: Machine) -> None:
    with machine.manager() as told:
        daemon = machine.start()
        until(lambda: "READY=1" in told(), 30, "READY=1")
        machine.network_toml.write_text(FILE.replace("40000-59999", "41000-42000"))
        daemon.send_signal(signal.SIGHUP)
        until(lambda: "RELOADING=1" in told() and told().count("READY=1") == 2, what="RELOADING=1, READY=1")
    assert pool(machine) == ["192.0.2.1:41000-42000"]
    machine.network_toml.write_text(FILE.replace("40000-59999", "43000-44000"))
    assert machine.v6native("reload").returncode == 0
    assert pool(machine) == ["192.0.2.1:43000-44000"]


def test_a_reload_with_a_wrong_file_changes_nothing(machine: Machine) -> None:
    daemon = machine.up()
    placed = machine.picture()
    machine.network_toml.write_text(FILE.replace("pool4", "pol4").replace("eth0", "eth9"))
    result = machine.v6native("reload")
    assert result.returncode == 1
    assert "network.toml:9" in result.stderr and "did you mean pool4?" in result.stderr
    assert daemon.poll() is None and machine.picture() == placed
    assert "pol4" in machine.ask("status")["daemon"]["reload"]["error"]


def test_a_new_uplink_address_is_followed(machine: Machine) -> None:
    machine.up()
    machine.run("ip", "address", "delete", "192.0.2.1/24", "dev", "eth0")
    machine.run("ip", "address", "add", "192.0.2.77/24", "dev", "eth0")
    machine.run("ip", "route", "add", "default", "via", "192.0.2.254")
    until(lambda: pool(machine) == ["192.0.2.77:40000-59999"], what="the new address")
    until(lambda: "192.0.2.77" in machine.run("ip", "rule").stdout, what="the rule")


@pytest.mark.parametrize(
    "deletion",
    [
        "ip rule delete pref 62",
        "ip route flush table 6464",
        "ip -6 route delete 2001:db8:64:64::/96",
        "ip link delete nat64",
        "tc filter delete dev eth0 ingress",
        "ip neigh delete fe80::64 dev nat64",
        "nft flush ruleset",
    ],
)
def test_what_somebody_deletes_comes_back(machine: Machine, deletion: str) -> None:
    machine.up()
    machine.run(*deletion.split())
    assert "Nothing would change" not in machine.v6native("plan").stdout or "host_changed" in machine.log()
    until(lambda: "host_changed" in machine.log(), what="the repair")
    until(lambda: machine.v6native("plan").stdout == "Nothing would change.\n", what="the repair's end")


def test_a_host_that_begins_to_filter_is_followed_at_once(machine: Machine) -> None:
    """A strict `all` would drop all that is translated, until nat64-x is loose."""
    machine.run("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0")
    machine.up()

    def own() -> str:
        return machine.run("sysctl", "-n", "net.ipv4.conf.nat64-x.rp_filter").stdout.strip()

    assert own() == "0"
    machine.run("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=1")
    until(lambda: own() == "2", 10, "a loose nat64-x")
    machine.run("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0")
    until(lambda: own() == "0", 10, "no filter on nat64-x")


def test_the_watchdog_is_fed(machine: Machine) -> None:
    machine.environment["WATCHDOG_USEC"] = "400000"
    with machine.manager() as told:
        machine.start()
        until(lambda: told().count("WATCHDOG=1") >= 3, 30, "WATCHDOG=1")


def test_metrics_and_counters(machine: Machine) -> None:
    machine.up()
    assert machine.ask("counters")["counters"]["TRANSLATED_6TO4"] == 0
    shown = machine.run(
        "curl", "-s", "--unix-socket", str(machine.folder / "run" / "api.sock"), "http://node/metrics"
    ).stdout
    assert 'v6native_packets_total{reason="translated_6to4",verdict="done"} 0.0' in shown
    assert 'v6native_worker_up{worker="slowpath"} 1.0' in shown
    assert machine.ask("sessions") == [] and machine.ask("bib") == []


def test_the_doctor_names_what_is_wrong(machine: Machine) -> None:
    machine.up()
    assert [f["code"] for f in machine.ask("doctor")["findings"] if f["severity"] == "error"] == []
    machine.run("ip", "rule", "add", "pref", "10", "lookup", "main")
    codes = {f["code"] for f in machine.ask("doctor")["findings"]}
    assert "foreign_rule" in codes
