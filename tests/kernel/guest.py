# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A machine emulated in software that runs another kernel over this host's own files, which it cannot change.

Software emulation (TCG) needs no hardware virtualisation, which cloud machines rarely have.
"""

from __future__ import annotations

import os
import selectors
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.kernel.debian import Kernel

# What the initial file system must load before the host's files are there, and with them all other modules.
BOOT_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
REPORT = "V6NATIVE-GUEST "
QEMU = "qemu-system-x86_64"


class GuestFailed(Exception):
    """The guest did not come up or did not end; the message names the log of its console."""


def initramfs(kernel: Kernel, tree: Path, folder: Path) -> Path:
    """Pack busybox, the boot modules and init.sh into `folder`/initramfs."""
    root = folder / "initramfs.d"
    shutil.rmtree(root, ignore_errors=True)
    for part in ("bin", "modules", "proc", "sys", "dev"):
        (root / part).mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin" / "busybox")
    applets = subprocess.run(["/bin/busybox", "--list"], capture_output=True, text=True, timeout=10, check=True).stdout
    for applet in applets.split():
        if applet != "busybox":
            (root / "bin" / applet).symlink_to("busybox")
    modules = kernel.module_closure(*BOOT_MODULES)
    for module in modules:
        shutil.copy(module, root / "modules" / module.name)
    (root / "modules" / "order").write_text("".join(f"{module.name}\n" for module in modules))
    told = {"V6NATIVE_TREE": tree, "V6NATIVE_MODULES": kernel.modules}
    told |= {name: os.environ[name] for name in ("V6NATIVE_SEED", "V6NATIVE_PACKETS") if name in os.environ}
    (root / "guest.env").write_text("".join(f"export {name}='{value}'\n" for name, value in told.items()))
    shutil.copy(Path(__file__).parent / "init.sh", root / "init")
    (root / "init").chmod(0o755)
    names = "\0".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    packed = folder / "initramfs"
    with packed.open("wb") as out:
        subprocess.run(
            ["cpio", "--quiet", "-0", "-o", "-H", "newc"],
            cwd=root,
            input=names.encode(),
            stdout=out,
            timeout=60,
            check=True,
        )
    return packed


def argv(kernel: Kernel, initrd: Path, console: Path) -> list[str]:
    """The command that boots the guest: its first serial line goes to a file, the second, with the reports, to stdout."""
    return [
        QEMU, "-accel", "tcg,thread=multi", "-cpu", "max", "-machine", "q35", "-smp", "2", "-m", "3072",
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-kernel", str(kernel.image), "-initrd", str(initrd),
        "-append", "console=ttyS0 panic=-1 quiet loglevel=4 mitigations=off random.trust_cpu=on tsc=reliable",
        "-serial", f"file:{console}", "-serial", "stdio",
        "-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap",
        "-device", "virtio-rng-pci",
    ]  # fmt: skip


def run(kernel: Kernel, tree: Path, folder: Path, limit: float) -> dict[str, str]:
    """Boot, show what the guest says as it says it, and return its reports: section -> exit status or text.

    A guest that still runs after `limit` seconds is ended; its reports lack "ended". GuestFailed where there are none.
    """
    if shutil.which(QEMU) is None:
        raise GuestFailed(f"{QEMU} is not installed; run `sudo make test-kernel`, which installs it.")
    console = folder / "console.log"
    deadline = time.monotonic() + limit
    reports: dict[str, str] = {}
    command = argv(kernel, initramfs(kernel, tree, folder), console)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as guest:
        try:
            for line in _lines(guest, deadline):
                print(line, flush=True)
                if line.startswith(REPORT):
                    name, _, value = line.removeprefix(REPORT).partition(" ")
                    reports[name] = value
        finally:
            guest.kill()
    if not reports:
        raise GuestFailed(f"the guest never reported anything; its kernel's messages are in {console}.")
    return reports


def _lines(guest: subprocess.Popen[bytes], deadline: float) -> Iterator[str]:
    """What the guest writes, line by line, until it ends."""
    assert guest.stdout is not None
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(guest.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                return
            chunk = os.read(guest.stdout.fileno(), 65536)
            *lines, pending = (pending + chunk).split(b"\n")
            yield from (line.decode(errors="replace").rstrip("\r") for line in lines)
            if not chunk:
                return
