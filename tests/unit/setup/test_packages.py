# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""setup/packages.sh on a machine whose dpkg, apt and systemctl are stand-ins: what comes along is kept off, too.

The real ones would install programs on whoever's machine runs the tests.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "setup" / "packages.sh"
UNITS = {
    "web": [],
    "web-common": ["web.service", "web@.service"],
    "names": ["names.socket", "names.service", "names.target"],
}
TOOLS = {
    "dpkg-query": """
for last; do :; done
case $last in
*{Package}*) sed 's/^/installed /' "$STATE/installed" ;;
*) if grep -qx "$last" "$STATE/installed"; then echo installed; else exit 1; fi ;;
esac
""",
    "dpkg": 'cat "$STATE/files-$2"\n',
    "apt-get": """
case $1 in
install) printf '%s\n' web web-common names >>"$STATE/installed"; test ! -e "$STATE/full" ;;
esac
""",
    "systemctl": 'echo "$@" >>"$STATE/systemctl"\n',
    "id": "echo 0\n",
    "chmod": ":\n",
}


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Where the stand-ins keep what they know; `old` is installed."""
    (tmp_path / "bin").mkdir()
    for name, text in TOOLS.items():
        tool = tmp_path / "bin" / name
        tool.write_text(f"#!/bin/sh\n{text}")
        tool.chmod(0o755)
    (tmp_path / "installed").write_text("old\n")
    for package, units in UNITS.items():
        lines = [f"/usr/share/doc/{package}", *(f"/lib/systemd/system/{unit}" for unit in units)]
        (tmp_path / f"files-{package}").write_text("\n".join(lines) + "\n")
    (tmp_path / "list").write_text("# what is needed\nweb   pages\nnames resolving\nold\n")
    return tmp_path


def install(machine: Path) -> subprocess.CompletedProcess[str]:
    # A copy: the script's root is where it lies, and it writes its log there.
    setup = machine / "tree" / "setup"
    if not setup.exists():
        setup.mkdir(parents=True)
        for name in ("packages.sh", "say.sh"):
            text = (SCRIPT.parent / name).read_text()
            (setup / name).write_text(text.replace("/usr/sbin/policy-rc.d", str(machine / "policy-rc.d")))
    environment = {"PATH": f"{machine / 'bin'}:{os.environ['PATH']}", "STATE": str(machine)}
    command = ["sh", str(setup / "packages.sh"), str(machine / "list")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


DISABLED = ["disable names.service", "disable names.socket", "disable names.target", "disable web.service"]


def test_services_of_packages_that_came_along_are_disabled(machine: Path) -> None:
    done = install(machine)
    assert done.returncode == 0, done.stderr
    assert "Debian packages to install: web names" in done.stdout
    assert sorted((machine / "systemctl").read_text().splitlines()) == DISABLED
    assert not (machine / "policy-rc.d").exists()


def test_where_apt_fails_as_well(machine: Path) -> None:
    (machine / "full").touch()
    assert install(machine).returncode == 1
    assert sorted((machine / "systemctl").read_text().splitlines()) == DISABLED


def test_the_second_run_asks_nobody(machine: Path) -> None:
    install(machine)
    (machine / "systemctl").unlink()
    (machine / "bin" / "apt-get").write_text("#!/bin/sh\nexit 9\n")
    done = install(machine)
    assert (done.returncode, done.stdout.partition(":")[0]) == (0, "Debian packages")
    assert not (machine / "systemctl").exists()


def test_a_policy_of_the_operators_stays(machine: Path) -> None:
    (machine / "policy-rc.d").write_text("theirs")
    install(machine)
    assert (machine / "policy-rc.d").read_text() == "theirs"
