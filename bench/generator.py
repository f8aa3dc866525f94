# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The in-kernel packet generator (generator.bpf.c): a process in a namespace, on one CPU, told what to send line by line.

BPF_PROG_TEST_RUN with BPF_F_TEST_XDP_LIVE_FRAMES runs an XDP program again and again, and what it redirects goes out of an
interface. Everything after it, gateway and sink, runs in soft interrupts on the same CPU, inside the system call. So
the CPU time of this process, and of the CPU's ksoftirqd, is what the packets cost, whoever else has the machine.

    with Generator(node, "eth0", cpu=1) as generator:
        generator.aim(pattern)
        burst = generator.send(100_000)
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.frames import XDP_DROP, XDP_REDIRECT, Pattern
from v6native.dataplane import tc
from v6native.dataplane.bpf_object import BpfObject
from v6native.dataplane.libbpf import TestRunOpts, libbpf
from v6native.errors import V6nativeError
from v6native.lab.node import Node, environment

OBJECT = Path(__file__).parents[1] / "build" / "bench" / "generator.bpf.o"
_LIVE_FRAMES = 1 << 1
_BATCH = 64
"""Frames made before the first of them is sent; as many as a driver's poll takes (NAPI_POLL_WEIGHT)."""


class BenchFailed(V6nativeError):
    """A measurement that cannot be made, or would not mean anything."""


@dataclass(frozen=True, slots=True)
class Burst:
    """What `packets` took: nanoseconds of the CPU (all that is counted, see `Generator`), and of the clock."""

    packets: int
    cpu: int
    clock: int


class Generator:
    """`others` are processes whose CPU time belongs to the path too: a translator in user space."""

    def __init__(self, node: Node, interface: str, cpu: int, others: Sequence[int] = ()) -> None:
        if not OBJECT.exists():
            raise BenchFailed(f"{OBJECT} is not built; run `make bench-objects`")
        self.cpu = cpu
        self.others = tuple(others)
        argv = node.enter([sys.executable, "-m", "bench.generator", interface, str(cpu)])
        env = {**os.environ, **environment(node.lab), "PYTHONPATH": os.pathsep.join(sys.path)}
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        self._frame = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()

    def aim(self, pattern: Pattern, *, first: int = 0, away: bool = False) -> None:
        """From flow `first` on; `away`: the frames are made and dropped, which is what the generator itself costs."""
        value = pattern.value(XDP_DROP if away else XDP_REDIRECT, 0, first)
        endpoints = [endpoint.packed().hex() for endpoint in pattern.endpoints]
        self._ask("aim", pattern=bytes(value).hex(), frame=pattern.frame.hex(), endpoints=endpoints)

    def send(self, packets: int, *, burst: int | None = None, pause: float = 0.0) -> Burst:
        """At once, or in bursts with a pause behind each, for those who cannot take it at once."""
        done = self._ask("send", packets=packets, burst=burst or packets, pause=pause, others=list(self.others))
        return Burst(packets, done["cpu"], done["clock"])

    def _ask(self, what: str, **arguments: Any) -> dict[str, int]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"what": what, **arguments}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise BenchFailed(f"the generator ended with status {self._process.wait()} at `{what}`")
        answer: dict[str, int] = json.loads(line)
        return answer


def attach_sink(node: Node, interface: str) -> None:
    """From now on all that arrives there is counted and dropped, before any protocol sees it."""
    node.run(sys.executable, "-m", "bench.generator", interface, env={"PYTHONPATH": os.pathsep.join(sys.path)})


class _XdpMd(ctypes.Structure):
    """struct xdp_md."""

    _fields_ = tuple(
        (name, ctypes.c_uint32)
        for name in ("data", "data_end", "data_meta", "ingress_ifindex", "rx_queue_index", "egress_ifindex")
    )


def _serve(interface: str, cpu: int) -> None:
    """The process in the namespace: one command a line, one answer a line."""
    os.sched_setaffinity(0, {cpu})
    # Whoever takes the CPU in between leaves cold caches behind, which no CPU time tells apart.
    os.nice(-20)
    ifindex = int(Path(f"/sys/class/net/{interface}/ifindex").read_text())
    ksoftirqd = _kernel_thread(f"ksoftirqd/{cpu}")
    frame = b""
    with BpfObject(OBJECT) as opened:
        opened.load()
        for line in sys.stdin:
            command = json.loads(line)
            answer: dict[str, int] = {}
            if command["what"] == "aim":
                frame = bytes.fromhex(command["frame"])
                pattern = bytearray.fromhex(command["pattern"])
                pattern[4:8] = ifindex.to_bytes(4, sys.byteorder)
                opened.maps["pattern"].put(0, bytes(pattern))
                for number, endpoint in enumerate(command["endpoints"]):
                    opened.maps["endpoints"].put(number, bytes.fromhex(endpoint))
            else:
                answer = _send(command, partial(_run, opened.programs["generate"].fd, frame), ksoftirqd)
            print(json.dumps(answer), flush=True)


def _send(command: dict[str, Any], run: Callable[[int], None], ksoftirqd: int) -> dict[str, int]:
    others = [ksoftirqd, *command["others"]]
    own, before, clock = 0, _cpu_time(others), time.perf_counter_ns()
    left = command["packets"]
    while left:
        now = min(left, command["burst"])
        start = time.process_time_ns()
        run(now)
        own += time.process_time_ns() - start
        left -= now
        if command["pause"]:
            time.sleep(command["pause"])
    return {"cpu": own + _cpu_time(others) - before, "clock": time.perf_counter_ns() - clock}


def _run(fd: int, frame: bytes, count: int) -> None:
    data = ctypes.create_string_buffer(frame, len(frame))
    context = _XdpMd(data_end=len(frame))
    options = TestRunOpts(
        sz=ctypes.sizeof(TestRunOpts),
        data_in=ctypes.addressof(data),
        data_size_in=len(frame),
        ctx_in=ctypes.addressof(context),
        ctx_size_in=ctypes.sizeof(context),
        repeat=count,
        flags=_LIVE_FRAMES,
        batch_size=_BATCH,
    )
    libbpf().call("bpf_prog_test_run_opts", fd, ctypes.byref(options))


def _cpu_time(processes: Sequence[int]) -> int:
    """Nanoseconds that they have run: the first field of schedstat (Documentation/scheduler/sched-stats.rst)."""
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in processes)


def _kernel_thread(name: str) -> int:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (entry / "comm").read_text().strip() == name:
            return int(entry.name)
    raise BenchFailed(f"there is no kernel thread {name}")


def _sink(interface: str) -> None:
    ifindex = int(Path(f"/sys/class/net/{interface}/ifindex").read_text())
    with BpfObject(OBJECT) as opened:
        opened.load()
        tc.attach(ifindex, opened.programs["sink"].fd)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        _sink(sys.argv[1])
    else:
        _serve(sys.argv[1], int(sys.argv[2]))
