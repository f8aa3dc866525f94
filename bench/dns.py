# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The DNS64 beside unbound and BIND as DNS64, each on the same core: answers known and unknown, latency, memory, bad upstreams.

One core is the server's. The load and the authoritative server share the other one; they have time to spare, and how much
of the server's core was in use is in the result.
"""

from __future__ import annotations

import json
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from bench import resolvers
from bench.load import Job, Outcome, run
from bench.questions import DUAL64
from bench.resolvers import Resolver
from bench.runs import Spread, ratios
from bench.targets import BIND, DNS64, HITS, MANY_HITS, MISSES, UNBOUND, VALIDATED
from bench.upstreams import KINDS

Say = Callable[[str], None]
SERVER_CPU, LOAD_CPU = 0, 1
HOT, MANY = 1000, 50_000
"""Names of the two sets of known answers: such as everybody asks for, and a whole network's."""
RATE = 20_000
MISSES_AT_MOST = 100_000
"""Answers a second that nobody reaches: so many new names are made for each second."""
ANSWERS = 1_000_000
_FILL = 900.0
_FAULT_RATE = 1000


def measure(
    count: int, seconds: float, say: Say, *, answers: int = ANSWERS, cpus: tuple[int, int] = (SERVER_CPU, LOAD_CPU)
) -> dict[str, Any]:
    """`seconds` of each run; `answers` in the caches whose memory is measured."""
    with tempfile.TemporaryDirectory(prefix="v6native-bench-") as made:
        folder = Path(made)
        with _standing(folder, cpus) as servers:
            say("DNS64: warming the caches")
            for server in servers.values():
                _load(Job(server.port, _FILL, names=MANY, count=MANY, spin=False), cpus)
            rates = _rates(servers, count, seconds, say, cpus)
            latency = _latency({name: servers[name] for name in (UNBOUND, BIND, DNS64)}, count, seconds, say, cpus)
        memory = _memory(folder, answers, say, cpus)
        faults = _faults(folder, count, seconds, say, cpus)
    return {"rounds": count, "seconds": seconds, "rates": rates, "latency": latency, "memory": memory, "faults": faults}


@contextmanager
def _standing(folder: Path, cpus: tuple[int, int]) -> Iterator[dict[str, Resolver]]:
    """All at once; those that are not asked do nothing."""
    server, load = cpus
    with ExitStack() as stack:
        zone = stack.enter_context(resolvers.authoritative(load, folder))
        upstream = stack.enter_context(resolvers.unbound(server, zone, folder / "upstream", dns64=False))
        behind = resolvers.v6native(server, (upstream.port,), folder / "validated", upstream.pids)
        yield {
            UNBOUND: stack.enter_context(resolvers.unbound(server, zone, folder / "unbound")),
            BIND: stack.enter_context(resolvers.bind(server, zone, folder / "bind")),
            DNS64: stack.enter_context(resolvers.v6native(server, (zone,), folder / "v6native")),
            VALIDATED: stack.enter_context(behind),
        }


def _load(job: Job, cpus: tuple[int, int]) -> Outcome:
    return run(replace(job, watched=cpus[0]), cpus[1])


def _rates(
    servers: Mapping[str, Resolver], count: int, seconds: float, say: Say, cpus: tuple[int, int]
) -> list[dict[str, Any]]:
    kinds: dict[str, tuple[Sequence[str], Callable[[Resolver, int], Job]]] = {
        HITS: ((UNBOUND, BIND, DNS64), lambda server, _turn: Job(server.port, seconds, names=HOT)),
        MANY_HITS: ((UNBOUND, BIND, DNS64), lambda server, _turn: Job(server.port, seconds, names=MANY)),
        MISSES: ((UNBOUND, BIND, DNS64, VALIDATED), partial(_misses, seconds)),
    }
    rows = []
    for what, (names, job) in kinds.items():
        outcomes: dict[str, list[Outcome]] = {name: [] for name in names}
        for turn in range(count):
            for name in names if turn % 2 == 0 else reversed(names):
                say(f"DNS64: {what}, round {turn + 1} of {count}: {name}")
                outcomes[name].append(_load(job(servers[name], turn), cpus))
        samples = {name: [outcome.per_second for outcome in found] for name, found in outcomes.items()}
        for name in names:
            row = {"what": what, "path": name, "per_second": Spread.of(samples[name])}
            row |= {"beside_unbound": ratios(samples, name, UNBOUND)}
            row |= {
                part: Spread.of(getattr(outcome, part) for outcome in outcomes[name]) for part in ("server", "busy")
            }
            rows.append(row)
    return rows


