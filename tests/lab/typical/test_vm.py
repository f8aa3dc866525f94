# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A virtual machine as rented: one IPv4 address, one on-link IPv6 /64, nothing routed to it."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from tests.lab.typical.site import OPEN4, Site, eventually, laptop_key, tunnel
from tests.lab.typical.topologies import GLOBAL_SERVER4, ONLINK4, VM_LAPTOP6, VM_TUNNEL6
from v6native.address import WKP, embed
from v6native.lab import topology as t

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

FILE = """\
[network]
name = "vm"
prefix = ["2001:db8:2::/64"]
pref64 = "64:ff9b::/96"

[node.vm]
uplink = "eth0"
pool4 = [{pool4}]

[nat64]
allow_ipv4 = {open4}

[[nat64.static]]
proto = "tcp"
ipv4 = "{static4}:80"
ipv6 = "[{laptop}]:80"

[dns64]
upstream = ["{server6}"]

[tunnel.friends]
prefix = "{tunnel6}"
clat4 = "100.64.0.0/24"

[client.laptop]
tunnel = "friends"
public_key = "{key}"
address6 = "{laptop}"
address4 = "100.64.0.2"
"""


def file(vm: Site, pool4: str = "uplink:40000-59999", static4: str = "uplink") -> str:
    return FILE.format(
        pool4=f'"{pool4}"',
        static4=static4,
        open4=OPEN4,
        laptop=VM_LAPTOP6,
        server6=t.SERVER6,
        tunnel6=VM_TUNNEL6,
        key=laptop_key(vm),
    )


def mapped(address: IPv4Address) -> str:
    return f"[{embed(WKP, address)}]"


def test_a_tunnel_client_out_of_the_onlink_prefix(vm: Site) -> None:
    """RFC 4389's purpose: the router asks by NDP for an address that lies behind the VM."""
    vm.up("vm", file(vm))
    with tunnel(vm, "vm", str(VM_LAPTOP6), "100.64.0.2"):
        eventually(lambda: vm.fetch("laptop", f"[{t.SERVER6}]/who").startswith(str(VM_LAPTOP6)), "IPv6 from the tunnel")
        assert vm.fetch("internet", f"[{VM_LAPTOP6}]/") == "laptop"
        vm["r1"].run("ip", "-6", "neigh", "flush", "dev", "edge")
        assert vm.fetch("internet", f"[{VM_LAPTOP6}]/") == "laptop"
        neighbour = vm["r1"].run("ip", "-6", "neigh", "show", str(VM_LAPTOP6)).out
        assert vm["vm"].path("/sys/class/net/eth0/address").read_text().strip() in neighbour
        # From a host on the link itself too.
        assert vm["r1"].run("ping", "-n", "-c1", "-W2", str(VM_LAPTOP6)).ok
        vm.download("laptop", mapped(t.SERVER4))
        vm.download("laptop", str(t.SERVER4))
        vm.download("laptop", f"[{t.SERVER6}]")
    vm.unchanged("vm")


def test_an_address_that_nobody_has_is_not_answered_for(vm: Site) -> None:
    vm.up("vm", file(vm))
    for nobody in ("2001:db8:2:0:a::99", "2001:db8:2::99", str(ONLINK4)):
        assert not vm["r1"].run("ping", "-n", "-c1", "-W1", nobody, check=False).ok
        assert "lladdr" not in vm["r1"].run("ip", "neigh", "show", nobody).out


def test_an_onlink_ipv4_address_as_pool(vm: Site) -> None:
    """The address is on no interface: the VM answers ARP for it."""
    vm["r1"].run("ip", "neigh", "flush", "dev", "edge")
    vm.up("vm", file(vm, str(ONLINK4), str(ONLINK4)))
    with tunnel(vm, "vm", str(VM_LAPTOP6), "100.64.0.2"):
        eventually(lambda: vm.fetch("internet", f"{ONLINK4}/") == "laptop", "the static entry from outside")
        neighbour = vm["r1"].run("ip", "neigh", "show", str(ONLINK4)).out
        assert vm["vm"].path("/sys/class/net/eth0/address").read_text().strip() in neighbour
        # A host on the link reaches it as well: it asks for the address itself.
        assert vm.fetch("r1", f"{ONLINK4}/") == "laptop"
        assert vm.fetch("laptop", f"{mapped(t.SERVER4)}/who").split()[0] == str(ONLINK4)
        vm.download("laptop", mapped(t.SERVER4))
        vm.download("laptop", str(t.SERVER4))
        vm.download("internet", str(ONLINK4), server="laptop")
    # The VM's own address is the VM's alone.
    assert vm.fetch("internet", f"{t.EDGE4}:8080/") == "vm itself"
    vm.unchanged("vm")


def test_what_init_writes_works_unmodified(vm: Site) -> None:
    config = vm["vm"].path("/etc/v6native/network.toml")
    config.unlink(missing_ok=True)
    vm["vm"].run("v6native", "init")
    text = config.read_text()
    code = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert 6 <= len(code) <= 12, text
    checked = vm["vm"].run("v6native", "check", check=False)
    assert checked.ok, checked.out + checked.err
    vm.up("vm", text)
    vm.download("vm", mapped(GLOBAL_SERVER4))
    assert vm.fetch("vm", f"{mapped(GLOBAL_SERVER4)}/who").split()[0] == str(t.EDGE4)
    vm.unchanged("vm")


def test_a_client_with_the_clat_is_told_what_is_real(vm: Site) -> None:
    """Its IPv4 goes by the CLAT: by name, too, unless the file asks for synthesis."""
    vm.up("vm", file(vm))
    laptop, resolver = vm["laptop"], str(VM_TUNNEL6[1])
    with tunnel(vm, "vm", str(VM_LAPTOP6), "100.64.0.2"):

        def names(kind: str) -> list[str]:
            dig = ("dig", "+short", "+time=2", "+tries=2", f"@{resolver}", "v4only.example", kind)
            return laptop.run(*dig).out.split()

        assert (names("AAAA"), names("A")) == ([], [str(t.SERVER4)])
        resolv_conf = laptop.path("/etc/resolv.conf")
        before = resolv_conf.read_text()
        resolv_conf.write_text(f"nameserver {resolver}\n")
        try:
            assert vm.fetch("laptop", "v4only.example/") == "the internet"
        finally:
            resolv_conf.write_text(before)
        asked = file(vm).replace("[dns64]", "[dns64]\nsynthesize_for_dual = true")
        vm["vm"].path("/etc/v6native/network.toml").write_text(asked)
        vm["vm"].run("v6native", "reload")
        eventually(lambda: names("AAAA") == [str(embed(WKP, t.SERVER4))], "the reload reaches the DNS64")
