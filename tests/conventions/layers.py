# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Who may import whom: the table, and what breaks it.

Imports point left, from what acts to what decides. The table is the rule of "How the code is laid out" in
ARCHITECTURE.md. A name stands for the module or package and all below it; the longest name that fits a module rules it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

BASE = frozenset({"", "errors", "paths", "address", "packet", "worker", "decode"})
PURE = BASE | {"config", "desired"}
DOORS = PURE | {"plan", "fastpath", "system", "dataplane"}

# module or package -> what it may import besides itself
ALLOWED: dict[str, frozenset[str]] = {
    "": frozenset(),
    "address": frozenset(),
    "packet": frozenset({"address"}),
    "paths": frozenset(),
    "worker": frozenset(),
    "decode": frozenset(),
    "config.problem": frozenset(),
    "errors": frozenset({"config.problem"}),
    "config": BASE,
    # The settings of workers are decided there, too; `dns64.settings`, `log.settings` are their form and import no worker.
    "desired": BASE | {"config", "dns64.settings", "log.settings", "unbound.settings"},
    "plan": PURE,
    "fastpath": PURE,
    "translate": frozenset({"", "address", "packet", "errors"}),
    "tunnel": PURE,
    "routing": PURE,
    "lan": PURE,
    # What the file says is what it is told, in the same words.
    "dns64": BASE | {"config"},
    # What it is to originate it reads out of a ring buffer.
    "slowpath": BASE | {"translate", "dataplane"},
    "dataplane": PURE | {"plan"},
    "system": PURE | {"plan", "fastpath", "dataplane", "tunnel", "routing"},
    # What it finds is read by others; it reads nothing of theirs.
    "health": BASE,
    "log": DOORS,
    "unbound": PURE | {"system"},
    "unbound.settings": BASE | {"config"},
    "log.settings": BASE | {"config"},
    "metrics": PURE | {"dataplane.door", "dataplane.abi"},
    "doctor": DOORS | {"health"},
    # Pure: what it looks at it gets through explain.walk.Machine.
    "explain": PURE | {"dataplane.door", "dataplane.look", "doctor.remedies"},
    "api": DOORS | {"metrics", "doctor", "explain", "log"},
    "daemon": DOORS
    | {
        "api",
        "metrics",
        "doctor",
        "explain",
        "health",
        "log",
        "tunnel",
        "routing",
        "lan",
        "dns64",
        "slowpath",
        "unbound",
    },
    "lab": DOORS | {"api", "tunnel"},
    "web": PURE | {"api"},
    "cli": DOORS | {"api", "daemon", "doctor", "explain", "lab", "log", "tunnel", "translate", "web"},
}

# A foreign module and the only places of ours that may see it.
FOREIGN: dict[str, tuple[str, ...]] = {
    "pyroute2": ("system", "lab"),
    "ctypes": ("dataplane", "system", "lab"),
    "cffi": ("dataplane",),
    "subprocess": ("system", "lab"),
    "pydantic": ("config", "api", "dns64"),
    "scapy": (),
    "pytest": (),
    "bench": (),
    "tests": (),
}

# Calls that start a program, and the only places that may make them.
RUNNERS = {
    "create_subprocess_exec", "create_subprocess_shell", "system", "popen", "fork", "forkpty",
    "posix_spawn", "posix_spawnp", "execl", "execle", "execlp", "execlpe", "execv", "execve", "execvp", "execvpe",
}  # fmt: skip
RUNNERS_IN = ("system", "lab")


@dataclass(frozen=True, slots=True)
class Breach:
    """One import or call that the table forbids."""

    module: str
    line: int
    what: str


def within(module: str, name: str) -> bool:
    return module == name or module.startswith(f"{name}.")


def _rule(module: str) -> str | None:
    """The table's longest name that `module` belongs to; a package that the table does not know has none."""
    fitting = [name for name in ALLOWED if (within(module, name) if name else module == "")]
    return max(fitting, key=len, default=None)


def _imports(tree: ast.Module, module: str, is_package: bool) -> Iterator[tuple[int, str]]:
    """Each imported module with its line, written out in full; `from a import b` gives a.b, which may be a name in a."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                parts = f"v6native.{module}".rstrip(".").split(".")
                parts = parts[: len(parts) - node.level + (1 if is_package else 0)]
                origin = ".".join([*parts, origin]).rstrip(".")
            for alias in node.names:
                yield node.lineno, f"{origin}.{alias.name}"


def breaches(source: str, module: str, is_package: bool = False) -> list[Breach]:
    """What `module` (named below v6native; "" is the package itself) does that the table forbids."""
    tree = ast.parse(source)
    own = _rule(module)
    if own is None:
        return [Breach(module, 1, f"the table of layers does not know {module.partition('.')[0]}")]
    found = []
    for line, imported in _imports(tree, module, is_package):
        if within(imported, "v6native"):
            target = imported.removeprefix("v6native").lstrip(".")
            if not _may_import(own, target):
                found.append(Breach(module, line, f"imports v6native.{target}"))
        else:
            places = FOREIGN.get(imported.partition(".")[0])
            if places is not None and not any(within(module, place) for place in places):
                found.append(Breach(module, line, f"imports {imported}"))
    found += [
        Breach(module, node.lineno, f"starts a program ({node.func.attr})")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in RUNNERS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"os", "asyncio"}
        and not any(within(module, place) for place in RUNNERS_IN)
    ]
    return found


def _may_import(own: str, target: str) -> bool:
    # `from v6native import __version__` names the package itself.
    if "." not in target and target not in ALLOWED:
        target = "" if target.startswith("__") else target
    if own and within(target, own):
        return True
    return any((within(target, name) if name else target == "") for name in ALLOWED[own])
