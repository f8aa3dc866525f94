# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""TCP in the lab that users get, from phone to internet through edge1: translated beside plain IPv6."""

from __future__ import annotations

from secrets import token_hex
from typing import Any

from bench.packets import Say
from bench.targets import NAT64, PLAIN
from bench.tcp import compare
from v6native.address import embed
from v6native.lab import lab
from v6native.lab import topology as t
from v6native.lab.edge import Arrangement
from v6native.lab.estate import Estate

STREAMS = {1: 1, 4: 9}
"""By number of streams, the least number of rounds: four are bimodal."""


def measure(count: int, seconds: int, say: Say, arrangement: Arrangement, *, quick: bool = False) -> dict[str, Any]:
    """POOL: the fast path is on. SHARED: the interface path, each packet past the operator's stateful firewall."""
    estate = Estate(f"bench{token_hex(2)}")
    try:
        say("building the lab")
        standing = lab.up(estate, arrangement, say=say)
        phone = standing["phone"]
        ends = {PLAIN: (phone, str(t.SERVER6)), NAT64: (phone, str(embed(arrangement.pref64, t.SERVER4)))}
        streams = {number: count if quick else max(count, least) for number, least in STREAMS.items()}
        rows = compare(ends, streams, seconds, say)
    finally:
        lab.down(estate)
    return {"arrangement": arrangement.value, "rounds": count, "seconds": seconds, "rows": rows}
