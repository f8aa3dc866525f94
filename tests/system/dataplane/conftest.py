# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A node of a test's own: a network namespace with the interfaces, a BPF file system, and a data plane to open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.dataplane.bpffs import private_bpffs, private_netns
from v6native.dataplane import abi
from v6native.dataplane.kernel import KernelDataPlane
from v6native.dataplane.loader import OBJECTS
from v6native.paths import Paths

Open = Callable[..., KernelDataPlane]
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.root)


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[Paths]:
    folder = tmp_path / "bpffs"
    folder.mkdir()
    with private_bpffs(folder) as bpffs:
        yield Paths(etc=tmp_path / "etc", run=tmp_path / "run", var=tmp_path / "var", bpffs=bpffs)


@pytest.fixture
def node() -> Iterator[None]:
    """The interfaces of a node, without addresses."""
    with private_netns(
        "link add nat64 type veth peer name nat64-x",
        "link add clat type veth peer name clat-x",
        "tuntap add v6n-slow mode tap",
    ):
        yield


@pytest.fixture
def open_plane(paths: Paths, node: None) -> Iterator[Open]:
    """`open_plane()` as a new process would; what is left over is removed at the end."""
    opened: list[KernelDataPlane] = []

    def do(instance: str = "test", objects: Path = OBJECTS, abi_version: int = abi.ABI_VERSION) -> KernelDataPlane:
        opened.append(KernelDataPlane.open(paths, instance, objects, abi_version))
        return opened[-1]

    yield do
    for plane in opened:
        plane.remove()
