# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Domain values as JSON: the names of dataclass fields are the names in the documents, so both are stable together."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_AS_TEXT = (
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
    ipaddress.IPv4Interface,
    ipaddress.IPv6Interface,
    Path,
)


def to_json(value: object) -> Any:
    """Dataclasses become objects, sequences lists, addresses and paths text, enums their value, times ISO 8601."""
    if value is None or isinstance(value, bool | int | float):
        # An IntEnum is told by its name: a number would be the kernel's, and may change with it.
        return value.name.lower() if isinstance(value, enum.Enum) else value
    if isinstance(value, enum.Enum):
        return to_json(value.value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, _AS_TEXT):
        return str(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec="seconds")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(to_json(key)): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_json(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no form in JSON")
