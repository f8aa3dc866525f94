# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Raw document → NetworkFile, one value at a time, and every mistake in an operator's words.

pydantic stops at nothing inside one pass, but gives no model where anything is wrong. To go on to the rules in the same
run, what is wrong is mended where the intention is plain, left out where not, and what is left is validated again.
"""

from __future__ import annotations

import base64
import copy
import hashlib
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from v6native.config.file import NetworkFile
from v6native.config.filetypes import Table
from v6native.config.positions import KeyPath
from v6native.config.problem import ConfigProblem
from v6native.config.source import RawTable, Source
from v6native.config.values import kind, shown

_GONE = object()
_MOST_ROUNDS = 8  # the tables are nested less deep than this


def check(source: Source) -> tuple[NetworkFile | None, list[ConfigProblem]]:
    """The file without what is wrong in it, and what that was; changes `source.kept` only."""
    raw = copy.deepcopy(source.raw)
    problems: list[ConfigProblem] = []
    for round_ in range(_MOST_ROUNDS):
        try:
            return NetworkFile.model_validate(raw), problems
        except ValidationError as error:
            errors = error.errors(include_url=False)
            if round_ == 0:
                problems += [_explain(source, e) for e in errors]
            for e in errors:
                _mend(raw, e)
                source.kept.pop(e["loc"], None)  # a list that is replaced whole
            _sweep(raw, (), source.kept)
    return None, problems


def _mend(raw: RawTable, error: ErrorDetails) -> None:
    """Repairs the value at the error, or marks it, or what misses it, as gone."""
    path = error["loc"]
    repaired = error.get("ctx", {}).get("repaired")
    if (placeholder := _placeholder(path)) is not None:
        _put(raw, path, placeholder)
    elif repaired is not None:
        _put(raw, path, repaired)
    elif error["type"] == "missing":
        _put(raw, path[:-1], _GONE)
    else:
        _put(raw, path, _GONE)


def _placeholder(path: KeyPath) -> object:
    """What the rules may go on with although it is missing or wrong: nothing of theirs depends on it, or ::/0 fits all."""
    match path:
        case ("network",):
            return {"name": "unnamed", "prefix": ["::/0"]}
        case ("network", "name"):
            return "unnamed"
        case ("network", "prefix"):
            return ["::/0"]
        case ("node", name, "uplink"):
            return "unknown"
        case ("client", name, "public_key"):
            return base64.b64encode(hashlib.sha256(str(name).encode()).digest()).decode()
    return None


def _put(raw: RawTable, path: KeyPath, value: object) -> None:
    """Sets what has this path; a string that stands for a list of one is replaced whole."""
    holder: Any = raw
    for at, key in enumerate(path):
        inner = holder.get(key) if isinstance(holder, dict) else holder[key]
        if at == len(path) - 1 or not isinstance(inner, dict | list):
            holder[key] = value
            return
        holder = inner


def _sweep(value: object, path: KeyPath, kept: dict[KeyPath, list[int]]) -> None:
    """Removes what is marked as gone, and notes the original indices of what stays in a list."""
    if isinstance(value, dict):
        for key in [k for k, v in value.items() if v is _GONE]:
            del value[key]
        for key, inner in value.items():
            _sweep(inner, (*path, key), kept)
    elif isinstance(value, list):
        indices = kept.get(path, list(range(len(value))))
        alive = [(i, v) for i, v in zip(indices, value, strict=True) if v is not _GONE]
        if len(alive) < len(value):
            kept[path] = [i for i, _ in alive]
            value[:] = [v for _, v in alive]
        for index, inner in alive:
            _sweep(inner, (*path, index), kept)


def _explain(source: Source, error: ErrorDetails) -> ConfigProblem:
    path = error["loc"]
    context = error.get("ctx", {})
    if "remedy" in context:
        return source.problem(error["type"], path, context["what"], context["remedy"])
    match error["type"]:
        case "extra_forbidden":
            return _unknown(source, path)
        case "missing":
            return _missing(source, path)
        case "greater_than_equal" | "less_than_equal":
            return _bound(source, path, error["input"], context)
        case "too_short":
            return source.problem("empty", path, "the list is empty", "write at least one value, or remove the key")
        case _:
            return _type(source, path, error["input"], error["type"])


def _bound(source: Source, path: KeyPath, value: object, context: dict[str, object]) -> ConfigProblem:
    if "ge" in context:
        return source.problem("range", path, f"{value} is too small", f"write at least {context['ge']}")
    return source.problem("range", path, f"{value} is too large", f"write at most {context['le']}")


def _missing(source: Source, path: KeyPath) -> ConfigProblem:
    key = str(path[-1])
    table = table_at(path[:-1])
    if len(path) == 1:
        return source.problem("missing", path, f"the table [{key}] is missing", f"write a table [{key}]")
    example = table.model_fields[key].examples if table and key in table.model_fields else None
    return source.problem(
        "missing", path, f"{key} is missing here", f"write {key} = {shown(example[0]) if example else '…'}"
    )


def _unknown(source: Source, path: KeyPath) -> ConfigProblem:
    key = str(path[-1])
    table = table_at(path[:-1])
    siblings = list(table.model_fields) if table else []
    close = get_close_matches(key.lower().replace("-", "_"), siblings, 1, 0.6)
    elsewhere = [place for place in known_keys() if place.rpartition(".")[2] == key]
    if close:
        remedy = f"did you mean {close[0]}?"
    elif elsewhere:
        remedy = f"did you mean {' or '.join(elsewhere)}?"
    else:
        remedy = f"remove it; the keys here are {', '.join(siblings)}"
    return source.problem("unknown-key", path, f"there is no key {key} here", remedy)


def _type(source: Source, path: KeyPath, value: object, wanted: str) -> ConfigProblem:
    """A value of the wrong TOML type."""
    key = str(next((k for k in reversed(path) if isinstance(k, str)), ""))
    header = source.positions.dotted(path)
    given = f"{shown(value)} is {kind(value)}"
    match wanted:
        case "list_type" if isinstance(value, dict):
            return source.problem("type", path, f"{given}, a list is wanted", f"write [[{header}]], in double brackets")
        case "list_type":
            remedy = f"write {key} = {_example(path, value)}"
            return source.problem("type", path, f"{given}, a list is wanted", remedy)
        case "bool_type":
            return source.problem("type", path, f"{given}, a boolean is wanted", "write true or false, without quotes")
        case "int_type":
            number = isinstance(value, str) and value.isdecimal()
            remedy = f"write {key} = {value}, without quotes" if number else "write a whole number"
            return source.problem("type", path, f"{given}, a whole number is wanted", remedy)
        case _:
            return source.problem("type", path, f"{given}, a table is wanted", f"write {_header(path)}")


def _example(path: KeyPath, value: object) -> str:
    """The given string as a list; else the documentation's example."""
    table = table_at(path[:-1])
    field = table.model_fields.get(str(path[-1])) if table else None
    if isinstance(value, str) or field is None or not field.examples:
        return shown([value])
    return shown(next((e for e in field.examples if isinstance(e, list)), field.examples[0]))


