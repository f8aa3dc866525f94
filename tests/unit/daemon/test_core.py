# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Start, reload, repair and remove, on a host and a data plane in memory."""

from __future__ import annotations

import datetime
import errno
from pathlib import Path

import pytest

from tests.unit.daemon.rig import FILE, Rig, binding, rig, session
from v6native.daemon.core import Daemon
from v6native.daemon.snapshot import Snapshots
from v6native.errors import ConfigError, EnvironmentRefused, SystemActionError, V6nativeError

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)


@pytest.fixture
def made(tmp_path: Path) -> Rig:
    return rig(tmp_path)


def daemon(made: Rig) -> Daemon:
    return Daemon(made.node, Snapshots(made.paths), lambda: NOW, lambda _step: None)


def test_up_then_nothing_would_change(made: Rig) -> None:
    running = daemon(made)
    assert running.start()
    assert running.plan() == ()
    assert running.look() == ()


def test_a_second_up_changes_nothing(made: Rig) -> None:
    daemon(made).start()
    assert daemon(made).start() == ()


def test_a_wrong_file_touches_nothing(made: Rig) -> None:
    made.write(FILE.replace("eth0", "eth9").replace("pool4", "pol4"))
    before = made.doors.machine.state
    with pytest.raises(ConfigError):
        daemon(made).start()
    assert made.doors.machine.state == before
    assert made.doors.machine.dataplane.config is None


def test_a_reload_with_a_wrong_file_keeps_what_runs(made: Rig) -> None:
    running = daemon(made)
    running.start()
    state, told = made.doors.machine.state, made.doors.machine.dataplane.config
    made.write("[network]\nname = 5\n")
    result = running.reload()
    assert not result.ok and result.error is not None and "network.toml:2" in result.error
    assert result.at == NOW
    assert (made.doors.machine.state, made.doors.machine.dataplane.config) == (state, told)


def test_a_reload_that_fails_halfway_is_put_back(made: Rig) -> None:
    running = daemon(made)
    running.start()
    before = running.config
    made.write(FILE.replace('pref64 = "2001:db8:64:64::/96"', 'pref64 = "2001:db8:64:65::/96"'))
    made.doors.machine.fail_at = made.doors.machine.count + 1
    result = running.reload()
    assert not result.ok and result.error is not None and "The old configuration runs again" in result.error
    assert running.config == before
    assert made.node.preview(before) == ()


def test_a_reload_takes_the_new_file_over(made: Rig) -> None:
    running = daemon(made)
    running.start()
    made.write(FILE.replace("40000-59999", "41000-42000"))
    result = running.reload()
    assert result.ok and result.changes
    assert running.plan() == ()


def test_a_reload_ends_only_what_is_no_longer_allowed(made: Rig) -> None:
    running = daemon(made)
    running.start()
    made.doors.machine.dataplane.dynamic.append(binding())
    made.doors.machine.dataplane.live.append(session())
    made.write(FILE.replace("40000-59999", "50000-59999"))
    assert running.reload().ok
    assert made.doors.machine.dataplane.live == [session()]
    made.write(FILE.replace("[nat64]", '[nat64]\nsources = ["2001:db8:64:2::/64"]'))
    assert running.reload().ok
    assert made.doors.machine.dataplane.live == []


def test_a_new_uplink_address_is_followed(made: Rig) -> None:
    running = daemon(made)
    running.start()
    made.address_changes("192.0.2.77/24")
    assert running.look()
    nat64 = made.doors.machine.dataplane.config
    assert nat64 is not None and nat64.nat64 is not None
    assert {str(entry.address) for entry in nat64.nat64.pool} == {"192.0.2.77"}
    assert running.look() == ()


def test_what_somebody_deleted_comes_back(made: Rig) -> None:
    from dataclasses import replace

    running = daemon(made)
    running.start()
    host = made.doors.machine
    host.state = replace(host.state, routes=frozenset())
    assert running.look()
    assert host.state.routes


def test_a_failing_repair_is_told_and_forgotten_when_it_works(made: Rig) -> None:
    running = daemon(made)
    running.start()
    made.address_changes("192.0.2.77/24")
    made.doors.machine.fail_at = made.doors.machine.count
    with pytest.raises(V6nativeError):
        running.look()
    assert running.trouble is not None and "asked for it" in running.trouble
    running.look()
    assert running.trouble is None


def test_down_leaves_the_host_as_it_was_found(made: Rig) -> None:
    before = made.doors.machine.state
    running = daemon(made)
    running.start()
    running.remove()
    assert made.doors.machine.state == before
    assert made.doors.machine.dataplane.removed
    assert not Snapshots(made.paths).applied.exists()


def test_only_what_was_applied_is_kept(made: Rig) -> None:
    running = daemon(made)
    running.start()
    made.write("nonsense")
    running.reload()
    assert (Snapshots(made.paths).applied / "network.toml").read_text() == FILE
    other = FILE.replace("40000-59999", "41000-42000")
    made.write(other)
    running.reload()
    assert (Snapshots(made.paths).applied / "network.toml").read_text() == other


def test_a_full_disk_is_told_and_nothing_is_touched(made: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    running = daemon(made)
    running.start()

    def full(*_args: object, **_more: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("v6native.daemon.snapshot.shutil.copy2", full)
    result = running.reload()
    assert not result.ok and result.error is not None and "No space left on device; make room there" in result.error
    with pytest.raises(SystemActionError, match="make room there"):
        daemon(made).start()


def test_what_the_machine_lacks_is_refused_before_anything_is_touched(made: Rig) -> None:
    before = made.doors.machine.state
    made.doors.missing = ("nft",)
    with pytest.raises(EnvironmentRefused, match="nft is not installed"):
        daemon(made).start()
    made.doors.missing, made.doors.release = (), "5.15.0"
    with pytest.raises(EnvironmentRefused, match=r"6\.1 or newer"):
        daemon(made).start()
    assert made.doors.machine.state == before
