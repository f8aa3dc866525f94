# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""An environment like a router's: the wheel, what the wheel says it requires, and no compiler.

The required distributions are taken, as links, from the environment that runs the tests, so no network is needed; one
that the wheel forgets to require is not there.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import dataclass
from email.parser import HeaderParser
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# Hides what a router lacks: in a mount namespace of its own, empty folders lie over compilers' and kernel's headers.
HIDE = """
for folder in /usr/include /usr/lib/llvm-* /usr/src /usr/lib/modules; do
    [ ! -d "$folder" ] || /bin/mount -t tmpfs -o ro none "$folder"
done
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class CleanEnvironment:
    """A virtual environment that holds only the wheel and what it requires."""

    folder: Path

    def run(self, *argv: str, hide: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, which sees no other PATH and nothing of the source tree."""
        command = [str(self.folder / "bin" / argv[0]), *argv[1:]]
        if hide:
            command = ["/usr/bin/unshare", "--mount", "/bin/sh", "-ec", HIDE, "sh", *command]
        return subprocess.run(
            command,
            cwd=self.folder,
            env={"PATH": str(self.folder / "bin"), "HOME": str(self.folder), "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def build_wheel(tree: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """What `make wheel` does after it made the objects."""
    return subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(tree)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def required(wheel: Path) -> set[str]:
    """The names of all distributions that the wheel requires, and those that these require, and so on."""
    with zipfile.ZipFile(wheel) as content:
        metadata = next(name for name in content.namelist() if name.endswith(".dist-info/METADATA"))
        header = HeaderParser().parsestr(content.read(metadata).decode())
    waiting = [(Requirement(text), "") for text in header.get_all("Requires-Dist", [])]
    names: set[str] = set()
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        names.add(name)
        for wanted in ("", *requirement.extras):
            if (name, wanted) not in seen:
                seen.add((name, wanted))
                waiting += [(Requirement(text), wanted) for text in distribution(name).requires or ()]
    return names


def make(wheel: Path, folder: Path) -> CleanEnvironment:
    """Make the environment in `folder`: install the wheel without its requirements, and link those."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], timeout=60, check=True)
    site = next((folder / "lib").glob("python3.*")) / "site-packages"
    for name in required(wheel):
        found = distribution(name)
        for part in {file.parts[0] for file in found.files or () if file.parts[0] not in {"..", "__pycache__"}}:
            (site / part).symlink_to(Path(str(found.locate_file(part))))
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install",
         "--no-deps", "--no-index", str(wheel)],
        capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    return CleanEnvironment(folder)
