# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The bench for every packet test: loaded once, empty at the start of each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packets.harness import Bench
from tests.system.dataplane.bpffs import private_bpffs
from v6native.dataplane.kernel import KernelDataPlane
from v6native.paths import Paths

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Test runs of BPF programs need root."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.root)


@pytest.fixture(scope="session")
def loaded_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with private_bpffs(tmp_path_factory.mktemp("bpffs")) as bpffs:
        plane = KernelDataPlane.open(Paths(bpffs=bpffs), "packets")
        try:
            yield Bench(plane)
        finally:
            plane.remove()


@pytest.fixture
def bench(loaded_bench: Bench) -> Bench:
    """A bench without sessions and without configuration."""
    loaded_bench.reset()
    return loaded_bench
