# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A small network.toml to break, and the loader on text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from v6native.config.load import load
from v6native.config.model import Config
from v6native.config.problem import ConfigProblem
from v6native.errors import ConfigError

SMALL = """\
[network]
name = "example"
prefix = ["2001:db8::/40"]
pref64 = "64:ff9b::/96"

[node.edge1]
uplink = "eth0"
lan = ["br0"]
pool4 = ["uplink:40000-59999"]

[tunnel.friends]
prefix = "2001:db8:a::/64"
clat4 = "100.64.0.0/16"

[client.laptop]
tunnel = "friends"
public_key = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw="
address6 = "2001:db8:a::2"
address4 = "100.64.0.2"
"""

Load = Callable[..., Config]
Problems = Callable[..., list[ConfigProblem]]


def changed(*replacements: tuple[str, str], more: str = "") -> str:
    """SMALL with the replacements, each of which must fit, and more behind it."""
    text = SMALL
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text + more


@pytest.fixture
def load_text(tmp_path: Path) -> Load:
    def load_(text: str = SMALL, node: str | None = None, **clients: str) -> Config:
        path = tmp_path / "network.toml"
        path.write_text(text)
        (tmp_path / "clients.d").mkdir(exist_ok=True)
        for name, content in clients.items():
            (tmp_path / "clients.d" / f"{name}.toml").write_text(content)
        return load(path, tmp_path / "clients.d", node)

    return load_


@pytest.fixture
def problems(load_text: Load) -> Problems:
    """All problems of a text, the warnings too."""

    def problems_(text: str, node: str | None = None, **clients: str) -> list[ConfigProblem]:
        try:
            return list(load_text(text, node, **clients).warnings)
        except ConfigError as error:
            return list(error.problems)

    return problems_
