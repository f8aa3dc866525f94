# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""TAYGA 0.9.2 (Debian), a stateless translator that others wrote, on a TUN device in a network namespace of its own.

    with tayga(folder, mappings, pref64, node4, node6) as peer:
        packets = peer.translate(packet)      # one IP packet in; what TAYGA sends for it, in order

TAYGA reads one packet after the other, so what comes out before a marker that was sent last belongs to the packet.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from pathlib import Path

from tests.system.dataplane.bpffs import private_netns
from v6native.packet import UDP, IPv4Packet

INTERFACE = "tayga0"
_ETH_P_ALL, _ETH_P_IP, _ETH_P_IPV6 = 0x0003, 0x0800, 0x86DD
_PACKET_HOST = 0
_SOL_PACKET, _PACKET_RCVBUFFORCE = 263, 33
_DEADLINE = 5.0
# The IPv4 source of markers: nobody else's in any case.
_MARKER = IPv4Address("198.18.255.255")


@dataclass(slots=True)
class Tayga:
    """`marked`: a mapped IPv4 address, to which the markers go."""

    sock: socket.socket
    marked: IPv4Address
    serial: int = 0

    def translate(self, *packets: bytes) -> list[bytes]:
        """What TAYGA makes of the packets, one after the other."""
        for packet in packets:
            self._send(packet)
        self.serial = (self.serial + 1) % 65536
        self._send(self._marker(self.serial))
        out: list[bytes] = []
        until = time.monotonic() + _DEADLINE
        while time.monotonic() < until:
            data, address = self.sock.recvfrom(65536)
            if address[2] != _PACKET_HOST:
                continue
            if self._is_marker(data):
                if data[40:42] == struct.pack("!H", self.serial):
                    return out
                continue
            out.append(data)
        raise TimeoutError("TAYGA does not answer any more")

    def _send(self, packet: bytes) -> None:
        kind = _ETH_P_IPV6 if packet[0] >> 4 == 6 else _ETH_P_IP
        self.sock.sendto(packet, (INTERFACE, kind))

    def _marker(self, serial: int) -> bytes:
        message = struct.pack("!HHHH", serial, 9, 8, 0x1234)
        return IPv4Packet(_MARKER, self.marked, UDP, message, dont_fragment=True).to_bytes()

    def _is_marker(self, packet: bytes) -> bool:
        return len(packet) == 48 and packet[20:24] == _MARKER.packed


@contextlib.contextmanager
def tayga(
    folder: Path,
    mappings: Iterable[tuple[IPv4Address, IPv6Address]],
    pref64: IPv6Network,
    node4: IPv4Address,
    node6: IPv6Address,
) -> Iterator[Tayga]:
    """`mappings` as TAYGA has them, of single addresses; `node4`, `node6` are the sources of its own ICMP errors."""
    program = shutil.which("tayga", path="/usr/sbin:/usr/bin")
    assert program, "tayga is not installed: make setup"
    rows = list(mappings)
    config = folder / "tayga.conf"
    lines = [f"tun-device {INTERFACE}", f"ipv4-addr {node4}", f"ipv6-addr {node6}", f"prefix {pref64}"]
    config.write_text("\n".join([*lines, *(f"map {v4} {v6}" for v4, v6 in rows)]) + "\n")
    with contextlib.ExitStack() as stack:
        stack.enter_context(private_netns())
        # Nothing but the cases may be on the wire: no router solicitations, no multicast reports.
        subprocess.run(["sysctl", "-q", "-w", "net.ipv6.conf.default.disable_ipv6=1"], check=True, timeout=10)
        subprocess.run([program, "-c", str(config), "--mktun"], check=True, capture_output=True, timeout=10)
        subprocess.run(["ip", "link", "set", INTERFACE, "up", "mtu", "1500"], check=True, timeout=10)
        sock = stack.enter_context(socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL)))
        sock.setsockopt(socket.SOL_SOCKET, _PACKET_RCVBUFFORCE, 8 << 20)
        sock.bind((INTERFACE, _ETH_P_ALL))
        sock.settimeout(_DEADLINE)
        log = stack.enter_context((folder / "tayga.log").open("wb"))
        daemon = subprocess.Popen([program, "-c", str(config), "-d"], stdout=log, stderr=subprocess.STDOUT)
        try:
            peer = Tayga(sock, rows[0][0])
            _wait_carrier()
            peer.translate()
            yield peer
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(10)


def _wait_carrier() -> None:
    """A TUN device has a carrier while a program has it open."""
    until = time.monotonic() + _DEADLINE
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            if Path(f"/sys/class/net/{INTERFACE}/carrier").read_text().strip() == "1":
                return
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, INTERFACE.encode())
        shown = subprocess.run(["ip", "link", "show", INTERFACE], capture_output=True, text=True, timeout=10).stdout
        if "LOWER_UP" in shown and "NO-CARRIER" not in shown:
            return
        time.sleep(0.02)
    raise TimeoutError("TAYGA does not open its device")
