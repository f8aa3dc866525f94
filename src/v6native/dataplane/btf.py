# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""BTF, the kernel's description of C types (Documentation/bpf/btf.rst): the layout of structs, by field name.

With it the maps of another ABI are read by their own description, and abi.py is held against the objects.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_HEADER = struct.Struct("<HBBIIIII")
_TYPE = struct.Struct("<III")
_MEMBER = struct.Struct("<III")
_MAGIC = 0xEB9F
_INT, _PTR, _ARRAY, _STRUCT, _UNION, _ENUM, _FWD, _TYPEDEF, _VOLATILE, _CONST, _RESTRICT = range(1, 12)
_FUNC, _FUNC_PROTO, _VAR, _DATASEC, _FLOAT, _DECL_TAG, _TYPE_TAG, _ENUM64 = range(12, 20)
# What follows a type of that kind: (bytes once, bytes for each of its vlen elements).
_TAIL = {
    _INT: (4, 0), _ARRAY: (12, 0), _STRUCT: (0, 12), _UNION: (0, 12), _ENUM: (0, 8), _FUNC_PROTO: (0, 8),
    _VAR: (4, 0), _DATASEC: (0, 12), _DECL_TAG: (4, 0), _ENUM64: (0, 12),
}  # fmt: skip
_ALIASES = (_TYPEDEF, _VOLATILE, _CONST, _RESTRICT, _TYPE_TAG)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a struct: where it lies, in bytes."""

    name: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class _Type:
    name: str
    kind: int
    vlen: int
    size_or_type: int
    tail: bytes


class Btf:
    """The types of one object or of one map."""

    def __init__(self, raw: bytes) -> None:
        magic, _version, _flags, header, type_at, type_len, text_at, text_len = _HEADER.unpack_from(raw)
        if magic != _MAGIC:
            raise ValueError(f"not BTF of this machine's byte order: magic {magic:#x}")
        self._strings = raw[header + text_at : header + text_at + text_len]
        data = raw[header + type_at : header + type_at + type_len]
        # Type 0 is void.
        self._types = [_Type("void", 0, 0, 0, b"")]
        at = 0
        while at < len(data):
            name_at, info, size_or_type = _TYPE.unpack_from(data, at)
            kind, vlen = info >> 24 & 0x1F, info & 0xFFFF
            once, each = _TAIL.get(kind, (0, 0))
            tail = data[at + 12 : at + 12 + once + each * vlen]
            self._types.append(_Type(self._text(name_at), kind, vlen, size_or_type, tail))
            at += 12 + once + each * vlen

    def struct(self, name: str) -> tuple[Field, ...]:
        """The fields of `struct name`; KeyError if it is not here."""
        return self.fields(self._struct(name))

    def place(self, struct: str, *path: str) -> Field:
        """Where a field lies in `struct`, or one in a struct within it: place("work", "would", "ports")."""
        number, offset = self._struct(struct), 0
        for name in path:
            found = self._types[self._resolve(number)]
            members = (self._member(found, index) for index in range(found.vlen if found.kind == _STRUCT else 0))
            number, at = next(((type_of, at) for known, type_of, at in members if known == name), (0, 0))
            if number == 0:
                raise KeyError(f"{struct}.{'.'.join(path)}")
            offset += at
        return Field(".".join(path), offset, self.size(number))

    def variables(self, section: str) -> tuple[Field, ...]:
        """The variables of a data section (".rodata"); none where the object has no such section."""
        for found in self._types:
            if found.kind == _DATASEC and found.name == section:
                each = _MEMBER.iter_unpack(found.tail)
                return tuple(Field(self._types[variable].name, offset, size) for variable, offset, size in each)
        return ()

    def _struct(self, name: str) -> int:
        for number, kind in enumerate(self._types):
            if kind.kind == _STRUCT and kind.name == name:
                return number
        raise KeyError(name)

    def has_struct(self, name: str) -> bool:
        return any(kind.kind == _STRUCT and kind.name == name for kind in self._types)

    def fields(self, number: int) -> tuple[Field, ...]:
        """The fields of the struct with that type number, aliases followed; a scalar has none."""
        found = self._types[self._resolve(number)]
        if found.kind != _STRUCT:
            return ()
        fields = []
        for member in range(found.vlen):
            name_of, type_of, offset = self._member(found, member)
            fields.append(Field(name_of, offset, self.size(type_of)))
        return tuple(fields)

    def size(self, number: int) -> int:
        """Bytes of a type."""
        found = self._types[self._resolve(number)]
        if found.kind == _PTR:
            return 8
        if found.kind == _ARRAY:
            element, _index, count = _MEMBER.unpack(found.tail)
            return int(count) * self.size(element)
        return found.size_or_type

    def _resolve(self, number: int) -> int:
        while self._types[number].kind in _ALIASES:
            number = self._types[number].size_or_type
        return number

    def _member(self, found: _Type, index: int) -> tuple[str, int, int]:
        name_at, type_of, bits = _MEMBER.unpack_from(found.tail, index * _MEMBER.size)
        return self._text(name_at), type_of, (bits & 0xFFFFFF) // 8

    def _text(self, at: int) -> str:
        return self._strings[at : self._strings.index(b"\0", at)].decode()
