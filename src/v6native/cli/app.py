# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What every verb is given: the node's folders, which node of the file this is, and how to reach it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from v6native.paths import Paths

if TYPE_CHECKING:
    # Loaded late, by whom they serve: help and one question to the daemon need neither a schema nor netlink.
    from v6native.api.client import ApiClient
    from v6native.daemon.node import NodeWork


def _real_node(paths: Paths, node: str | None) -> NodeWork:
    from v6native.daemon.host import HostNode

    return HostNode(paths, node)


@dataclass(frozen=True, slots=True)
class App:
    """`node_name` None: the file has one node, or one with this machine's name."""

    paths: Paths = field(default_factory=Paths)
    node_name: str | None = None
    make_node: Callable[[Paths, str | None], NodeWork] = _real_node

    @property
    def api(self) -> ApiClient:
        from v6native.api.client import ApiClient

        return ApiClient(self.paths.api_socket)

    def node(self) -> NodeWork:
        return self.make_node(self.paths, self.node_name)


pass_app = click.make_pass_decorator(App)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
