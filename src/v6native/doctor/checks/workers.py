# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The workers run: DNS64 answers names, the slow path handles what BPF cannot, the log is written."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity

LOSS = {
    "dns64": "clients that use this node's resolver get no answers",
    "log": "who has which ports is not logged; events wait in the kernel until there is no room left for them",
    "unbound": "nobody resolves names behind this node's DNS64",
    "slowpath": "fragmented ICMP, fragmented UDP without checksum and large DF-clear packets are dropped",
}
# Deaths of a worker under one daemon that are no accident any more.
OFTEN = 3


def check(facts: Facts) -> Iterator[Finding]:
    for worker in facts.workers:
        silent = worker.stats.get("not_listening")
        for what in silent if isinstance(silent, list) else ():
            yield Finding(
                "dns64_not_listening",
                Severity.ERROR,
                f"DNS over TLS or HTTPS is not there: {what}",
                "see [dns64.tls] in network.toml: another port, or a certificate and key that are there and belong together; "
                "then `v6native reload`",
            )
        if not worker.running:
            yield Finding(
                "worker_down",
                Severity.ERROR,
                f"the worker {worker.name} does not run: {LOSS.get(worker.name, 'its work is not done')}",
                f"its log says why: `journalctl -u v6native`, or {worker.name}.log in the run folder; a running daemon "
                "starts it again by itself",
                ("not_up", "port_53_taken") if worker.name in ("dns64", "unbound") else ("not_up",),
            )
        elif worker.restarts >= OFTEN:
            yield Finding(
                "worker_unstable",
                Severity.WARNING,
                f"the worker {worker.name} had to be started again {worker.restarts} times",
                f"its log says why: `journalctl -u v6native`, or {worker.name}.log in the run folder",
                ("port_53_taken",) if worker.name in ("dns64", "unbound") else (),
            )
