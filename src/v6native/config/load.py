# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""network.toml and clients.d/ → Config, or all mistakes at once.

read (source) → values (check, file) → Config (convert) → what does not fit together (rules)
"""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from v6native.config import rules
from v6native.config.check import check
from v6native.config.convert import convert
from v6native.config.model import Config, Node
from v6native.config.problem import ConfigProblem, Severity
from v6native.config.source import read
from v6native.errors import ConfigError


def load(path: Path, clients_dir: Path | None, node: str | None = None) -> Config:
    """The valid Config; its `warnings` are for the operator. `node`: the one that this machine shall be.

    ConfigError holds every mistake (and the warnings), each with file, line, key, what is wrong and what to write.
    """
    source = read(path, clients_dir)
    if isinstance(source, ConfigProblem):
        raise ConfigError((source,))
    file, problems = check(source)
    problems += source.problems
    if file is not None:
        config = convert(file, path)
        draft = rules.Draft(source, file, config)
        reported = {problem.key for problem in problems}  # what replaces a wrong value is no second mistake
        problems += [problem for problem in rules.check(draft) if problem.key not in reported]
        if node is not None and node not in draft.names("node"):
            problems.append(_no_such_node(source.path, node, draft.names("node")))
    ordered = tuple(sorted(dict.fromkeys(problems), key=lambda p: (p.file != path, str(p.file), p.line or 0, p.key)))
    if file is None or any(p.severity is Severity.ERROR for p in ordered):
        raise ConfigError(ordered)
    return replace(config, warnings=ordered, positions=source.positions)


def this_node(config: Config, hostname: str) -> Node:
    """The node that this machine is: the only one, or the one with the machine's name (up to the first dot).

    ConfigError where the file has several and none fits.
    """
    short = hostname.partition(".")[0].lower()
    names = [node.name for node in config.nodes]
    if len(names) == 1:
        return config.nodes[0]
    if short not in names:
        raise ConfigError((_no_such_node(config.path, short, names),))
    return config.node(short)


def _no_such_node(path: Path, name: str, names: list[str]) -> ConfigProblem:
    close = get_close_matches(name, names, 1)
    remedy = f"did you mean {close[0]}?" if close else f"name one of {', '.join(names) or 'none'}, or add [node.{name}]"
    return ConfigProblem("no-such-node", path, None, f"node.{name}", f'the file has no node "{name}"', remedy)
