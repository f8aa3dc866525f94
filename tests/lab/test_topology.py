# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The lab without v6native: its machines reach each other and the servers answer, as the plain internet would."""

from __future__ import annotations

import pytest

from v6native.lab import topology as t
from v6native.lab.lab import Lab
from v6native.lab.web import publish, take_upload

pytestmark = pytest.mark.lab


@pytest.mark.parametrize(
    ("node", "target"),
    [
        ("phone", t.SERVER6),
        ("phone", t.EDGE_LAN6),
        ("edge1", t.SERVER4),
        ("edge1", t.SERVER6),
        ("laptop", t.EDGE4),
        ("laptop", t.SERVER4),
        ("internet", t.PHONE6),
        ("internet", t.EDGE4),
    ],
)
def test_ping(bare_lab: Lab, node: str, target: t.Address) -> None:
    assert bare_lab[node].run("ping", "-n", "-c1", "-W2", str(target)).ok


def test_phone_has_no_ipv4(bare_lab: Lab) -> None:
    done = bare_lab["phone"].run("ping", "-n", "-c1", "-W1", str(t.SERVER4), check=False)
    assert "unreachable" in done.err


def test_web_answers_by_both_families(bare_lab: Lab) -> None:
    internet = bare_lab["internet"]
    for address in (str(t.SERVER4), f"[{t.SERVER6}]"):
        assert bare_lab["edge1"].run("curl", "-sS", f"http://{address}/").out == "the internet\n"
    path, digest = publish(internet, 4)
    got = bare_lab["phone"].run("sh", "-c", f"curl -sS http://[{t.SERVER6}]{path} | sha256sum")
    assert got.out.split()[0] == digest
    bare_lab["phone"].run("sh", "-c", f"head -c 1000000 /dev/zero | curl -sS -f -T - http://[{t.SERVER6}]/upload/zero")
    assert take_upload(internet, "zero") == "d29751f2649b32ff572b5e0a9f541ea660a50f94ff0beedfb0b692b924cc8025"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (("v4only.example", "A"), {"198.51.100.80"}),
        (("v4only.example", "AAAA"), set()),
        (("v6only.example", "A"), set()),
        (("v6only.example", "AAAA"), {"2001:db8:80::80"}),
        (("dual.example", "AAAA"), {"2001:db8:80::80"}),
        ((".", "NS"), {"ns.example."}),
        (("-x", "198.51.100.80"), {"internet.example."}),
        (("-x", "2001:db8:1::2"), {"r2.example."}),
    ],
)
def test_names(bare_lab: Lab, question: tuple[str, ...], answer: set[str]) -> None:
    done = bare_lab["edge1"].run("dig", "+short", "+time=2", "+tries=1", *question)
    assert set(done.out.split()) == answer


def test_pins_made_inside_are_the_hosts(bare_lab: Lab) -> None:
    edge1 = bare_lab["edge1"]
    pins = f"/sys/fs/bpf/v6native/{edge1.instance}/test"
    edge1.run("mkdir", "-p", pins)
    edge1.run(
        *("bpftool", "map", "create", f"{pins}/map", "type", "array", "key", "4", "value", "4"),
        "entries",
        "1",
        "name",
        "m",
    )
    assert (bare_lab.estate.bpffs / "v6native" / edge1.instance / "test" / "map").exists()


def test_sys_and_proc_are_the_nodes(bare_lab: Lab) -> None:
    edge1 = bare_lab["edge1"]
    assert set(edge1.run("ls", "/sys/class/net").out.split()) == {"br0", "eth0", "lan0", "lo"}
    assert "br0" in edge1.run("ls", "/proc/sys/net/ipv4/conf").out.split()
    assert edge1.run("hostname").out == "edge1\n"
