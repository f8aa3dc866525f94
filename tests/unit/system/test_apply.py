# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The promises of `up` and `down`, on the host's twin: idempotent, convergent after any failure, restored on removal."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.system.networks import FACTS, LAB, configs, facts, hosts
from v6native.config.facts import HostFacts
from v6native.config.model import Config
from v6native.desired import desired
from v6native.desired.model import Desired
from v6native.errors import ApplyFailed, SystemActionError
from v6native.plan import diff
from v6native.plan.actions import RemoveKernelLocalRule, SetSysctl
from v6native.plan.actual import FoundLink, LinkKind, Saved
from v6native.system.apply import bring, teardown
from v6native.system.fake import FakeHost


@given(configs(), facts(), hosts())
def test_a_second_up_changes_nothing(config: Config, known: HostFacts, host: FakeHost) -> None:
    wanted = desired(config, "edge1", known)
    bring(host, wanted)
    assert diff(wanted, host.observe(wanted)) == ()


@given(configs(), facts(), hosts())
def test_down_leaves_the_host_as_it_was_found(config: Config, known: HostFacts, host: FakeHost) -> None:
    found = host.observe(Desired())
    bring(host, desired(config, "edge1", known))
    teardown(host)
    assert host.observe(Desired()) == found
    assert diff(Desired(), host.observe(Desired())) == ()


@given(configs(), facts(), hosts())
def test_a_full_disk_does_not_stop_down(config: Config, known: HostFacts, host: FakeHost) -> None:
    """An operator who is locked out by a change gets back in, whatever filled /var meanwhile."""
    found = host.observe(Desired())
    bring(host, desired(config, "edge1", known))
    keep = FakeHost.save

    def full(self: FakeHost, saved: Saved) -> None:
        if saved != Saved():  # an empty one is a file removed, for which there is always room
            raise SystemActionError("saved.json cannot be written: No space left on device")
        keep(self, saved)

    with patch.object(FakeHost, "save", full):
        teardown(host)
    assert host.observe(Desired()) == found


@given(configs(), facts(), configs(), facts(), hosts())
def test_there_and_back_again(one: Config, known1: HostFacts, two: Config, known2: HostFacts, host: FakeHost) -> None:
    found = host.observe(Desired())
    first, second = desired(one, "edge1", known1), desired(two, "edge1", known2)
    bring(host, first)
    before = host.observe(first)
    bring(host, second)
    assert diff(second, host.observe(second)) == ()
    bring(host, first)
    assert diff(first, host.observe(first)) == ()
    after = host.observe(first)
    assert (after.links, after.routes, after.rules, after.addresses) == (
        before.links,
        before.routes,
        before.rules,
        before.addresses,
    )
    teardown(host)
    assert host.observe(Desired()) == found


@given(configs(), facts(), hosts(), st.integers(0, 80), st.booleans(), st.booleans())
def test_a_failure_anywhere_converges_on_the_next_run(
    config: Config, known: HostFacts, host: FakeHost, at: int, afterwards: bool, down: bool
) -> None:
    found = host.observe(Desired())
    wanted = desired(config, "edge1", known)
    if down:
        bring(host, wanted)
        host.count = 0
    host.fail_at, host.dies_after = (None, at) if afterwards else (at, None)
    try:
        bring(host, Desired() if down else wanted)
    except ApplyFailed as failed:
        assert len(failed.done) == at
        bring(host, Desired() if down else wanted)
    host.fail_at = host.dies_after = None
    if not down:
        assert diff(wanted, host.observe(wanted)) == ()
        teardown(host)
    assert host.observe(Desired()) == found


@given(configs(), facts(), hosts())
def test_accept_ra_comes_before_forwarding(config: Config, known: HostFacts, host: FakeHost) -> None:
    wanted = desired(config, "edge1", known)
    keys = [a.key for a in diff(wanted, host.observe(wanted)) if isinstance(a, SetSysctl)]
    if "net/ipv6/conf/eth0/accept_ra" in keys and "net/ipv6/conf/all/forwarding" in keys:
        assert keys.index("net/ipv6/conf/eth0/accept_ra") < keys.index("net/ipv6/conf/all/forwarding")


def test_a_failure_says_what_was_done_and_what_remains() -> None:
    host = _machine()
    host.fail_at = 3
    with pytest.raises(ApplyFailed) as failed:
        bring(host, desired(LAB, "edge1", FACTS))
    assert len(failed.value.done) == 3
    assert str(failed.value.failed) in str(failed.value)
    assert f"{len(failed.value.remaining)} remain" in str(failed.value)


def test_a_foreign_interface_of_our_name_is_refused_before_anything_is_touched() -> None:
    host = _machine()
    foreign = FoundLink("nat64", LinkKind.OTHER, 1500)
    host.state.links["nat64"] = foreign  # type: ignore[index]
    with pytest.raises(SystemActionError, match="was not made by v6native"):
        bring(host, desired(LAB, "edge1", FACTS))
    assert host.count == 0


def test_a_rule_that_a_network_manager_deletes_comes_back() -> None:
    host = _machine()
    wanted = desired(LAB, "edge1", FACTS)
    bring(host, wanted)
    from dataclasses import replace

    host.state = replace(host.state, rules=frozenset(), routes=frozenset())
    done = bring(host, wanted)
    assert len(done) == len(wanted.rules) + len(wanted.routes)
    assert RemoveKernelLocalRule() not in done


def test_the_operators_reserved_ports_stay_reserved() -> None:
    host = _machine({"net/ipv4/ip_local_reserved_ports": "8080,39999"})
    bring(host, desired(LAB, "edge1", FACTS))
    assert host.state.sysctls["net/ipv4/ip_local_reserved_ports"] == "8080,39999-59999"
    teardown(host)
    assert host.state.sysctls["net/ipv4/ip_local_reserved_ports"] == "8080,39999"


def _machine(sysctls: dict[str, str] | None = None) -> FakeHost:
    host = FakeHost()
    known = {
        "net/ipv4/ip_forward": "0",
        "net/ipv6/conf/all/forwarding": "0",
        "net/ipv6/conf/eth0/accept_ra": "1",
        "net/ipv4/ip_local_reserved_ports": "",
        **(sysctls or {}),
    }
    links = {name: FoundLink(name, LinkKind.OTHER, 1500, up=True) for name in ("lo", "eth0", "lan0")}
    from dataclasses import replace

    host.state = replace(host.state, links=links, sysctls=known)
    return host
