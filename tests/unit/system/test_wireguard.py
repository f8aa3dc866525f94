# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The node's private keys: where they lie, and where they never appear."""

from __future__ import annotations

from pathlib import Path

import pytest

from v6native.desired.state import WireGuard
from v6native.errors import SystemActionError
from v6native.paths import Paths
from v6native.system.wireguard import configure, key_file, private_key, public_key


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "etc", tmp_path / "run", tmp_path / "var", tmp_path / "bpf")


def test_a_key_is_made_once_and_is_roots_alone(paths: Paths) -> None:
    key = private_key(paths, "friends")
    file = key_file(paths, "friends")
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert private_key(paths, "friends") == key
    assert public_key(paths, "friends") != key


@pytest.mark.parametrize("damage", ["{} # mine", "{}{}", "Private{}", "{}\n[Peer]", ""])
def test_a_damaged_key_is_told_of_without_a_word_of_it(paths: Paths, damage: str) -> None:
    key = private_key(paths, "friends")
    file = key_file(paths, "friends")
    file.write_text(damage.replace("{}", key))
    with pytest.raises(SystemActionError, match=r"tunnel-friends\.key holds no WireGuard key") as told:
        configure(WireGuard("wg-friends", "friends", 51820, frozenset()), paths)
    assert key not in str(told.value)
