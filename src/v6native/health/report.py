# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""health.json: which gateways work, for the DNS64, which reads it when it changes."""

from __future__ import annotations

import json
from collections.abc import Iterable

from v6native.health.gateway import Gateway

FILE = "health.json"


def render(gateways: Iterable[Gateway]) -> str:
    """Its text: by prefix, whether it works, and if not why."""
    told = {str(gateway.prefix): {"healthy": gateway.healthy, "why": gateway.why} for gateway in gateways}
    return json.dumps({"pref64": told}, indent=2) + "\n"
