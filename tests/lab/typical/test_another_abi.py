# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""An upgrade that changes abi.h, in the middle of a download: the next `up` carries the sessions over."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from pathlib import Path

import pytest

from tests.lab.typical.files import HOUSE, SERVER
from tests.lab.typical.site import Site, ended
from tests.system.dataplane.build import compile_bpf
from v6native.dataplane.abi import ABI_VERSION
from v6native.lab.edge import answers, raise_edge
from v6native.lab.wait import wait_until
from v6native.lab.web import MIB, publish

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[3]
ABI = 0
"""A version before the first, whose structures are laid out otherwise."""
CHANGES = (
    (rf"#define ABI_VERSION {ABI_VERSION}\b", lambda _: f"#define ABI_VERSION {ABI}"),
    (r"struct session \{\n", lambda found: found[0] + "\t__u64 once_was[2];\n"),
    (r"struct bib_entry \{\n", lambda found: found[0] + "\t__u64 once_was;\n"),
    (r"(sizeof\(struct session\) == )(\d+)", lambda found: f"{found[1]}{int(found[2]) + 16}"),
    (r"(sizeof\(struct bib_entry\) == )(\d+)", lambda found: f"{found[1]}{int(found[2]) + 8}"),
)
OLDER = """
import functools, sys
from pathlib import Path
from v6native.cli.main import cli
from v6native.dataplane.kernel import KernelDataPlane

KernelDataPlane.open = functools.partial(KernelDataPlane.open, objects=Path(sys.argv[1]), abi_version=int(sys.argv[2]))
cli(["up"])
"""
"""The daemon as that version's was."""
SIZE, RATE = 20, MIB


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("abi")
    shutil.copytree(ROOT / "bpf", folder / "bpf")
    header = folder / "bpf/abi.h"
    text = header.read_text()
    for pattern, change in CHANGES:
        text, found = re.subn(pattern, change, text)
        assert found == 1, f"abi.h has {found} times {pattern!r}"
    header.write_text(text)
    for name in ("nat64", "siit"):
        compile_bpf(folder / f"bpf/{name}.bpf.c", folder / f"{name}.bpf.o")
    return folder


def generations(house: Site) -> list[str]:
    return sorted(p.name for p in (house.estate.bpffs / "v6native" / house["edge1"].instance).iterdir())


def test_the_download_goes_on(house: Site, objects: Path) -> None:
    edge1, phone = house["edge1"], house["phone"]
    edge1.path("/etc/v6native/network.toml").write_text(HOUSE)
    daemon = edge1.start("v6native", sys.executable, "-c", OLDER, str(objects), str(ABI))
    wait_until(lambda: answers(edge1), 30, lambda: edge1.log("v6native").read_text())
    assert generations(house) == [str(ABI)]
    path, digest = publish(house["internet"], SIZE)
    curl = ("curl", "-sS", "-f", "--limit-rate", str(RATE), "--speed-limit", "1000", "--speed-time", "5")
    running = phone.start("download", *curl, "-o", "/run/lab/download", f"http://{SERVER}{path}")
    begun = phone.path("/run/lab/download")
    wait_until(lambda: begun.exists() and begun.stat().st_size > MIB, 10, "the download does not begin")
    os.kill(daemon.pid, signal.SIGTERM)
    wait_until(lambda: ended(daemon.pid), 10, "the older daemon does not end")
    raise_edge(edge1, 30)
    assert generations(house) == [str(ABI_VERSION)]
    assert running.status() is None, "the download ended too early to prove anything"
    statuses: list[int | None] = []
    wait_until(lambda: statuses.append(running.status()) or statuses[-1] is not None, 40, "the download does not end")
    assert statuses[-1] == 0
    assert phone.run("sha256sum", "/run/lab/download").out.split()[0] == digest
    counters = house.ask("edge1", "counters")["counters"]
    assert counters["TRANSLATED_4TO6"] + counters["FAST_4TO6"] > SIZE * MIB // 65536, "they are carried over, too"
    house.unchanged("edge1")
