# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""bpf/abi.h in Python: the structs of the maps and the numbers in them. A test holds both together, field by field.

What is in network byte order (`__be16`, `__be32`, `struct in6_addr`) is an array of bytes here, the rest the host's.
"""

from __future__ import annotations

import ctypes
import struct
from ctypes import c_uint8, c_uint16, c_uint32, c_uint64
from typing import Any

from v6native.config.model import Proto
from v6native.dataplane.door import TcpState

ABI_VERSION = 2

MAX_PREF64 = 4
MAX_POOL = 1024
MAX_GROUPS = 16
MAX_CLIENT_BLOCKS = 32
MAX_RANGES_OF_ADDRESS = 64
MAX_STATIC = 16384

MARK_MASK = 0xF8000000
MARK_NAT64_OUT = 0x10000000
MARK_CLAT_OUT = 0x20000000
MARK_STEER = 0x40000000
MARK_FRAG = 0x80000000
MARK_FRAG_CLAT = 0x88000000
MARK_REASSEMBLED = 0x08000000
MARK_HAIRPIN = 0x18000000

CONFIG_ADDRESS_DEPENDENT, CONFIG_RESET_ORPHANS, CONFIG_LOG = 1, 2, 4

OCTET_FIXED, DROP_UDP0, STATELESS_TOO = 0x100, 1, 2

POOL_SHARED = 1
POOL_PROTO = 2
BIB_IN_USE = 1
BIB_STATIC = 2
BIB_ENDED = 4
BIB_DEAD_REFS = 0x80000000
CLIENT_IN_USE = 1
SESSION_IN_USE = 1
SESSION_HAIRPIN = 2


# BPF hands out the indices of map bib below its size less these; the last ones are static entries', for user space only.
STATIC_SLOTS = 1024

# enum bib_proto and enum tcp_state, by position.
BIB_PROTOS = (Proto.TCP, Proto.UDP, Proto.ICMP)
TCP_STATES = (
    TcpState.CLOSED,
    TcpState.V4_INIT,
    TcpState.V6_INIT,
    TcpState.ESTABLISHED,
    TcpState.V4_FIN_RCV,
    TcpState.V6_FIN_RCV,
    TcpState.V4_FIN_V6_FIN_RCV,
    TcpState.TRANS,
)
STATE_NO_STATE = len(TCP_STATES)

# enum timer_kind.
TIMER_TCP_EST, TIMER_TCP_TRANS, TIMER_TCP_INCOMING_SYN, TIMER_UDP, TIMER_ICMP = range(5)

SYN_BYTES = 80
TRACE_BYTES = 128
LOG_ALL_PROTOS = 0xFF
SLOW_EVENT_SYN, SLOW_EVENT_PROBE = 1, 2

Be16 = c_uint8 * 2
Be32 = c_uint8 * 4
In6Addr = c_uint8 * 16


class Struct(ctypes.Structure):
    """A struct of abi.h; `NAME` is its name there."""

    NAME: str

    def __init__(self, *values: Any, **named: Any) -> None:
        super().__init__(*(_array(v) for v in values), **{k: _array(v) for k, v in named.items()})


def _array(value: Any) -> Any:
    return (c_uint8 * len(value))(*value) if isinstance(value, bytes) else value


class Pref64(Struct):
    NAME = "pref64"
    _fields_ = (("prefix", In6Addr), ("len", c_uint32))


class PoolGroup(Struct):
    NAME = "pool_group"
    _fields_ = (("first", c_uint32), ("count", c_uint32), ("mark", c_uint32), ("mark_mask", c_uint32))


class TranslationOptions(Struct):
    NAME = "translation_options"
    _fields_ = (
        *((name, c_uint32) for name in ("tos", "traffic_class", "flags")),
        ("icmp_pool", Be32),
        *((name, c_uint32) for name in ("icmp_pool_size", "mtu4", "mtu6")),
    )


class Nat64Config(Struct):
    """`timeout_ns` is in the order of enum timer_kind: TCP_EST, TCP_TRANS, TCP_INCOMING_SYN, UDP, ICMP."""

    NAME = "nat64_config"
    _fields_ = (
        ("timeout_ns", c_uint64 * 5),
        ("clock_offset_ns", c_uint64),
        ("pref64", Pref64 * MAX_PREF64),
        ("pref64_count", c_uint32),
        ("pool_count", c_uint32),
        ("icmp6_source", In6Addr),
        ("icmp4_source", Be32),
        ("lowest_ipv6_mtu", c_uint32),
        ("nat64_ifindex", c_uint32),
        ("clat_ifindex", c_uint32),
        ("slow_ifindex", c_uint32),
        ("max_sessions", c_uint32),
        ("icmp_rate", c_uint32),
        ("flags", c_uint32),
        ("group_count", c_uint32),
        ("block_shift", c_uint32),
        ("client_ports", c_uint32),
        ("client_sessions", c_uint32),
        ("client_rate", c_uint32),
        ("options", TranslationOptions),
        ("groups", PoolGroup * MAX_GROUPS),
    )
    timeout_ns: Any
    clock_offset_ns: int
    nat64_ifindex: int
    clat_ifindex: int
    slow_ifindex: int
    max_sessions: int
    pref64: Any
    pref64_count: int
    block_shift: int
    groups: Any


class PoolRange(Struct):
    NAME = "pool_range"
    _fields_ = (("address", Be32), ("first", c_uint16), ("last", c_uint16), ("flags", c_uint32))
    address: Any
    first: int
    last: int


class PoolAddress(Struct):
    NAME = "pool_address"
    _fields_ = (("flags", c_uint32), ("first", c_uint32), ("count", c_uint32))
    flags: int


class Source(Struct):
    """`client_len` 0: `client` itself is the client, else it is the source's first bits."""

    NAME = "source"
    _fields_ = (("client", In6Addr), ("client_len", c_uint32), ("group", c_uint32))
    client: Any
    client_len: int
    group: int


