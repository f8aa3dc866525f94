# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the documents say is true: hop lists, files, commands, links."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conventions.tree import ROOT, named, shown
from v6native.cli.lab import lab as lab_group
from v6native.cli.main import VERBS
from v6native.config.load import load
from v6native.doctor.remedies import REMEDIES
from v6native.lab import topology
from v6native.lab.edge import Arrangement
from v6native.lab.scenarios import client, literal, node
from v6native.lab.scenarios.trial import Trial

README = ROOT / "README.md"
DOCUMENTS = [file for file in named("*.md") if file.is_relative_to(ROOT / "docs") or file.parent == ROOT]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ROUTE = re.compile(r"^(\w+) -- traceroute (?:-n |-6 )*(\S+)\n((?: +\d+ .*\n)+)", re.MULTILINE)


def blocks(file: Path, kind: str) -> list[str]:
    return [body for found, body in FENCE.findall(file.read_text()) if found == kind]


def printed_hops() -> dict[tuple[str, str], list[str]]:
    """The README's hop lists: (node, target) → who answers."""
    return {
        (who, target): [line.split()[1] for line in listed.splitlines()]
        for who, target, listed in ROUTE.findall(README.read_text())
    }


def expected_hops(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], list[str]]:
    """What the lab's scenarios would hold against a real traceroute."""
    expected: dict[tuple[str, str], list[str]] = {}

    def note(_: Trial, who: str, target: str, hops: Sequence[object], *options: str) -> str:
        if "-I" not in options:
            expected[who, target] = [str(hop) for hop in hops]
        return ""

    for module in (client, literal, node):
        monkeypatch.setattr(module, "expect_hops", note)
    lab: Any = SimpleNamespace(arrangement=Arrangement.SHARED)
    trial = Trial(lab, 0)
    for name in ("phone", "laptop"):
        client.trace(trial, name)
        client.trace_native(trial, name)
    literal.trace(trial)
    node.native_traceroutes(trial)
    node.own_traceroute(trial)
    return expected


def test_readme_prints_the_hops_that_the_lab_expects(monkeypatch: pytest.MonkeyPatch) -> None:
    clients = ("phone", "laptop", "edge1")
    expected = {key: hops for key, hops in expected_hops(monkeypatch).items() if key[0] in clients}
    assert printed_hops() == expected
    assert {who for who, _ in expected} == set(clients)


@pytest.mark.parametrize("file", DOCUMENTS, ids=shown)
def test_complete_files_in_documents_are_valid(file: Path, tmp_path: Path) -> None:
    """Each block of TOML with a [network] is a network.toml that `check` would accept."""
    for number, text in enumerate(text for text in blocks(file, "toml") if "[network]" in text):
        path = tmp_path / f"{number}.toml"
        path.write_text(text)
        load(path, None)


def test_the_readmes_file_is_about_ten_lines() -> None:
    (text,) = blocks(README, "toml")
    assert len([line for line in text.splitlines() if line]) <= 10


LAB_COMMAND = re.compile(r"^(?:.*lab exec (?:--name \S+ )?)?(\w+) +-- (\S+) ?(\S*)", re.MULTILINE)


@pytest.mark.parametrize("file", DOCUMENTS, ids=shown)
def test_commands_name_nodes_and_verbs_that_exist(file: Path) -> None:
    text = file.read_text()
    for body in blocks(file, ""):
        for who, program, verb in LAB_COMMAND.findall(body):
            assert who in topology.MAIN.nodes, f"{shown(file)}: the lab has no node {who}"
            assert program != "v6native" or verb in VERBS, f"{shown(file)}: there is no verb {verb}"
    for verb in re.findall(r"`(?:sudo )?v6native (?!lab)([a-z][a-z-]*)", text):
        assert verb in VERBS, f"{shown(file)}: there is no verb {verb}"
    for verb in re.findall(r"v6native lab ([a-z]\w*)", text):
        assert verb in lab_group.commands, f"{shown(file)}: the lab has no verb {verb}"


TROUBLESHOOTING = ROOT / "docs/guides/troubleshooting.md"
FINDINGS = ROOT / "docs/reference/findings.md"


def rows(file: Path, columns: int) -> list[list[str]]:
    """The rows of every table with so many columns, headings left out."""
    found: list[list[str]] = []
    inside = False
    for line in file.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if line.startswith("|---"):
            inside = line.count("|") == columns + 1
        elif not cells:
            inside = False
        elif inside:
            assert len(cells) == columns, f"{shown(file)}: {line}"
            found.append(cells)
    return found


def test_every_reason_has_its_advice() -> None:
    """The same list as in bpf/reasons.h, in its order."""
    header = (ROOT / "bpf/reasons.h").read_text()
    reasons = re.findall(r'REASON\((\w+), (\w+),[\s\\]*"([^"]*)"\)', header)
    assert [(name.strip("`"), kind, text) for name, kind, text, _ in rows(TROUBLESHOOTING, 4)] == reasons


def test_every_refusal_has_its_remedy_and_the_guide_tells_the_same() -> None:
    advice = {name.strip("`"): what for name, kind, _, what in rows(TROUBLESHOOTING, 4) if kind in ("ANSWERED", "DROP")}
    assert advice == REMEDIES
    assert all(REMEDIES.values())


def test_every_finding_has_its_advice() -> None:
    codes = [row[0] for row in rows(FINDINGS, 2) if not row[0].startswith("`drops_")]
    advice = [row[0] for row in rows(TROUBLESHOOTING, 2) if re.fullmatch(r"`\w+`", row[0])]
    assert advice == codes


LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)(?:#([^)\s]+))?\)")


def anchors(file: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", file.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("file", DOCUMENTS, ids=shown)
def test_links_lead_somewhere(file: Path) -> None:
    for target, anchor in LINK.findall(FENCE.sub("", file.read_text())):
        path = (file.parent / target).resolve()
        assert path.exists(), f"{shown(file)}: there is no {target}"
        assert not anchor or anchor in anchors(path), f"{shown(file)}: {target} has no heading {anchor}"


def test_each_runtime_dependency_has_its_decision() -> None:
    """One family a page; each dependency is named in code style on one of them."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split(r"[<>=~\[]", dependency)[0] for dependency in wanted}
    pages = "".join(page.read_text() for page in (ROOT / "docs/decisions").glob("*.md"))
    missing = sorted(name for name in names if f"`{name}`" not in pages)
    assert not missing, f"docs/decisions tells nothing of {', '.join(missing)}"