def _misses(seconds: float, server: Resolver, turn: int) -> Job:
    made = int(seconds * MISSES_AT_MOST)
    # Past the names that are in the caches already.
    return Job(server.port, seconds, begin=1_000_000 + turn * made, count=made, spin=False)


def _latency(
    servers: Mapping[str, Resolver], count: int, seconds: float, say: Say, cpus: tuple[int, int]
) -> list[dict[str, Any]]:
    outcomes: dict[str, list[Outcome]] = {name: [] for name in servers}
    for turn in range(count):
        for name in servers if turn % 2 == 0 else reversed(list(servers)):
            say(f"DNS64: latency, round {turn + 1} of {count}: {name}")
            outcomes[name].append(_load(Job(servers[name].port, seconds, names=HOT, rate=RATE), cpus))
    rows: list[dict[str, Any]] = [{"path": name, "rate": RATE} for name in servers]
    for title, permille in (("p50", 500), ("p99", 990)):
        samples = {name: [outcome.microseconds[permille] for outcome in found] for name, found in outcomes.items()}
        for row in rows:
            row[f"{title}_us"] = Spread.of(samples[row["path"]])
            row[f"{title}_beside_unbound"] = ratios(samples, row["path"], UNBOUND)
    return rows


def _memory(folder: Path, answers: int, say: Say, cpus: tuple[int, int]) -> list[dict[str, Any]]:
    """Half as many names, each asked for AAAA: then the answers to AAAA and to A are known."""
    server, load = cpus
    with resolvers.authoritative(load, folder / "memory") as zone:
        ways: dict[str, Callable[[Path], Any]] = {
            UNBOUND: lambda own: resolvers.unbound(server, zone, own),
            BIND: lambda own: resolvers.bind(server, zone, own),
            DNS64: lambda own: resolvers.v6native(server, (zone,), own),
        }
        rows = []
        for name, way in ways.items():
            say(f"DNS64: memory of {answers:,} answers: {name}")
            own = folder / "memory" / name.replace(" ", "-")
            with way(own) as made:
                before = made.resident()
                outcome = _load(Job(made.port, _FILL, begin=0, count=answers // 2 + 100, spin=False), cpus)
                after = made.resident()
                stats = own / "dns64.sock"
                kept = _entries(stats) if stats.exists() else 2 * outcome.answered
            rows.append({"path": name, "answers": answers, "kept": kept, "bytes": after, "bytes_before": before})
    return rows


def _entries(stats: Path) -> int:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(stats))
        with client.makefile("rb") as stream:
            return int(json.load(stream)["cache_entries"])


def _faults(folder: Path, count: int, seconds: float, say: Say, cpus: tuple[int, int]) -> list[dict[str, Any]]:
    """One good upstream and bad ones: every question is new, and the clock of each runs from its sending to its answer."""
    server, load = cpus
    others = [kind for kind in KINDS if kind != "good"]
    cases = {"none": [], **{kind: [kind] for kind in others}, ", ".join(others): others}
    best: list[float] = []
    ours: dict[str, list[dict[int, float]]] = {title: [] for title in cases}
    with ExitStack() as stack:
        ports = {kind: stack.enter_context(resolvers.scripted(kind, load, folder)) for kind in KINDS}
        good = Job(ports["good"], seconds, count=int(seconds * _FAULT_RATE), domain=DUAL64, rate=_FAULT_RATE)
        for turn in range(count):
            best.append(_load(good, cpus).microseconds[990])
            for number, (title, bad) in enumerate(cases.items()):
                say(f"DNS64: bad upstreams, round {turn + 1} of {count}: {title}")
                # A worker that knows nothing of them yet, and the bad ones first.
                asked = [ports[kind] for kind in (*bad, "good")]
                with resolvers.v6native(server, asked, folder / f"faults{number}-{turn}") as made:
                    ours[title].append(_load(replace(good, port=made.port), cpus).microseconds)
    rows = []
    for title, outcomes in ours.items():
        more = [(found[990] - there) / 1000 for found, there in zip(outcomes, best, strict=True)]
        row = {"bad": title, "best_p99_ms": Spread.of(value / 1000 for value in best), "more_ms": Spread.of(more)}
        row |= {f"p{p // 10}_ms": Spread.of(found[p] / 1000 for found in outcomes) for p in (500, 990)}
        rows.append(row)
    return rows
