# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Plays scenarios in a standing lab, and keeps the evidence of those that fail: captures, counters, logs."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from v6native.errors import LabError
from v6native.lab.lab import Lab
from v6native.lab.node import Node
from v6native.lab.scenarios import SCENARIOS
from v6native.lab.scenarios.trial import Scenario, Trial
from v6native.lab.wait import wait_until

SHOWN = {
    "edge1": (
        *(("v6native", verb, "--json") for verb in ("status", "counters", "sessions", "bib", "doctor", "plan")),
        ("nft", "list", "ruleset"),
        ("conntrack", "-L"),
        ("tc", "-s", "qdisc"),
        ("wg",),
    ),
}
"""Beside what every node is asked."""
EVERYWHERE = (
    ("ip", "-s", "-d", "address"),
    ("ip", "rule"),
    ("ip", "route", "show", "table", "all"),
    ("ip", "-6", "route", "show", "table", "all"),
    ("ip", "route", "show", "cache"),
    ("ip", "-6", "route", "show", "cache"),
    ("ss", "-tuna"),
    ("nstat", "-a"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a scenario went; `seen` is its own word, or what was wrong."""

    scenario: Scenario
    ok: bool
    seen: str
    seconds: float
    evidence: Path | None = None


def fitting(lab: Lab, groups: Iterable[int] = (), keys: Iterable[str] = ()) -> list[Scenario]:
    """The scenarios for the lab's arrangement; of the given groups and keys where any are given."""
    known = {scenario.key for scenario in SCENARIOS}
    unknown = set(keys) - known
    if unknown:
        raise LabError(f"there is no scenario {', '.join(sorted(unknown))}; `v6native lab test --list` shows them")
    chosen = [s for s in SCENARIOS if (not groups or s.group in groups) and (not keys or s.key in keys)]
    return [scenario for scenario in chosen if lab.arrangement in scenario.arrangements]


def play(lab: Lab, scenario: Scenario, mebibytes: int) -> Outcome:
    """One scenario. Where it fails, it is repeated under capture; it has failed nonetheless."""
    trial = Trial(lab, mebibytes)
    began = time.monotonic()
    try:
        seen = scenario.run(trial)
    except Exception as failure:
        # Anything but a LabError is unforeseen, and yet no reason to leave the other scenarios unplayed.
        seconds = time.monotonic() - began
        why = str(failure) if isinstance(failure, LabError) else f"{type(failure).__name__}: {failure}"
        return Outcome(scenario, False, why, seconds, _evidence(lab, scenario, trial, why))
    return Outcome(scenario, True, seen, time.monotonic() - began)


def play_all(
    lab: Lab,
    scenarios: Iterable[Scenario],
    mebibytes: int,
    done: Callable[[Outcome], None],
    begin: Callable[[Scenario], None],
) -> list[Outcome]:
    outcomes = []
    for scenario in scenarios:
        begin(scenario)
        outcomes.append(play(lab, scenario, mebibytes))
        done(outcomes[-1])
    return outcomes


def _evidence(lab: Lab, scenario: Scenario, trial: Trial, failure: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"v6native-{lab.name}-{scenario.key}-"))
    (folder / "failure.txt").write_text(f"{scenario.title}\n{failure}\n")
    _ask(lab, folder / "at-failure")
    with contextlib.ExitStack() as stack:
        for node in lab.nodes.values():
            stack.enter_context(capture(node, folder / f"{node.name}.pcap"))
        try:
            again = f"passes when repeated: {scenario.run(trial)}"
        except Exception as error:
            again = f"fails again: {error}"
    (folder / "failure.txt").write_text(f"{scenario.title}\n{failure}\n{again}\n")
    _ask(lab, folder / "after-repetition")
    for node in lab.nodes.values():
        shutil.copytree(node.path("/run/lab/log"), folder / "log" / node.name)
    return folder


def _ask(lab: Lab, folder: Path) -> None:
    for node in lab.nodes.values():
        (folder / node.name).mkdir(parents=True)
        for argv in (*EVERYWHERE, *SHOWN.get(node.name, ())):
            try:
                done = node.run(*argv, check=False, timeout=20)
            except LabError as error:
                text = str(error)
            else:
                text = done.out + done.err
            (folder / node.name / f"{'-'.join(word.strip('-') for word in argv)}.txt").write_text(text)


@contextlib.contextmanager
def capture(node: Node, file: Path) -> Iterator[None]:
    """tcpdump on all interfaces of a node: headers, the last 20 MB."""
    inside = f"/run/lab/capture-{file.stem}"
    argv = ("tcpdump", "-i", "any", "-n", "-U", "-s", "200", "-C", "10", "-W", "2", "-Z", "root", "-w", inside)
    program = node.start(f"tcpdump-{file.stem}", *argv)
    log = node.log(f"tcpdump-{file.stem}")
    wait_until(lambda: "listening on" in log.read_text() or program.status() is not None, 10, "tcpdump does not start")
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(program.pid, signal.SIGTERM)
        with contextlib.suppress(ChildProcessError):
            wait_until(lambda: program.status() is not None, 10, "tcpdump does not end")
        for number, part in enumerate(sorted(node.path("/run/lab").glob(f"capture-{file.stem}*"))):
            shutil.move(part, file.with_suffix(f".{number}.pcap"))
