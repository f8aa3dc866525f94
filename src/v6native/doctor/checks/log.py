# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The log of who had which ports is written, whole, and its collectors hear of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from v6native.dataplane.log_events import LOST
from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity


def check(facts: Facts) -> Iterator[Finding]:
    worker = next((worker for worker in facts.workers if worker.name == "log"), None)
    if worker is None:
        return
    trouble, damaged = worker.stats.get("trouble"), worker.stats.get("damaged")
    if trouble is not None:
        yield Finding(
            "log_not_written",
            Severity.ERROR,
            f"who has which ports cannot be logged now: {trouble}",
            "make room there, or mend it; events wait in the kernel until there is no room left for them",
            ("worker_down",),
        )
    if damaged is not None:
        yield Finding(
            "log_damaged",
            Severity.WARNING,
            f"the log was damaged; what could not be read lies in {damaged}, and a new one has begun",
            "`sqlite3 FILE .recover` may save what is in it; look after the disk",
        )
    if lost := facts.counters.get(LOST, 0):
        yield Finding(
            "log_lost",
            Severity.WARNING,
            f"{lost} events of who had which ports were lost: nobody took them in time",
            "answers for that time say so; was the log's worker away, or the disk full for long?",
            ("worker_down", "log_not_written"),
        )
    yield from _collectors(worker.stats)


def _collectors(stats: Mapping[str, object]) -> Iterator[Finding]:
    troubles = stats.get("collector_trouble")
    for name, trouble in troubles.items() if isinstance(troubles, Mapping) else ():
        yield Finding(
            "log_collector_away",
            Severity.WARNING,
            f"the {name} is not told who has which ports: {trouble}",
            "start it, or correct log.syslog or log.ipfix; the log on this node goes on",
        )
