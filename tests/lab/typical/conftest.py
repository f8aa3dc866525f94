# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Two standing sites, each built once; what a test brought up in one is down again after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.typical import topologies
from tests.lab.typical.site import Site, site


@pytest.fixture(scope="package")
def standing_vm() -> Iterator[Site]:
    with site(topologies.VM) as made:
        yield made


@pytest.fixture(scope="package")
def standing_house() -> Iterator[Site]:
    with site(topologies.house("br0")) as made:
        yield made


@pytest.fixture
def vm(standing_vm: Site) -> Iterator[Site]:
    try:
        yield standing_vm
    finally:
        standing_vm.clear()


@pytest.fixture
def house(standing_house: Site) -> Iterator[Site]:
    try:
        yield standing_house
    finally:
        standing_house.clear()
