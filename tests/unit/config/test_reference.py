# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The reference and the JSON Schema are what the models say, and the examples fit both."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from v6native.config.load import load
from v6native.config.problem import Severity
from v6native.config.schema import json_schema, key_docs, key_reference, schema_text, tables
from v6native.lab.edge import Arrangement, network_toml

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))


def test_schema_file_is_the_models() -> None:
    assert (ROOT / "docs/reference/network.schema.json").read_text() == schema_text(), (
        "write it anew: python -m v6native.config.schema > docs/reference/network.schema.json"
    )


def test_reference_is_the_models() -> None:
    text = (ROOT / "docs/reference/configuration.md").read_text()
    assert text.partition("\n## Keys\n\n")[2] == key_reference(), (
        "write its last chapter anew: python -m v6native.config.schema --keys"
    )


def test_the_first_file_of_the_reference_is_complete(tmp_path: Path) -> None:
    text = (ROOT / "docs/reference/configuration.md").read_text().partition("```toml\n")[2].partition("```")[0]
    (tmp_path / "network.toml").write_text(text)
    assert load(tmp_path / "network.toml", None).warnings == ()


def test_every_key_has_a_line_a_type_and_an_example() -> None:
    docs = [doc for _, table in tables() for doc in key_docs(table)]
    assert len(docs) > 35
    assert [doc.key for doc in docs if not (doc.text.endswith(".") and doc.type and doc.example)] == []


def test_there_are_examples() -> None:
    assert {path.name for path in EXAMPLES} >= {"one-address-vm.toml", "homelab.toml", "lab-edge1.toml"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_loads_and_fits_the_schema(path: Path) -> None:
    config = load(path, None)
    assert {warning.code for warning in config.warnings} <= {"allow-ipv4"}
    jsonschema.validate(tomllib.loads(path.read_text()), json_schema())


def test_the_lab_example_is_the_lab(tmp_path: Path) -> None:
    written = tmp_path / "network.toml"
    written.write_text(network_toml(Arrangement.SHARED))
    lab, example = load(written, None), load(ROOT / "examples/lab-edge1.toml", None)
    assert (lab.network, lab.nodes, lab.nat64, lab.clat, lab.dns64, lab.tunnels) == (
        example.network,
        example.nodes,
        example.nat64,
        example.clat,
        example.dns64,
        example.tunnels,
    )


@pytest.mark.parametrize("arrangement", list(Arrangement))
def test_every_arrangement_of_the_lab_loads(arrangement: Arrangement, tmp_path: Path) -> None:
    written = tmp_path / "network.toml"
    written.write_text(network_toml(arrangement))
    assert all(warning.severity is Severity.WARNING for warning in load(written, None).warnings)


BROKEN: list[dict[str, Any]] = [
    {},
    {"network": {"name": "x", "prefix": "2001:db8::/48"}, "node": {}},
    {"network": {"name": "x", "prefix": "2001:db8::/48"}, "node": {"a": {"uplink": "e", "lan": "br0"}}},
    {"network": {"name": "x", "prefix": "2001:db8::/48"}, "node": {"a": {"uplink": "e"}}, "nodes": {}},
    {"network": {"name": "x", "prefix": "2001:db8::/48"}, "node": {"a": {"uplink": "e"}}, "nat64": {"sessions": 1}},
]


@pytest.mark.parametrize("document", BROKEN, ids=json.dumps)
def test_schema_refuses(document: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, json_schema())