class SourceKey(Struct):
    NAME = "source_key"
    _fields_ = (("prefixlen", c_uint32), ("address", In6Addr))


class DestinationKey(Struct):
    NAME = "destination_key"
    _fields_ = (("prefixlen", c_uint32), ("address", Be32))


class Bib6Key(Struct):
    NAME = "bib6_key"
    _fields_ = (("address", In6Addr), ("port", Be16), ("proto", c_uint8), ("pref64", c_uint8))


class Bib4Key(Struct):
    NAME = "bib4_key"
    _fields_ = (("address", Be32), ("port", Be16), ("proto", c_uint8), ("pad", c_uint8))


class Bib(Struct):
    NAME = "bib_entry"
    _fields_ = (
        ("address6", In6Addr),
        ("address4", Be32),
        ("port6", Be16),
        ("port4", Be16),
        ("proto", c_uint8),
        ("pref64", c_uint8),
        ("flags", c_uint8),
        ("pad", c_uint8),
        ("refs", c_uint32),
        ("created_ns", c_uint64),
        ("client", c_uint32),
        ("block", c_uint32),
    )
    address6: Any
    address4: Any
    port6: Any
    port4: Any
    proto: int
    pref64: int
    flags: int
    refs: int
    created_ns: int
    client: int
    block: int

    def key6(self) -> bytes:
        """Its key in map bib6."""
        return bytes(self.address6) + bytes(self.port6) + bytes((self.proto, self.pref64))

    def key4(self) -> bytes:
        """Its key in map bib4."""
        return bytes(self.address4) + bytes(self.port4) + bytes((self.proto, 0))


class ClientKey(Struct):
    NAME = "client_key"
    _fields_ = (("address", In6Addr), ("len", c_uint32))
    address: Any
    len: int


class Client(Struct):
    """`ports` counts BIB entries by protocol; `blocks` holds indices + 1."""

    NAME = "client"
    _fields_ = (
        ("address", In6Addr),
        ("len", c_uint32),
        ("flags", c_uint32),
        ("refs", c_uint32),
        ("sessions", c_uint32),
        ("ports", c_uint32 * 3),
        ("opened", c_uint32),
        ("second", c_uint64),
        ("blocks", c_uint32 * MAX_CLIENT_BLOCKS),
    )
    address: Any
    len: int
    flags: int
    refs: int
    sessions: int
    ports: Any
    opened: int
    second: int
    blocks: Any


class BlockKey(Struct):
    NAME = "block_key"
    _fields_ = (("address", Be32), ("first", c_uint16), ("pad", c_uint16))


class PortBlock(Struct):
    NAME = "port_block"
    _fields_ = (
        ("address", Be32),
        ("first", c_uint16),
        ("last", c_uint16),
        ("owner", c_uint32),
        ("refs", c_uint32),
        ("protos", c_uint32),
        ("group", c_uint32),
        ("used", c_uint32 * 3),
        ("start", c_uint16),
        ("pad", c_uint16),
        ("taken_ns", c_uint64),
        ("idle_ns", c_uint64),
    )
    address: Any
    first: int
    last: int
    owner: int
    refs: int
    protos: int
    used: Any
    taken_ns: int
    idle_ns: int


class SynKey(Struct):
    NAME = "syn_key"
    _fields_ = (("remote4", Be32), ("address4", Be32), ("remote_port", Be16), ("port4", Be16))


class StoredSyn(Struct):
    NAME = "stored_syn"
    _fields_ = (("deadline_ns", c_uint64), ("len", c_uint32), ("packet", c_uint8 * SYN_BYTES), ("pad", c_uint32))


class RemoteKey(Struct):
    NAME = "remote_key"
    _fields_ = (("bib", c_uint32), ("remote4", Be32))


class LogEvent(Struct):
    """Ring buffer log_events. `kind` is enum log_kind; `proto` enum bib_proto, or LOG_ALL_PROTOS for a block."""

    NAME = "log_event"
    _fields_ = (
        ("time_ns", c_uint64),
        ("began_ns", c_uint64),
        ("client", In6Addr),
        ("address4", Be32),
        ("first", c_uint16),
        ("last", c_uint16),
        ("port6", c_uint16),
        ("kind", c_uint8),
        ("proto", c_uint8),
        ("client_len", c_uint8),
        ("pad", c_uint8 * 11),
    )


