# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers as Prometheus wants them."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from v6native.dns64 import wire
from v6native.dns64.stats import LATENCY, Histogram, Stats
from v6native.metrics.exposition import Reading, WorkerReading, render


def test_a_histogram_is_cumulative() -> None:
    made = Histogram()
    for seconds in (0.0005, 0.001, 0.0011, 0.3, 10.0):
        made.add(seconds)
    told = made.document()
    assert (told["0.001"], told["0.002"], told["0.5"], told["2.0"], told["+Inf"]) == (2, 3, 4, 4, 5)
    assert told["sum"] == 10.3026
    assert list(told) == [*map(str, LATENCY), "+Inf", "sum"]


def test_it_is_one_in_the_metrics_too() -> None:
    stats = Stats()
    for seconds in (0.003, 0.004, 3.0):
        stats.upstream.add(seconds)
    worker = WorkerReading("dns64", True, 0, stats.document())
    text = render(Reading("0", "n", 0.0, True, {}, (), None, 0, {}, (worker,))).decode()
    (family,) = [f for f in text_string_to_metric_families(text) if f.name == "v6native_dns64_upstream_seconds"]
    assert family.type == "histogram"
    samples = {(s.name.removeprefix(family.name), s.labels.get("le")): s.value for s in family.samples}
    assert (samples["_bucket", "0.002"], samples["_bucket", "0.005"], samples["_bucket", "+Inf"]) == (0, 2, 3)
    assert (samples["_count", None], samples["_sum", None]) == (3, 3.007)


def test_refused_questions_are_no_hits() -> None:
    stats = Stats()
    stats.answer_cell("udp", wire.AAAA, "synthesized", wire.NOERROR)[0] += 5
    stats.answer_cell("udp", wire.A, "refused", wire.REFUSED)[0] += 3
    stats.answer_cell("tcp", wire.A, "malformed", wire.FORMERR)[0] += 2
    assert stats.answered() == 5
