# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""abi.py says what bpf/abi.h says: structs field by field against the built objects' BTF, numbers against the header."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

import pytest

from v6native.dataplane import abi, fast
from v6native.dataplane.bpf_object import BpfObject
from v6native.dataplane.btf import Btf, Field
from v6native.dataplane.loader import OBJECTS
from v6native.dataplane.work import Would

BPF = Path(__file__).parents[3] / "bpf"
STRUCTS = (*abi.STRUCTS, *fast.STRUCTS)
OBJECT_NAMES = ("nat64.bpf.o", "siit.bpf.o")
MAPS = {
    "nat64.bpf.o": {
        "nat64_config": abi.Nat64Config,
        "pool4": abi.PoolRange,
        "pool4_address": abi.PoolAddress,
        "bib": abi.Bib,
        "sessions": abi.Session,
        "nat64_state": abi.Nat64State,
        "fast_pairs": fast.FastPair,
        "fast_lease": fast.FastLease,
    },
    "siit.bpf.o": {"siit_config": abi.SiitConfig, "eam4": abi.Eam, "eam6": abi.Eam},
}


def btf(name: str) -> Btf:
    with BpfObject(OBJECTS / name) as item:
        return item.btf()


def ours(struct: type[abi.Struct]) -> tuple[Field, ...]:
    places = [(name, getattr(struct, name)) for name, *_ in struct._fields_]
    return tuple(Field(name, place.offset, place.size) for name, place in places)


@pytest.mark.parametrize("struct", (*STRUCTS, Would), ids=lambda s: s.NAME)
def test_structs_are_the_objects(struct: type[abi.Struct]) -> None:
    found = [types for name in OBJECT_NAMES if (types := btf(name)).has_struct(struct.NAME)]
    assert found, f"no object knows struct {struct.NAME}: the test would compare nothing"
    for types in found:
        assert types.struct(struct.NAME) == ours(struct)


def test_every_struct_of_the_header_that_user_space_reads_is_mirrored() -> None:
    in_header = set(re.findall(r"^struct (\w+) \{", (BPF / "abi.h").read_text(), re.MULTILINE))
    # Only the programs read and write these.
    assert in_header - {s.NAME for s in STRUCTS} == {"fragment", "fragment_key"}


@pytest.mark.parametrize("name", OBJECT_NAMES)
def test_values_have_the_size_of_their_map(name: str) -> None:
    with BpfObject(OBJECTS / name) as item:
        assert {m: item.value_size(m) for m in MAPS[name]} == {m: ctypes.sizeof(s) for m, s in MAPS[name].items()}


def defined() -> dict[str, int]:
    text = (BPF / "abi.h").read_text()
    numbers = {n: int(v, 0) for n, v in re.findall(r"^#define (\w+) (0x[0-9a-fA-F]+|\d+)U?\b", text, re.MULTILINE)}
    return numbers | {n: int(v) for n, v in re.findall(r"^\t([A-Z][A-Z0-9_]*) = (\d+),", text, re.MULTILINE)}


def test_numbers_are_the_headers() -> None:
    header = defined()
    mine = {n: v for n, v in (vars(fast) | vars(abi)).items() if n.isupper() and n[0] != "_" and isinstance(v, int)}
    shared = mine.keys() & header.keys()
    assert {n: mine[n] for n in shared} == {n: header[n] for n in shared}
    assert mine.keys() - shared == {"STATIC_SLOTS"}, "a number that no header defines"
    assert {"FAST_NAMES", "ABI_VERSION", "MARK_MASK", "BIB_STATIC", "TIMER_ICMP", "STATE_NO_STATE"} <= shared


def test_enumerations_are_the_headers() -> None:
    header = defined()
    assert {f"BIB_{p.name}": i for i, p in enumerate(abi.BIB_PROTOS)} == {
        n: header[n] for n in ("BIB_TCP", "BIB_UDP", "BIB_ICMP")
    }
    for index, state in enumerate(abi.TCP_STATES):
        assert header[f"STATE_{state.name}"] == index


def test_the_reasons_fit_into_their_struct() -> None:
    texts = re.findall(r'REASON\((\w+), (\w+),[\s\\]*"([^"]*)"\)', (BPF / "reasons.h").read_text())
    assert len(texts) > 30
    for name, kind, text in texts:
        room = [abi.ReasonText.name.size, abi.ReasonText.kind.size, abi.ReasonText.text.size]  # type: ignore[attr-defined]
        assert all(len(s) < size for s, size in zip((name, kind, text), room, strict=True)), f"{name} is cut off"


def test_keys_have_the_layout_of_their_structs() -> None:
    entry = abi.Bib(bytes(range(16)), bytes((1, 2, 3, 4)), b"\5\6", b"\7\x08", 1, 3)
    assert entry.key6() == bytes(abi.Bib6Key(entry.address6, entry.port6, 1, 3))
    assert entry.key4() == bytes(abi.Bib4Key(entry.address4, entry.port4, 1, 0))
    session = abi.Session(bib=70000, remote4=bytes((1, 2, 3, 4)), remote_port=b"\5\6")
    assert session.key() == bytes(abi.SessionKey(70000, session.remote4, session.remote_port, 0))


def test_fields_of_structs_within_structs() -> None:
    """What a dry run reads by name (work.py), down to a field of a field."""
    types = btf("nat64.bpf.o")
    would, ports = types.place("work", "would"), types.place("work", "would", "ports")
    assert (would.size, ports.offset - would.offset, ports.size) == (ctypes.sizeof(Would), ctypes.sizeof(abi.Bib), 4)
    assert (
        types.place("work", "q", "dst4").offset
        == types.place("work", "q").offset + types.place("packet", "dst4").offset
    )
    for path in (("none",), ("now", "none"), ("would", "entry", "none")):
        with pytest.raises(KeyError, match="work"):
            types.place("work", *path)
