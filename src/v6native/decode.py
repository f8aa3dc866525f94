# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""JSON to frozen dataclasses, strictly: by their type hints, with every mistake and its place.

Not pydantic: importing it would double the time that a worker needs to be back after a death.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")

# What a JSON string may become. int and float of JSON are taken as they are.
_FROM_TEXT = (IPv4Address, IPv6Address, IPv4Network, IPv6Network)


def read(
    kind: type[T], text: str | bytes, refusal: type[Exception], mistakes: Callable[[T], list[str]] = lambda _: []
) -> T:
    """The JSON in `text` as a `kind`; `refusal` with every mistake in it, those that `mistakes` finds too, a line each."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise refusal(f"not JSON: {error}") from error
    decoder = Decoder()
    decoded = decoder.dataclass(kind, document, "")
    problems = decoder.problems or ([] if decoded is None else mistakes(decoded))
    if problems or decoded is None:
        raise refusal("\n".join(problems))
    return decoded


class Decoder:
    """Collects `problems` ("place: what is wrong") while it decodes; a value with a problem is None."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def dataclass(self, kind: type[T], value: object, place: str) -> T | None:
        """`value`, a JSON object, as a `kind`; fields without default are required, unknown keys are mistakes."""
        if not isinstance(value, dict):
            self._refuse(place, f"an object is wanted, not {_shown(value)}")
            return None
        before = len(self.problems)
        hints = get_type_hints(kind)
        known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
        for key in value.keys() - known.keys():
            self._refuse(_join(place, key), f"unknown key; known are {', '.join(known)}")
        for name, field in known.items():
            if name not in value and field.default is MISSING:
                self._refuse(_join(place, name), "is missing")
        decoded = {name: self._value(hints[name], value[name], _join(place, name)) for name in known if name in value}
        return kind(**decoded) if len(self.problems) == before else None

    def _value(self, hint: Any, value: object, place: str) -> Any:
        if get_origin(hint) is tuple:
            if not isinstance(value, list):
                return self._refuse(place, f"a list is wanted, not {_shown(value)}")
            inner = get_args(hint)[0]
            return tuple(self._value(inner, item, f"{place}[{index}]") for index, item in enumerate(value))
        if get_origin(hint) is types.UnionType:
            return self._either(get_args(hint), value, place)
        if is_dataclass(hint):
            return self.dataclass(hint, value, place)  # type: ignore[arg-type]
        return self._scalar((hint,), value, place)

    def _either(self, kinds: tuple[Any, ...], value: object, place: str) -> Any:
        if value is None and types.NoneType in kinds:
            return None
        if isinstance(value, dict) and (kind := next((k for k in kinds if is_dataclass(k)), None)) is not None:
            return self.dataclass(kind, value, place)  # type: ignore[arg-type]
        return self._scalar(tuple(kind for kind in kinds if kind is not types.NoneType), value, place)

    def _scalar(self, kinds: tuple[Any, ...], value: object, place: str) -> Any:
        for kind in kinds:
            if kind is float and type(value) in (int, float):
                return float(value)  # type: ignore[arg-type]
            # bool is an int to Python, not here.
            if type(value) is kind:
                return value
            if isinstance(value, str) and (issubclass(kind, StrEnum) or kind in _FROM_TEXT):
                try:
                    return kind(value)
                except ValueError:
                    continue
        wanted = " or ".join(_wanted(kind) for kind in kinds)
        return self._refuse(place, f"{wanted} is wanted, not {_shown(value)}")

    def _refuse(self, place: str, text: str) -> Any:
        self.problems.append(f"{place or 'the document'}: {text}")
        return None


def _join(place: str, key: object) -> str:
    return f"{place}.{key}" if place else str(key)


def _wanted(kind: type) -> str:
    if issubclass(kind, StrEnum):
        return "one of " + ", ".join(f'"{member}"' for member in kind)
    return {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}.get(kind, kind.__name__)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
