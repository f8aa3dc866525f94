# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Debian 12's own kernel, downloaded and unpacked under build/; nothing is installed on the host.

The unpacked kernel is kept, so a second run needs no network. Remove build/kernel to follow Debian's next one.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

META_PACKAGE = "linux-image-amd64"
# Folders of modules that networking, a shared root and their dependencies come from; graphics and sound stay packed.
WANTED = ("arch", "crypto", "fs", "lib", "net", "drivers/net", "drivers/virtio")


@dataclass(frozen=True, slots=True)
class Kernel:
    """An unpacked kernel package."""

    release: str
    image: Path
    modules: Path

    def module_closure(self, *names: str) -> list[Path]:
        """The module files of `names` and all they depend on, in the order in which insmod must load them."""
        tree = self.modules / self.release
        depends: dict[str, list[str]] = {}
        for line in (tree / "modules.dep").read_text().splitlines():
            file, _, needs = line.partition(":")
            depends[file] = needs.split()
        by_name = {Path(file).stem.replace("-", "_"): file for file in depends}
        ordered: list[Path] = []
        for name in names:
            file = by_name.get(name)
            if file is None:  # built into the kernel
                continue
            # modules.dep lists what a module needs in the reverse of the loading order.
            for needed in [*reversed(depends[file]), file]:
                if tree / needed not in ordered:
                    ordered.append(tree / needed)
        return ordered


def kernel(folder: Path) -> Kernel:
    """The kernel under `folder`, downloaded and unpacked the first time."""
    unpacked = folder / "unpacked"
    done = folder / "unpacked.ok"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        archive = _download(folder)
        _run(["rm", "-rf", str(unpacked)])
        unpacked.mkdir()
        _unpack(archive, unpacked)
        done.touch()
    image = next((unpacked / "boot").glob("vmlinuz-*"))
    return Kernel(image.name.removeprefix("vmlinuz-"), image, unpacked / "lib" / "modules")


def _download(folder: Path) -> Path:
    present = sorted(folder.glob("linux-image-*.deb"))
    if present:
        return present[-1]
    depends = _run(["apt-cache", "depends", META_PACKAGE])
    found = re.search(r"Depends: (linux-image-\S+)", depends)
    if found is None:
        raise RuntimeError(f"apt knows no package {META_PACKAGE}; run `apt-get update` on a Debian 12 machine.")
    _run(["apt-get", "download", found.group(1)], cwd=folder)
    return next(folder.glob("linux-image-*.deb"))


def _unpack(archive: Path, target: Path) -> None:
    patterns = ["./boot/*", "./lib/modules/*/modules.*", *(f"./lib/modules/*/kernel/{part}/*" for part in WANTED)]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE) as files:
        subprocess.run(
            ["tar", "-x", "-C", str(target), "--wildcards", *patterns], stdin=files.stdout, timeout=300, check=True
        )
    # Debian makes modules.dep when it installs a kernel; the package has none.
    release = next((target / "lib" / "modules").iterdir()).name
    _run(["depmod", "-b", str(target), release])


def _run(argv: list[str], cwd: Path | None = None) -> str:
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"`{' '.join(argv)}` failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