def _header(path: KeyPath) -> str:
    """How the table that belongs here begins."""
    field = NetworkFile.model_fields.get(str(path[0]))
    if field is not None and get_origin(field.annotation) is dict:
        return f"[{path[0]}.NAME] above it, with a name of your choice"
    return f"[{'.'.join(str(key) for key in path if isinstance(key, str))}] and its keys below"


def table_at(path: KeyPath) -> type[Table] | None:
    """The model of the table that has this path."""
    table: type[Table] | None = NetworkFile
    named = False  # whether the next key is a name of the operator's choice
    for key in path:
        if isinstance(key, int):
            continue
        if named:
            named = False
            continue
        if table is None or key not in table.model_fields:
            return None
        annotation = table.model_fields[key].annotation
        named = get_origin(annotation) is dict
        table = table_in(annotation)
    return None if named else table


def table_in(annotation: object) -> type[Table] | None:
    """The table model inside list[…], dict[str, …] or … | None."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation if issubclass(annotation, Table) else None
    return next((found for arg in get_args(annotation) if (found := table_in(arg))), None)


def known_keys(table: type[Table] = NetworkFile, prefix: str = "") -> Iterable[str]:
    """Every key of the file, dotted, with NAME for names."""
    for key, field in table.model_fields.items():
        inner = table_in(field.annotation)
        if inner is None:
            yield prefix + key
        else:
            yield from known_keys(inner, f"{prefix}{key}." + ("NAME." if get_origin(field.annotation) is dict else ""))
