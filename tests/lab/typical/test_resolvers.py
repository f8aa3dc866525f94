# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Other resolvers than the DNS64 alone: an unbound of the node's own, encrypted asking; and the unit's few capabilities."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.lab.typical.files import HOUSE, SERVER
from tests.lab.typical.site import Site, eventually
from v6native.lab import topology as t
from v6native.lab.edge import answers
from v6native.lab.wait import wait_until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

UNIT = Path(__file__).parents[3] / "packaging" / "v6native.service"
TLS = """
[dns64.tls]
name = "dns.house.example"
certificate = "/etc/v6native/cert.pem"
key = "/etc/v6native/key.pem"
"""


def resolves(house: Site, *options: str, server: str = str(t.EDGE_LAN6)) -> list[str]:
    command = ("dig", "+short", "+time=3", "+tries=1", f"@{server}", *options, "v4only.example", "AAAA")
    done = house["phone"].run(*command, check=False)
    return done.out.split() if done.ok else []


def test_unbound_instead_of_the_dns64(house: Site) -> None:
    """Its module synthesizes; it is started again when it dies, and gone after `down`."""
    file = house_with_unbound()
    house.up("edge1", file)
    house["phone"].path("/etc/resolv.conf").write_text(f"nameserver {t.EDGE_LAN6}\n")
    eventually(lambda: resolves(house) == [SERVER.strip("[]")], "unbound answers")
    assert house.fetch("phone", "v4only.example/") == "the internet"
    (worker,) = [w for w in house.ask("edge1", "status")["workers"] if w["name"] == "unbound"]
    assert worker["stats"]["numbers"]["total_num_queries"] >= 1
    house["edge1"].run("kill", "-9", str(worker["stats"]["unbound_pid"]))
    eventually(lambda: resolves(house) == [SERVER.strip("[]")], "unbound answers again")
    house.unchanged("edge1")
    folder = unbound_folder(house)
    assert folder.is_dir()
    house["edge1"].run("v6native", "down", timeout=60)
    assert resolves(house) == [] and not folder.exists()


def unbound_folder(house: Site) -> Path:
    edge1 = house["edge1"]
    return edge1.path(f"/var/lib/unbound/v6native-{edge1.path('/etc/v6native/instance').read_text().strip()}")


def house_with_unbound() -> str:
    # The lab has no root: unbound is told where its names are, and so that they are not signed.
    zone = f'[[dns64.zone]]\nname = "example"\nupstream = ["{t.SERVER6}"]\n'
    return HOUSE.replace(
        f'[dns64]\nupstream = ["{t.SERVER6}"]\n', f'[dns64]\nengine = "unbound"\nupstream = ["own"]\n{zone}'
    )


def test_an_unbound_behind_the_dns64(house: Site) -> None:
    """There is no internet for it to resolve: what it knows by itself, it answers, and only to the node."""
    house.up("edge1", HOUSE.replace(f'upstream = ["{t.SERVER6}"]', 'upstream = ["own"]'))
    dig = ("dig", "+short", "+time=2", "+tries=1", "-p", "5364", "@::1", "localhost", "A")
    eventually(lambda: house["edge1"].run(*dig, check=False).out.split() == ["127.0.0.1"], "unbound answers the node")
    settings = house["edge1"].path("/run/v6native/dns64.json").read_text()
    assert '"port": 5364' in settings
    conf = (unbound_folder(house) / "unbound.conf").read_text()
    assert 'outgoing-port-avoid: "40000-' in conf
    house.unchanged("edge1")


def test_phones_ask_encrypted(house: Site) -> None:
    """DNS over TLS and HTTPS on the node's LAN address, found by DDR (RFC 9462)."""
    etc = house["edge1"].path("/etc/v6native")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=dns.house.example"]
    command += ["-addext", f"subjectAltName=DNS:dns.house.example,IP:{t.EDGE_LAN6}"]
    command += ["-keyout", str(etc / "key.pem"), "-out", str(etc / "cert.pem")]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    house.up("edge1", HOUSE + TLS)
    ca = house["phone"].path("/etc/ca.pem")
    ca.write_text((etc / "cert.pem").read_text())
    trust = ("+tls-ca=/etc/ca.pem", "+tls-hostname=dns.house.example")
    eventually(lambda: resolves(house, "+tls", *trust) == [SERVER.strip("[]")], "DNS over TLS")
    assert resolves(house, "+https", *trust) == [SERVER.strip("[]")]
    told = house["phone"].run("dig", "+short", f"@{t.EDGE_LAN6}", "_dns.resolver.arpa", "SVCB").out
    assert "dns.house.example." in told


def test_the_units_capabilities_suffice(house: Site) -> None:
    """What systemd leaves the daemon is enough for all that it does: translating, names, an unbound that gives up root."""
    found = re.search(r"^CapabilityBoundingSet=(.*)$", UNIT.read_text(), re.MULTILINE)
    assert found is not None
    left = ",".join(f"+{name.lower().removeprefix('cap_')}" for name in found[1].split())
    edge1 = house["edge1"]
    edge1.path("/etc/v6native/network.toml").write_text(house_with_unbound())
    edge1.start("v6native", "setpriv", f"--bounding-set=-all,{left}", "--no-new-privs", "v6native", "up")
    wait_until(lambda: answers(edge1), 30, lambda: edge1.log("v6native").read_text())
    assert house.fetch("phone", f"{SERVER}/") == "the internet"
    eventually(
        lambda: resolves(house) == [SERVER.strip("[]")], lambda: edge1.path("/run/v6native/unbound.log").read_text()
    )
    (pid,) = (w["pid"] for w in house.ask("edge1", "status")["workers"] if w["name"] == "unbound")
    limited = Path(f"/proc/{pid}/status").read_text()
    assert re.search(r"^CapBnd:\t0*(\w+)$", limited, re.MULTILINE)[1] != "1ffffffffff"  # type: ignore[index]
    edge1.path("/etc/v6native/network.toml").write_text(HOUSE)
    edge1.run("v6native", "reload")
    eventually(lambda: resolves(house) == [SERVER.strip("[]")], "names by the DNS64")
    assert [f for f in house.ask("edge1", "doctor")["findings"] if f["severity"] == "error"] == []
    edge1.run("v6native", "down", timeout=60)
    assert not answers(edge1)


DEAF = "table ip deaf {\n  chain input {\n    type filter hook input priority 0;\n    icmp type echo-request drop\n  }\n}\n"


def test_a_gateway_whose_packets_go_nowhere_is_told(house: Site) -> None:
    """Pinged through the prefix every second: found down and up again, and names are answered all the time."""
    house.up("edge1", f'{HOUSE}\n[health]\nprobe = ["{t.SERVER4}"]\ninterval = 1\n')

    def told() -> list[bool]:
        return [gateway["healthy"] for gateway in house.ask("edge1", "status")["gateways"]]

    eventually(lambda: told() == [True], "the gateway is healthy")
    house["internet"].run("nft", "-f", "-", stdin=DEAF)
    try:
        eventually(lambda: told() == [False], "the gateway is down", 15)
        findings = {finding["code"]: finding["text"] for finding in house.ask("edge1", "doctor")["findings"]}
        assert f"none of {t.SERVER4} answers" in findings["gateway_down"]
        assert "DOWN" in house["edge1"].run("v6native", "status", check=False).out
        assert resolves(house) == [SERVER.strip("[]")]
    finally:
        house["internet"].run("nft", "delete", "table", "ip", "deaf")
    eventually(lambda: told() == [True], "the gateway is healthy again", 15)
