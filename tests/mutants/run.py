# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`make mutants`: breaks the translator at each listed point, and wants the tests named there to turn red.

Each point is tried in a copy of the tree: the pattern replaced, the BPF objects compiled, its tests run and no others.
*killed*: a test failed; *survived*: all passed; *no answer*: it did not compile, load or find its tests, which says
nothing. The exit status is 0 only where all were killed. Arguments choose points: numbers, or ranges such as 1-15.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
POINTS = Path(__file__).with_name("points.toml")
COPIED = ("bpf", "docs", "setup", "src", "tests", "Makefile", "pyproject.toml")
OBJECTS = Path("src/v6native/dataplane/objects")
SECONDS = 120
"""A point's tests take a few; one that hangs is killed too late to be called killed."""


@dataclass(frozen=True, slots=True)
class Point:
    """`pattern` is in `file` exactly once; one of `tests`, node ids of pytest, must fail once it is `replacement`."""

    breaks: str
    file: str
    pattern: str
    replacement: str
    tests: tuple[str, ...]

    def applied(self, text: str) -> str:
        """The broken text; ValueError where the pattern is not there exactly once."""
        found = text.count(self.pattern)
        if found != 1:
            raise ValueError(f"{self.file}: {self.pattern!r} is there {found} times, not once ({self.breaks})")
        return text.replace(self.pattern, self.replacement)


def points() -> list[Point]:
    listed = tomllib.loads(POINTS.read_text())["point"]
    return [Point(**{**point, "tests": tuple(point["tests"])}) for point in listed]


def judged(status: int, output: str) -> str:
    """What a run of pytest, by its exit status and summary, says of the point that it was for."""
    if status == 0:
        return "survived"
    return "killed" if status == 1 and re.search(r"^\d+ failed", output, re.MULTILINE) else "no answer"


def tried(point: Point, tree: Path) -> tuple[str, str]:
    """The verdict on a point and what pytest or the compiler printed; `tree` is as it was afterwards."""
    file = tree / point.file
    sound = file.read_text()
    file.write_text(point.applied(sound))
    try:
        if point.file.startswith("bpf/"):
            shutil.rmtree(tree / OBJECTS)
            made = subprocess.run(["make", "objects"], cwd=tree, capture_output=True, text=True, timeout=SECONDS)
            if made.returncode:
                return "no answer", made.stdout + made.stderr
        run = tested(point.tests, tree)
        return judged(run.returncode, run.stdout), run.stdout + run.stderr
    finally:
        file.write_text(sound)


def already_red(wanted: list[Point], tree: Path) -> str:
    """What pytest printed where a test of these points is red without them; a red test says nothing then."""
    subprocess.run(["make", "objects"], cwd=tree, check=True, capture_output=True, timeout=SECONDS)
    done = tested(tuple(dict.fromkeys(test for point in wanted for test in point.tests)), tree)
    return "" if done.returncode == 0 else "\n".join((done.stdout + done.stderr).splitlines()[-30:])


def tested(tests: tuple[str, ...], tree: Path) -> subprocess.CompletedProcess[str]:
    """A run of pytest in the copy."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "V6NATIVE_SEED": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", *tests]
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=10 * SECONDS)


def chosen(arguments: list[str], count: int) -> list[int]:
    """Indices of the points that `3` or `1-15` name; all where nothing is said."""
    if not arguments:
        return list(range(count))
    ranges = [argument.partition("-")[::2] for argument in arguments]
    return [number - 1 for first, last in ranges for number in range(int(first), int(last or first) + 1)]


def main(arguments: list[str]) -> int:
    listed = points()
    verdicts: list[str] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="v6native-mutants-") as folder:
        tree = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, tree / name)
        wanted = chosen(arguments, len(listed))
        if broken := already_red([listed[index] for index in wanted], tree):
            print(f"the tree is not sound, so nothing can be told:\n{broken}")
            return 1
        for index in wanted:
            point = listed[index]
            verdict, output = tried(point, tree)
            verdicts.append(verdict)
            print(f"{index + 1:2} {verdict:9} {point.file}: {point.breaks}", flush=True)
            if verdict != "killed":
                print("\n".join(f"     {line}" for line in output.splitlines()[-12:]), flush=True)
    killed = verdicts.count("killed")
    print(f"{killed} of {len(verdicts)} killed in {time.monotonic() - began:.0f} s")
    return 0 if killed == len(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
