# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Words for what the tests of the fast path ask and do in a site."""

from __future__ import annotations

import json
import secrets
import time
from types import TracebackType

from tests.lab.typical.site import Site, eventually
from v6native.lab.wait import wait_until
from v6native.lab.web import WWW, publish, take_upload

SOON = 1.0
"""Seconds within which a rule of the operator's takes effect."""


def counted(site: Site, node: str) -> tuple[int, int]:
    """Packets that the fast path took, and that the interface path translated."""
    counters = json.loads(site[node].run("v6native", "counters", "--json").out)["counters"]
    fast = counters["FAST_6TO4"] + counters["FAST_4TO6"]
    return fast, counters["TRANSLATED_6TO4"] + counters["TRANSLATED_4TO6"]


def reasons(site: Site, node: str) -> set[str]:
    """Why pairs are off; nothing: all are on."""
    pairs = site.ask(node, "status")["fast_path"]
    assert pairs, "there are pairs to tell of"
    assert all(pair["on"] is not bool(pair["reasons"]) for pair in pairs)
    return {reason for pair in pairs for reason in pair["reasons"]}


def becomes_on(site: Site, node: str) -> None:
    eventually(lambda: reasons(site, node) == set(), lambda: f"still off: {reasons(site, node)}")


def becomes_off(site: Site, node: str, reason: str) -> None:
    eventually(
        lambda: any(reason in told for told in reasons(site, node)), lambda: f"no {reason} in {reasons(site, node)}"
    )


def upload(site: Site, node: str, host: str, mebibytes: int = 16) -> None:
    """The file arrives whole."""
    path, digest = publish(site[node], mebibytes)
    name = secrets.token_hex(4)
    site[node].run("curl", "-sS", "-f", "-m30", "-T", f"{WWW}{path}", f"http://{host}/upload/{name}", timeout=40)
    assert take_upload(site["internet"], name) == digest


class Download:
    """A download that takes its time: `with Download(site, node, host, seconds) as it: …`, and it must end well."""

    def __init__(self, site: Site, node: str, host: str, seconds: int) -> None:
        path, self._digest = publish(site["internet"], 16)
        self._node, self._seconds = site[node], seconds
        self._file = f"/run/lab/{secrets.token_hex(4)}"
        rate = (16 << 20) // seconds
        argv = ("curl", "-sS", "-f", "--speed-limit", "1000", "--speed-time", "10", "-o", self._file)
        self._program = self._node.start("slow-download", *argv, f"http://{host}{path}?rate={rate}")

    def __enter__(self) -> Download:
        wait_until(lambda: self.received() > 0, 5, "the download does not begin")
        return self

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, at: TracebackType | None) -> None:
        status: int | None = None
        deadline = time.monotonic() + self._seconds + 20
        while status is None and time.monotonic() < deadline:
            status = self._program.status()
            time.sleep(0.05)
        if kind is None:
            assert status == 0, f"curl ended with {status} after {self.received()} octets"
            assert self._node.run("sha256sum", self._file, timeout=30).out.split()[0] == self._digest
        self._node.path(self._file).unlink(missing_ok=True)

    def received(self) -> int:
        file = self._node.path(self._file)
        return file.stat().st_size if file.exists() else 0

    def moves(self, seconds: float = 1.0) -> bool:
        """Whether anything arrives in that time."""
        before, deadline = self.received(), time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.received() > before:
                return True
            time.sleep(0.02)
        return False
