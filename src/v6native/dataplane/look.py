# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What a program would do with a packet, and what it found in the tables on the way: a dry run's result (dryrun.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Network

from v6native.config.model import PortRange, Proto
from v6native.dataplane.door import BibEntry, Reason, Session
from v6native.desired.dataplane import Limits


class Fate(StrEnum):
    """What tc is told to do with the frame."""

    STACK = "stack"
    DROP = "drop"
    REDIRECT = "redirect"


@dataclass(frozen=True, slots=True)
class NewBinding:
    """A BIB entry that would be made: its port is drawn when it happens, from `ports`, which are the client's already,
    or, where `new_block` is not 0, from a block of so many of them that becomes the client's."""

    address4: IPv4Address
    ports: PortRange
    new_block: int


@dataclass(frozen=True, slots=True)
class ClientUse:
    """What a client has now, of each protocol's ports (BIB entries) and sessions; `opened` are those of this second.

    `network` is as what it is known. `blocks` are its port blocks, of which it may have `most_blocks`.
    """

    network: IPv6Network
    ports: Mapping[Proto, int]
    sessions: int
    opened: int
    blocks: int
    most_blocks: int
    limits: Limits


@dataclass(frozen=True, slots=True)
class Look:
    """`packet` is what the program leaves, `mark` its mark, `frame_for` the last byte of the frame's destination (SLOW_*).

    `reason` None: none was counted. `answered`: the packet is our answer to its sender. `binding` and `session` are those
    that the packet found, `new_binding` and `new_session` what it would have made. `client` and `group` (of pool4 ranges)
    are None where the program did not ask for them.
    """

    fate: Fate
    reason: Reason | None
    packet: bytes
    mark: int
    frame_for: int
    answered: bool = False
    hairpin: bool = False
    client: ClientUse | None = None
    group: int | None = None
    binding: BibEntry | None = None
    session: Session | None = None
    new_binding: NewBinding | None = None
    new_session: bool = False
    answers_syn: bool = False
