# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`up --confirm` on a machine that one reaches only over the network: unconfirmed, all is as it was, by `ip`'s own dumps."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.typical.files import HOUSE, SERVER
from tests.lab.typical.site import Site, eventually, kill
from v6native.lab.edge import answers
from v6native.lab.wait import wait_until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(90)]
SECONDS = 5
OBJECTS = ("link", "address", "route show table all", "rule", "neigh show proxy", "neigh show nud permanent")
SYSCTLS = r"^net\.(ipv4\.ip_|ipv6\.conf|ipv4\.conf|netfilter\.nf_conntrack_max)"
MOVING = {
    "valid_life_time",
    "preferred_life_time",
    "expires",
    "updated",
    "used",
    "stats",
    "stats64",
    "hello_timer",
    "tcn_timer",
    "topology_change_timer",
    "gc_timer",
}
"""What moves by itself."""


def steady(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: steady(item) for key, item in value.items() if key not in MOVING}
    return [steady(item) for item in value] if isinstance(value, list) else value


def dump(house: Site) -> dict[str, Any]:
    """All of edge1 that v6native may change."""
    edge1 = house["edge1"]
    seen: dict[str, Any] = {}
    for words in OBJECTS:
        for family in ("-4", "-6"):
            rows = json.loads(edge1.run("ip", "-d", "-j", family, *words.split()).out or "[]")
            seen[f"{family} {words}"] = sorted((steady(row) for row in rows), key=str)
    seen["sysctl"] = edge1.run("sysctl", "-a", "--pattern", SYSCTLS).out.splitlines()
    seen["nft"] = edge1.run("nft", "-t", "list", "ruleset").out
    seen["tc"] = edge1.run("tc", "-j", "qdisc", "show").out
    seen["pins"] = sorted(p.name for p in (house.estate.bpffs / "v6native").glob(f"{edge1.instance}*"))
    return seen


def up_to_be_confirmed(house: Site) -> None:
    edge1 = house["edge1"]
    edge1.path("/etc/v6native/network.toml").write_text(HOUSE)
    edge1.start("v6native", "v6native", "up", "--confirm", str(SECONDS))
    wait_until(lambda: answers(edge1), 20, lambda: edge1.log("v6native").read_text())


def differing(then: dict[str, Any], now: dict[str, Any]) -> str:
    """What is gone and what is new, field by field."""
    before, after = set(fields(then)), set(fields(now))
    return "".join(f"\n- {line}" for line in sorted(before - after)) + "".join(
        f"\n+ {line}" for line in sorted(after - before)
    )


def fields(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from fields(item, f"{path}/{key}")
    elif isinstance(value, list):
        for item in value:
            name = item.get("ifname") if isinstance(item, dict) else None
            yield from fields(item, f"{path}/{name}" if name else path)
    else:
        yield f"{path} {value}"


def test_killed_and_not_confirmed_the_host_is_as_before(house: Site) -> None:
    before = dump(house)
    up_to_be_confirmed(house)
    assert dump(house) != before
    kill(house, "edge1")
    # The data plane outlives the daemon until the time is up.
    assert house.fetches("phone", f"{SERVER}/")
    eventually(lambda: house["edge1"].path("/run/v6native/undone.json").exists(), "the undo", SECONDS + 10)
    assert not differing(before, dump(house))
    assert not house.fetches("phone", f"{SERVER}/")


def test_confirmed_it_stays(house: Site) -> None:
    began = time.monotonic()
    up_to_be_confirmed(house)
    assert house["edge1"].run("v6native", "confirm").ok
    eventually(lambda: "LOWER_UP" in house["edge1"].run("ip", "link", "show", "v6n-slow").out, "the slow path")
    placed = dump(house)
    # Past the time it is all there: nothing announces an undo that does not come.
    wait_until(lambda: time.monotonic() > began + SECONDS + 3, SECONDS + 5, "the clock stands still")
    assert answers(house["edge1"])
    changed = differing(placed, dump(house))
    assert not changed, changed
    house.download("phone", SERVER)
    assert not house["edge1"].path("/run/v6native/undone.json").exists()