class SlowEvent(Struct):
    """Ring buffer slow_events. `kind` is enum slow_event_kind."""

    NAME = "slow_event"
    _fields_ = (
        ("time_ns", c_uint64),
        ("kind", c_uint32),
        ("len", c_uint32),
        ("src6", In6Addr),
        ("dst6", In6Addr),
        ("sport", Be16),
        ("dport", Be16),
        ("packet", c_uint8 * SYN_BYTES),
        ("pad", c_uint32),
    )
    time_ns: int
    kind: int
    len: int
    src6: Any
    dst6: Any
    sport: Any
    dport: Any
    packet: Any


class TraceControl(Struct):
    NAME = "trace_control"
    _fields_ = (("until_ns", c_uint64), ("rate", c_uint32), ("pad", c_uint32))


class TraceEvent(Struct):
    """Ring buffer trace_events: the first `captured` bytes of a refused packet of `length` bytes."""

    NAME = "trace_event"
    _fields_ = (
        ("time_ns", c_uint64),
        ("reason", c_uint32),
        ("ifindex", c_uint32),
        ("mark", c_uint32),
        ("length", c_uint32),
        ("captured", c_uint32),
        ("family", c_uint16),
        ("pad", c_uint16),
        ("packet", c_uint8 * TRACE_BYTES),
    )
    time_ns: int
    reason: int
    ifindex: int
    mark: int
    length: int
    captured: int
    family: int
    packet: Any


# struct session_key, which a carried-over table makes by the hundred thousand.
_SESSION_KEY = struct.Struct("=I4s2s2x")


class SessionKey(Struct):
    NAME = "session_key"
    _fields_ = (("bib", c_uint32), ("remote4", Be32), ("remote_port", Be16), ("pad", c_uint16))


class Session(Struct):
    NAME = "session"
    _fields_ = (
        ("deadline_ns", c_uint64),
        ("created_ns", c_uint64),
        ("bytes_6to4", c_uint64),
        ("bytes_4to6", c_uint64),
        ("bib", c_uint32),
        ("remote4", Be32),
        ("remote_port", Be16),
        ("proto", c_uint8),
        ("state", c_uint8),
        ("flags", c_uint32),
        ("fast_seen", c_uint16 * 2),
        ("pad", c_uint32),
    )
    deadline_ns: int
    created_ns: int
    bytes_6to4: int
    bytes_4to6: int
    bib: int
    remote4: Any
    remote_port: Any
    proto: int
    state: int
    flags: int

    def key(self) -> bytes:
        """Its key in map session_index."""
        return _SESSION_KEY.pack(self.bib, bytes(self.remote4), bytes(self.remote_port))


class Nat64State(Struct):
    NAME = "nat64_state"
    _fields_ = (
        ("sessions_used_to", c_uint32),
        ("bib_used_to", c_uint32),
        ("sweep_position", c_uint32),
        ("sweep_rounds", c_uint32),
        ("session_count", c_uint32),
        ("bib_count", c_uint32),
        ("clients_used_to", c_uint32),
        ("blocks_used_to", c_uint32),
        ("client_position", c_uint32),
        ("client_count", c_uint32),
        ("block_count", c_uint32),
        ("pad", c_uint32),
    )
    sessions_used_to: int
    bib_used_to: int
    session_count: int
    bib_count: int
    clients_used_to: int
    blocks_used_to: int
    client_count: int
    block_count: int


class SiitConfig(Struct):
    NAME = "siit_config"
    _fields_ = (
        ("pref64", Pref64),
        ("icmp6_source", In6Addr),
        ("icmp4_source", Be32),
        ("lowest_ipv6_mtu", c_uint32),
        ("slow_ifindex", c_uint32),
        ("icmp_rate", c_uint32),
        ("options", TranslationOptions),
        ("clat_ifindex", c_uint32),
    )


class Eam(Struct):
    NAME = "eam"
    _fields_ = (("address6", In6Addr), ("address4", Be32), ("len4", c_uint8), ("len6", c_uint8), ("pad", c_uint16))


class ReasonText(Struct):
    """verdict.h: one element of the section .rodata.reasons."""

    NAME = "reason_text"
    _fields_ = (("name", ctypes.c_char * 24), ("kind", ctypes.c_char * 12), ("text", ctypes.c_char * 92))
    name: bytes
    kind: bytes
    text: bytes


STRUCTS: tuple[type[Struct], ...] = (
    Pref64, TranslationOptions, PoolGroup, Nat64Config, PoolRange, PoolAddress, Source, SourceKey, DestinationKey, Bib6Key, Bib4Key, Bib,
    ClientKey, Client, BlockKey, PortBlock, SynKey, StoredSyn, RemoteKey, LogEvent, SlowEvent, TraceControl, TraceEvent,
    SessionKey, Session, Nat64State, SiitConfig, Eam, ReasonText,
)  # fmt: skip
