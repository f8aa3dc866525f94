# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What every test of v6native shares: the counts of hypothesis, the seed, the refusal to skip what needs root.

A whole run also fails where a requirement that docs/rfc-compliance calls done was not tested (tests/held.py).

V6NATIVE_COUNT=fast|nightly chooses how many examples hypothesis tries; V6NATIVE_SEED=NUMBER repeats a run's choices.
"""

from __future__ import annotations

import os
import random
import secrets
import signal
import time
from collections import Counter
from collections.abc import Iterator

import hypothesis
import pytest

from tests.held import Held

# "emulated" is for the guest of tests/kernel, whose processor is a tenth as fast.
EXAMPLES = {"emulated": 10, "fast": 50, "nightly": 1500}

SEED = pytest.StashKey[int]()
_start_key = pytest.StashKey[float]()
_tally_key = pytest.StashKey[Counter[str]]()


class NameOfLongTests:
    """Lab tests take seconds, each of them: the report says which one runs, so that nobody thinks it hangs."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.long: dict[str, str] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.long = {item.nodeid: item.name for item in session.items if item.get_closest_marker("lab")}

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if nodeid in self.long and reporter is not None and reporter.verbosity == 0:
            reporter.write(f"\n  {self.long[nodeid]} ", flush=True)


def pytest_configure(config: pytest.Config) -> None:
    """Register both profiles, load the chosen one, and settle the seed of the run."""
    for name, examples in EXAMPLES.items():
        hypothesis.settings.register_profile(
            name,
            max_examples=examples,
            deadline=None,
            print_blob=True,
            database=None,
            suppress_health_check=[hypothesis.HealthCheck.too_slow],
        )
    count = _count()
    hypothesis.settings.load_profile(count)
    config.stash[SEED] = int(os.environ.get("V6NATIVE_SEED") or secrets.randbelow(2**32))
    config.stash[_start_key] = time.monotonic()
    config.stash[_tally_key] = Counter()
    # As for Ctrl-C: a run that is told to end takes its labs and namespaces away first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    config.pluginmanager.register(NameOfLongTests(config))
    config.pluginmanager.register(Held(config))


def _count() -> str:
    count = os.environ.get("V6NATIVE_COUNT", "fast")
    if count not in EXAMPLES:
        raise pytest.UsageError(f"V6NATIVE_COUNT is {count!r}; it must be one of: {', '.join(EXAMPLES)}.")
    return count


def _summary(config: pytest.Config) -> str:
    count = _count()
    return f"count: {count} ({EXAMPLES[count]} examples a property), seed: {config.stash[SEED]}"


def pytest_report_header(config: pytest.Config) -> str:
    return f"v6native {_summary(config)} (repeat with V6NATIVE_SEED={config.stash[SEED]})"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A lab test is a root test; what fails fastest runs first."""
    for item in items:
        if item.get_closest_marker("lab") and not item.get_closest_marker("root"):
            item.add_marker(pytest.mark.root)
    items.sort(key=lambda item: sum(item.get_closest_marker(mark) is not None for mark in ("root", "lab")))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that needs root fails without it: a skipped test would look like a passed one."""
    if item.get_closest_marker("root") and os.geteuid() != 0:
        pytest.fail("this test needs root, for network namespaces and BPF; run `sudo make test`.", pytrace=False)
    function = getattr(item, "obj", None)
    function = getattr(function, "__func__", function)
    if getattr(function, "is_hypothesis_test", False):
        # Of the run's seed and the test's name: one property under several parameters tries different examples.
        hypothesis.seed(f"{item.config.stash[SEED]}:{item.nodeid}")(function)


@pytest.fixture(autouse=True)
def _seeded(request: pytest.FixtureRequest) -> Iterator[None]:
    """`random` gives the same numbers in a repeated run, whatever tests ran before."""
    random.seed(f"{request.config.stash[SEED]}:{request.node.nodeid}")
    yield


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """A generator of the test's own, seeded by the run's seed and the test's name."""
    return random.Random(f"{request.config.stash[SEED]}:{request.node.nodeid}")


@pytest.fixture(scope="session")
def tally(request: pytest.FixtureRequest) -> Counter[str]:
    """What this run counts for its summary, such as packets; whoever counts gives it a name."""
    return request.config.stash[_tally_key]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for what, count in sorted(config.stash[_tally_key].items()):
        terminalreporter.write_line(f"v6native {what}: {count:,}")
    duration = time.monotonic() - config.stash[_start_key]
    terminalreporter.write_line(f"v6native {_summary(config)}, duration: {duration:.0f} s")
