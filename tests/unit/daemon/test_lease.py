# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The fast path's lease: given after a look, renewed, taken at once when something moves, and never without a judge."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from v6native.config.model import Config
from v6native.daemon import lease
from v6native.daemon.lease import VALID, FastKeeper
from v6native.daemon.node import NodeWork
from v6native.desired.dataplane import FastPair
from v6native.errors import SystemActionError
from v6native.fastpath.judge import Verdict

ON = Verdict(FastPair("br0", "eth0", True), ())
OFF = Verdict(FastPair("br0", "eth0", True), ("a rule",))
CONFIG = cast(Config, object())


@dataclass(slots=True)
class Node:
    """`says` is the next verdict; while `busy` is set a judgement waits for `free`."""

    says: tuple[Verdict, ...] = (ON,)
    permits: list[tuple[tuple[Verdict, ...], float]] = field(default_factory=list)
    judged: int = 0
    unheard: object = ()
    fails: bool = False
    busy: bool = False
    free: threading.Event = field(default_factory=threading.Event)

    def fast_judge(self, _config: Config) -> tuple[Verdict, ...]:
        self.judged += 1
        says = self.says
        if self.busy:
            assert self.free.wait(5)
        if self.fails:
            raise SystemActionError("nft is broken")
        return says

    def fast_permit(self, verdicts: tuple[Verdict, ...], seconds: float) -> None:
        self.permits.append((tuple(v for v in verdicts if v.on), seconds))

    def fast_unheard(self) -> object:
        return self.unheard


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


def play(node: Node, act: Callable[[FastKeeper], Awaitable[Any]], config: Config | None = CONFIG) -> FastKeeper:
    async def main() -> FastKeeper:
        keeper = FastKeeper(cast(NodeWork, node), lambda: config)
        job = asyncio.create_task(keeper.run())
        try:
            await act(keeper)
        finally:
            job.cancel()
            with pytest.raises(asyncio.CancelledError):
                await job
        return keeper

    return asyncio.run(main())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEW", 0.02)


def test_it_is_given_after_a_look_and_renewed_and_taken_at_the_end() -> None:
    node = Node()
    play(node, lambda _: until(lambda: len(node.permits) > 4))
    assert node.permits[0] == ((ON,), VALID)
    assert node.permits.count(((ON,), VALID)) >= 3
    assert node.permits[-1] == ((), 0.0)
    assert node.judged == 1, "renewing needs no look"


def test_a_new_rule_takes_it_before_anybody_has_looked() -> None:
    node = Node()

    async def act(keeper: FastKeeper) -> None:
        await until(lambda: node.permits[-1:] == [((ON,), VALID)])
        node.busy, node.says = True, (OFF,)
        keeper.heard(rules=True)
        assert node.permits[-1] == ((), 0.0)
        await until(lambda: node.judged == 2)
        assert node.permits[-1] == ((), 0.0), "nor while somebody looks"
        node.free.set()
        await until(lambda: keeper.verdicts == (OFF,))
        node.busy, node.says = False, (ON,)
        keeper.heard(rules=True)
        await until(lambda: keeper.verdicts == (ON,))
        assert node.permits[-1] == ((ON,), VALID)

    play(node, act)


def test_what_rings_during_a_look_asks_for_another() -> None:
    node = Node(busy=True)

    async def act(keeper: FastKeeper) -> None:
        await until(lambda: node.judged == 1)
        node.says = (OFF,)
        keeper.heard(rules=True)
        node.free.set()
        await until(lambda: keeper.verdicts == (OFF,))

    play(node, act)
    assert not any(given for given, _ in node.permits), "the first look saw what was no longer so"


def test_what_is_no_rule_leaves_it_until_the_next_look() -> None:
    node = Node()

    async def act(keeper: FastKeeper) -> None:
        await until(lambda: node.permits[-1:] == [((ON,), VALID)])
        node.says = (OFF,)
        keeper.heard(rules=False)
        assert node.permits[-1] == ((ON,), VALID)
        await until(lambda: keeper.verdicts == (OFF,))
        assert node.permits[-1] == ((), VALID)

    play(node, act)


def test_what_rings_no_bell_is_looked_for() -> None:
    node = Node()

    async def act(keeper: FastKeeper) -> None:
        await until(lambda: node.permits[-1:] == [((ON,), VALID)])
        node.says, node.unheard = (OFF,), ("iptables table filter chain FORWARD has rules",)
        await until(lambda: keeper.verdicts == (OFF,))

    play(node, act)


def test_without_a_judgement_there_is_none() -> None:
    node = Node(fails=True)

    async def act(keeper: FastKeeper) -> None:
        await until(lambda: node.judged >= 3)
        assert not any(given for given, _ in node.permits)
        node.fails = False
        await until(lambda: node.permits[-1:] == [((ON,), VALID)])

    play(node, act)


def test_without_a_configuration_there_is_none() -> None:
    node = Node()
    play(node, lambda _: until(lambda: len(node.permits) > 2), None)
    assert not any(given for given, _ in node.permits)


def test_after_the_end_nobody_looks_or_permits() -> None:
    """`down` removes what a look would place again."""
    node = Node()

    async def act(keeper: FastKeeper) -> None:
        await until(lambda: node.permits[-1:] == [((ON,), VALID)])
        node.busy = True
        keeper.heard(rules=True)
        await until(lambda: node.judged == 2)
        ending = asyncio.create_task(keeper.end())
        await asyncio.sleep(0.02)
        assert not ending.done(), "a look is under way"
        node.free.set()
        await ending
        permitted = len(node.permits)
        keeper.heard(rules=True)
        await asyncio.sleep(0.05)
        assert (node.judged, len(node.permits)) == (2, permitted)

    play(node, act)
