# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A reading of the node as Prometheus text. Names and labels are stable; docs/reference/metrics.md is made of HELP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from v6native.dataplane.door import Reason, Totals


@dataclass(frozen=True, slots=True)
class WorkerReading:
    """`stats` is what the worker itself tells: plain numbers, and objects of plain numbers by label."""

    name: str
    up: bool
    restarts: int
    stats: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PeerReading:
    """A tunnel's client; `handshake_age` in seconds, None: never."""

    tunnel: str
    client: str
    handshake_age: float | None
    received: int
    sent: int


@dataclass(frozen=True, slots=True)
class Reading:
    """All that one scrape tells. `pool_ports` are the ports of pool4, `bib` the bindings by protocol.

    `fast_path` is by the interfaces where packets come in and leave.
    """

    version: str
    node: str
    uptime: float
    reload_ok: bool
    counters: Mapping[str, int]
    reasons: tuple[Reason, ...]
    totals: Totals | None
    pool_ports: int
    bib: Mapping[str, int]
    workers: tuple[WorkerReading, ...] = ()
    peers: tuple[PeerReading, ...] = ()
    findings: Mapping[str, int] = field(default_factory=dict)
    fast_path: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    gateways: Mapping[str, bool] = field(default_factory=dict)


def render(reading: Reading) -> bytes:
    """The text of one scrape."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(reading))
    return generate_latest(registry)


class _Once(Collector):
    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def collect(self) -> Iterator[Metric]:
        r = self._reading
        yield _gauge(
            "v6native_info", "Version and node of this daemon.", ("version", "node"), [((r.version, r.node), 1)]
        )
        yield _gauge("v6native_uptime_seconds", "Seconds since this daemon started.", (), [((), r.uptime)])
        yield _gauge(
            "v6native_reload_ok", "1 when the last load of the configuration was applied.", (), [((), int(r.reload_ok))]
        )
        yield _gauge(
            "v6native_gateway_healthy",
            "1 when translation through this prefix works.",
            ("pref64",),
            [((prefix,), int(healthy)) for prefix, healthy in r.gateways.items()],
        )
        yield _packets(r)
        if r.totals is not None:
            yield _gauge("v6native_sessions", "Live NAT64 sessions.", (), [((), r.totals.sessions)])
            yield _gauge(
                "v6native_sessions_limit", "Sessions that the table can hold.", (), [((), r.totals.max_sessions)]
            )
            yield _gauge("v6native_clients", "Clients that have bindings or port blocks.", (), [((), r.totals.clients)])
            yield _gauge("v6native_port_blocks", "Port blocks that clients have.", (), [((), r.totals.blocks)])
        yield _gauge(
            "v6native_bib_entries",
            "Bindings of pool4, static ones included.",
            ("proto",),
            [((proto,), count) for proto, count in r.bib.items()],
        )
        yield _gauge("v6native_pool4_ports", "Ports of pool4 that each protocol may use.", (), [((), r.pool_ports)])
        yield _gauge(
            "v6native_fast_path",
            "1 when packets of known sessions pass by the host's stack; `v6native status` says why they do not.",
            ("ingress", "egress"),
            [(pair, int(on)) for pair, on in r.fast_path.items()],
        )
        yield _gauge(
            "v6native_worker_up", "1 when the worker runs.", ("worker",), [((w.name,), int(w.up)) for w in r.workers]
        )
        yield _counter(
            "v6native_worker_restarts",
            "How often this daemon started the worker again.",
            ("worker",),
            [((w.name,), w.restarts) for w in r.workers],
        )
        yield from _worker_stats(r.workers)
        yield from _peers(r.peers)
        yield _gauge(
            "v6native_findings",
            "The doctor's findings.",
            ("severity",),
            [((severity,), count) for severity, count in r.findings.items()],
        )


def _packets(reading: Reading) -> Metric:
    kinds = {reason.name: reason.kind.lower() for reason in reading.reasons}
    return _counter(
        "v6native_packets",
        "Packets by verdict and reason; `v6native counters --all` explains each reason.",
        ("verdict", "reason"),
        [((kinds.get(name, "unknown"), name.lower()), count) for name, count in reading.counters.items()],
    )


def _worker_stats(workers: tuple[WorkerReading, ...]) -> Iterator[Metric]:
    """Each number that a worker tells, as v6native_WORKER_NAME; one level of objects becomes the label `kind`."""
    for worker in workers:
        for name, value in worker.stats.items():
            metric = f"v6native_{worker.name}_{name}"
            text = f"{name.replace('_', ' ')}, as told by the worker {worker.name}."
            if isinstance(value, Mapping) and "+Inf" in value:
                yield _histogram(metric, text.capitalize(), value)
            elif isinstance(value, Mapping):
                numbers = [((str(key),), float(v)) for key, v in value.items() if isinstance(v, int | float)]
                yield _gauge(metric, text.capitalize(), ("kind",), numbers)
            elif isinstance(value, int | float):
                yield _gauge(metric, text.capitalize(), (), [((), float(value))])


def _histogram(metric: str, text: str, told: Mapping[str, float]) -> Metric:
    """`told`: cumulative counts by upper bound, and their "sum"."""
    buckets = [(bound, float(count)) for bound, count in told.items() if bound != "sum"]
    family = HistogramMetricFamily(metric, text)
    family.add_metric([], buckets, float(told.get("sum", 0.0)))
    return family


def _peers(peers: tuple[PeerReading, ...]) -> Iterator[Metric]:
    labels = ("tunnel", "client")
    yield _gauge(
        "v6native_client_handshake_age_seconds",
        "Seconds since the client's last WireGuard handshake.",
        labels,
        [((p.tunnel, p.client), p.handshake_age) for p in peers if p.handshake_age is not None],
    )
    yield _counter(
        "v6native_client_received_bytes",
        "Bytes received from the client.",
        labels,
        [((p.tunnel, p.client), p.received) for p in peers],
    )
    yield _counter(
        "v6native_client_sent_bytes",
        "Bytes sent to the client.",
        labels,
        [((p.tunnel, p.client), p.sent) for p in peers],
    )


Samples = Sequence[tuple[tuple[str, ...], float]]


def _gauge(name: str, text: str, labels: tuple[str, ...], samples: Samples) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _counter(name: str, text: str, labels: tuple[str, ...], samples: Samples) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family
