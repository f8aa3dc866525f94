# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Refused packets over the API: every watcher gets all of them, and nobody reads when nobody watches."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.packets.build import udp6
from tests.unit.api.test_api import serve
from tests.unit.daemon.rig import Rig, rig
from v6native.dataplane.door import Reason, Refused, Translator
from v6native.dataplane.fake import FakeDataPlane
from v6native.errors import DataPlaneError

STRANGER = Reason("SOURCE_NOT_ALLOWED", "ANSWERED", "the source may not use this translator")


@pytest.fixture
def made(tmp_path: Path) -> Rig:
    return rig(tmp_path)


def refused(port: int, source: str = "2001:db8:9::1") -> Refused:
    packet = udp6(sport=port, src=source)
    return Refused(Translator.NAT64, STRANGER, 0.0, "nat64-x", 0, len(packet), packet)


@contextlib.asynccontextmanager
async def watching(client: httpx.AsyncClient, query: str = "") -> AsyncIterator[AsyncIterator[Any]]:
    async with client.stream("GET", f"/v1/trace{query}") as answer:
        assert answer.status_code == 200
        yield (json.loads(line) async for line in answer.aiter_lines())


async def ports(lines: AsyncIterator[Any], count: int) -> list[int]:
    found: list[int] = []
    async with asyncio.timeout(20):
        async for line in lines:
            if "reason" in line:
                found.append(line["source_port"])
                if len(found) == count:
                    break
    return found


async def until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.02)


def test_every_watcher_gets_every_packet(made: Rig) -> None:
    plane = made.doors.machine.dataplane

    async def ask(client: httpx.AsyncClient) -> None:
        async with watching(client) as first, watching(client, "?client=2001:db8:9::2&rate=7") as second:
            assert (await anext(first), await anext(second)) == ({"lost": 0}, {"lost": 0})
            plane.refused += [refused(1), refused(2, "2001:db8:9::2"), refused(3)]
            assert await ports(first, 3) == [1, 2, 3]
            assert await ports(second, 1) == [2]
            assert plane.watched == 5000, "who wants few asks for many"

    serve(made, ask)


def test_nobody_reads_when_nobody_watches(made: Rig) -> None:
    plane = made.doors.machine.dataplane

    async def ask(client: httpx.AsyncClient) -> None:
        for rate in (50, 60):
            async with watching(client, f"?rate={rate}") as lines:
                await anext(lines)
                assert plane.watched == rate
            await until(lambda: plane.watched == 0)

    serve(made, ask)


def test_what_is_lost_is_told(made: Rig) -> None:
    plane = made.doors.machine.dataplane

    async def ask(client: httpx.AsyncClient) -> None:
        async with watching(client, "?rate=2") as lines:
            await anext(lines)
            plane.refused += [refused(port) for port in range(5)]
            plane.lost = 4
            await until(lambda: not plane.refused)
            plane.lost = 0
            async with asyncio.timeout(20):
                async for line in lines:
                    if line.get("lost", 0) >= 7:
                        break

    serve(made, ask)


def test_a_wrong_watch_is_named(made: Rig) -> None:
    async def ask(client: httpx.AsyncClient) -> None:
        for query in ("?rate=0", "?reason=NONSENSE", "?client=phone", "?clint=x"):
            answer = await client.get(f"/v1/trace{query}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_watch")

    serve(made, ask)


def test_a_reading_that_is_refused_is_told(made: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start with a status, later as a line."""
    plane = made.doors.machine.dataplane

    async def ask(client: httpx.AsyncClient) -> None:
        async with watching(client) as lines:
            await anext(lines)
            plane.failing = {"refusals"}
            last = [line async for line in lines][-1]
            assert last["error"]["code"] == "dataplane"

        def always(_self: FakeDataPlane, _rate: int) -> None:
            raise DataPlaneError("another one reads")

        monkeypatch.setattr(FakeDataPlane, "refusals", always)
        answer = await client.get("/v1/trace")
        assert (answer.status_code, answer.json()["error"]["text"]) == (500, "another one reads")

    serve(made, ask)
