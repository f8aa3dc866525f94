# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Who had what when: what is asked, out of the words of a command line or a query.

A time is as exact as it is written: 18:04 is that whole minute, 18:04:30 that second, a day all of it. An abuse report that
says 18:04 means any moment of it, and if two clients had the port in that minute, both are named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from ipaddress import AddressValueError, IPv4Address

from v6native.log.schema import ALL, PROTOS

_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?([.,]\d{1,6})?\s*(Z|UTC|[+-]\d{2}:?\d{2})?)?", re.IGNORECASE
)
_EXAMPLE = "2026-11-20T18:04, 2026-11-20T18:04:30+01:00 or 2026-11-20"
KEYS = ("address", "port", "proto", "at", "from", "to")


class BadQuestion(ValueError):
    """What cannot be asked; the message says what may be."""


@dataclass(frozen=True, slots=True)
class Question:
    """`start` and `end` are the span, both included; `proto` is tcp, udp or icmp, None: any."""

    address: IPv4Address
    port: int
    start: datetime
    end: datetime
    proto: str | None = None


def transport(text: str) -> tuple[IPv4Address, int]:
    """ "192.0.2.1:40123"."""
    head, colon, port = text.strip().rpartition(":")
    if "[" in text or text.count(":") > 1:
        raise BadQuestion(f"{text} is IPv6; what others saw is IPv4: an address and port like 192.0.2.1:40123")
    if not colon:
        raise BadQuestion(f"{text} has no port; many share an address, so write one like {text.strip()}:40123")
    return _address(head), _port(port)


def zone(name: str | None) -> tzinfo | None:
    """A time zone by its name, or UTC; None: the machine's own."""
    if name is None:
        return None
    if name.upper() in ("UTC", "Z"):
        return UTC
    # Loaded when it is needed: most questions name no zone.
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadQuestion(f"{name} is no time zone that this machine knows; write one like Europe/Berlin") from error


def span(text: str, local: tzinfo | None) -> tuple[datetime, datetime]:
    """The first and the last moment that `text` may mean, in UTC; a time without zone is `local` (None: the machine's).

    An hour that a clock goes through twice is meant both times.
    """
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        raise BadQuestion(f"{text} is no time; write one like {_EXAMPLE}")
    day, minute, second, fraction, offset = found.groups()
    if fraction and not second:
        raise BadQuestion(f"{text} is no time; write one like {_EXAMPLE}")
    try:
        digits = (fraction or "")[1:].ljust(6, "0")
        written = datetime.fromisoformat(f"{day}T{minute or '00:00'}{second or ':00'}.{digits}")
        moments = _moments(written, _offset(offset) if offset else local, fixed=offset is not None)
    except (ValueError, OverflowError) as error:
        raise BadQuestion(f"{text} is no time: {error}") from error
    length = timedelta(0) if fraction else timedelta(seconds=1) if second else timedelta(minutes=1)
    if not minute:
        ends = _moments(written + timedelta(days=1), local, fixed=False)
        return min(moments), max(ends) - timedelta(milliseconds=1)
    # The next second is no longer meant.
    return min(moments), max(moments) + max(length - timedelta(milliseconds=1), timedelta(0))


def parse(query: Mapping[str, str], now: datetime) -> Question:
    """The question of a query string: address, port, and `at`, or `from` and `to`; times without zone are UTC."""
    for key in query:
        if key not in KEYS:
            raise BadQuestion(f"there is no {key!r} here; known are {', '.join(KEYS)}")
    if "address" not in query or "port" not in query:
        raise BadQuestion("address and port are wanted, like address=192.0.2.1&port=40123")
    if "at" in query and ("from" in query or "to" in query):
        raise BadQuestion("either `at`, or `from` and `to`")
    at = query.get("at")
    start, end = span(at, UTC) if at is not None else (now, now)
    if "from" in query:
        start = span(query["from"], UTC)[0]
    if "to" in query:
        end = span(query["to"], UTC)[1]
    return question((_address(query["address"]), _port(query["port"])), (start, end), query.get("proto"), now)


def question(
    where: tuple[IPv4Address, int], when: tuple[datetime, datetime], proto: str | None, now: datetime
) -> Question:
    if proto is not None and proto not in PROTOS[:ALL]:
        raise BadQuestion(f"proto={proto}: {', '.join(PROTOS[:ALL])} is wanted")
    if when[0] > when[1]:
        raise BadQuestion("the span ends before it begins")
    if when[0] > now:
        raise BadQuestion(f"{when[0]:%Y-%m-%d %H:%M:%S} UTC is yet to come; is the time zone right?")
    return Question(*where, *when, proto)


def _moments(written: datetime, local: tzinfo | None, *, fixed: bool) -> list[datetime]:
    """What a clock that shows this may mean: one moment, or two where it was set back."""
    found = [written.replace(tzinfo=local, fold=fold).astimezone(UTC) for fold in (0, 1)]
    if not fixed and found[0] != found[1]:
        back = [moment.astimezone(local).replace(tzinfo=None) for moment in found]
        if all(shown != written for shown in back):
            raise ValueError("clocks were set forward over it, so that no clock showed it")
    return found


def _offset(text: str) -> tzinfo:
    if text.upper() in ("Z", "UTC"):
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))


def _address(text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except AddressValueError as error:
        raise BadQuestion(f"{text} is no IPv4 address: {error}") from error


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > 65535:
        raise BadQuestion(f"{text} is no port: a number from 0 to 65535 is wanted")
    return int(text)
