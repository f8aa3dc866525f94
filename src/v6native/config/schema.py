# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The JSON Schema of network.toml for editors, and the keys' part of docs/reference/configuration.md.

`python -m v6native.config.schema` prints the schema, with `--keys` the reference. Both are made of the models in file.py.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from v6native.config.check import table_in
from v6native.config.file import NetworkFile
from v6native.config.filetypes import Table
from v6native.config.values import shown

WORDS = {
    "ipv6-prefix": "IPv6 prefix",
    "ipv4-prefix": "IPv4 prefix",
    "ipv6": "IPv6 address",
    "ipv4": "IPv4 address",
    "ip-prefix": "prefix",
    "ip-address": "address",
    "pool4-entry": "pool4 entry",
    "ipv4-transport-address": "IPv4 address:port",
    "ipv6-transport-address": "[IPv6 address]:port",
    "resolver": "resolver",
    "duration": "time",
    "collector": "collector",
    "wireguard-key": "WireGuard key",
    "interface": "interface",
    "name": "name",
    "host": "name or address",
}


@dataclass(frozen=True, slots=True)
class KeyDoc:
    """One key of the file, as the reference shows it."""

    key: str
    type: str
    default: str
    text: str
    example: str


def json_schema() -> dict[str, Any]:
    schema = _tidy(NetworkFile.model_json_schema())
    schema["required"] = ["network", "node"]
    schema["properties"]["node"]["minProperties"] = 1
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "SPDX-FileCopyrightText: 2026 The v6native authors. SPDX-License-Identifier: Apache-2.0",
        "title": "network.toml",
    }
    return {**head, **schema}


def schema_text() -> str:
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def key_docs(table: type[Table]) -> Iterator[KeyDoc]:
    """The keys of one table that are no tables themselves."""
    properties = _tidy(table.model_json_schema())["properties"]
    for name, field in table.model_fields.items():
        if table_in(field.annotation) is None:
            example = f"{name} = {shown(field.examples[0])}" if field.examples else ""
            yield KeyDoc(name, type_word(properties[name]), default_word(field), field.description or "", example)


def tables(table: type[Table] = NetworkFile, prefix: str = "") -> Iterator[tuple[str, type[Table]]]:
    """Every table with the header that it has in the file."""
    for name, field in table.model_fields.items():
        inner = table_in(field.annotation)
        if inner is None:
            continue
        holder = get_origin(field.annotation)
        path = f"{prefix}{name}" + (".NAME" if holder is dict else "")
        yield f"[[{path}]]" if holder is list else f"[{path}]", inner
        yield from tables(inner, f"{path}.")


def key_reference() -> str:
    """All keys in Markdown, a section a table."""
    sections = []
    for header, table in tables():
        rows = [f"### `{header}`", "", (table.__doc__ or "").strip(), ""]
        rows += ["| key | type | default | meaning | example |", "|---|---|---|---|---|"]
        for doc in key_docs(table):
            default = doc.default if doc.default in ("required", "") else f"`{doc.default}`"
            rows.append(f"| `{doc.key}` | {doc.type} | {default} | {doc.text} | `{doc.example}` |")
        sections.append("\n".join(rows))
    return "\n\n".join(sections) + "\n"


def _tidy(schema: Any) -> Any:
    """Without what pydantic adds for itself: titles, and the null that TOML does not have."""
    if isinstance(schema, list):
        return [_tidy(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {key: _tidy(value) for key, value in schema.items() if not (key == "title" and isinstance(value, str))}
    options = [option for option in tidy.get("anyOf", []) if option != {"type": "null"}]
    if len(options) == 1:
        del tidy["anyOf"]
        tidy.update(options[0])
    if tidy.get("default", ...) is None:
        del tidy["default"]
    return tidy


def type_word(schema: dict[str, Any]) -> str:
    """A JSON Schema type in a reader's words."""
    if "anyOf" in schema:
        return " or ".join(type_word(option) for option in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_plural(type_word(schema['items']))}"
    if schema.get("type") == "integer" and "minimum" in schema:
        return f"number, {schema['minimum']} to {schema['maximum']}"
    return WORDS.get(schema.get("format", ""), str(schema["type"]))


def _plural(word: str) -> str:
    if word.endswith("y"):
        return f"{word[:-1]}ies"
    return word + ("es" if word.endswith(("s", "x")) else "s")


def default_word(field: FieldInfo) -> str:
    """As TOML would write it; "" where the absence has a meaning of its own."""
    if field.default is PydanticUndefined:
        return "required"
    value = field.default
    if value is None:
        return ""
    if isinstance(value, list):
        plain = [_plain(item) for item in value]
        # A string where a string alone is the usual way to write this list.
        single = len(plain) == 1 and isinstance((field.examples or [None])[0], str)
        return shown(plain[0] if single else plain)
    return shown(_plain(value))


def _plain(value: object) -> object:
    if isinstance(value, bool | int):
        return value
    if isinstance(value, StrEnum):
        return str(value)
    return str(value)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Print the JSON Schema of network.toml.")
    parser.add_argument("--keys", action="store_true", help="print the Markdown reference of all keys instead")
    wanted = parser.parse_args(argv)
    print(key_reference() if wanted.keys else schema_text(), end="")


if __name__ == "__main__":
    main()
