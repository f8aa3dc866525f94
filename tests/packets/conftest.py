# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The bench for every packet test: loaded once, empty at the start of each test."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SEED
from tests.packets.harness import Bench
from tests.system.dataplane.bpffs import private_bpffs
from v6native.dataplane.kernel import KernelDataPlane
from v6native.paths import Paths

_HERE = Path(__file__).parent
_ONE_IN = 8


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Test runs of BPF programs need root. In the guest of tests/kernel, where each takes seconds, they are every eighth
    test, from one on that the seed draws; all where V6NATIVE_PACKETS is `all`."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.root)
    if os.environ.get("V6NATIVE_COUNT") == "emulated" and os.environ.get("V6NATIVE_PACKETS") != "all":
        kept = items[random.Random(config.stash[SEED]).randrange(_ONE_IN) :: _ONE_IN]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


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
