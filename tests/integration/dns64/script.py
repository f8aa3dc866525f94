# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Scripts: what upstream says, what a client asks, and the exact answer; how they are written.

A script is a file in `scripts/`. It begins with its title and, under `cases`, a list of them with the section of the RFC
(6147's unless another is named); `always` holds the steps that each case begins with. Steps stand two spaces in, what
belongs to a step four:

    upstream NAME TYPE [+do] [+cd]: silence | [truncated] RCODE [ad]    what upstream says from now on; then records
    set KEY VALUE ...                   a setting (SETTINGS), to a list one more, `none` empties it; after a question it is a reload
    ask NAME TYPE [+do] [+cd] [+ad] [-rd] [+edns[=VERSION]] [tcp] [from=ADDRESS] [class=CLASS]
    asked NAME TYPE [+do] [+cd] [tcp]   upstream gets this question; of `class=CLASS` if it is not IN
    pass SECONDS                        the clock goes on, and nothing has been answered until now
    answer RCODE FLAG ...               the whole answer: these flags (`edns`, `do` are OPT's) and exactly these records

Records are `NAME TTL TYPE RDATA`; `authority` and `additional` lead over to these sections. `[1-200]` in a record stands for as many
records. Upstream's answer is without SOA unless it is written. What upstream is asked has to be told, all of it and in this order:
a question that no `asked` names makes the case fail.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

import dns.rdata
import dns.rdataclass
import dns.rdatatype

from v6native.config.modeldns import (
    AaaaFailure,
    DnsRecord,
    RecordType,
)
from v6native.dns64.settings import Pref64, View

FOLDER = Path(__file__).parent / "scripts"
SECTIONS = ("answer", "authority", "additional")
_RANGE = re.compile(r"\[(\d+)-(\d+)\]")


class ScriptError(Exception):
    """A script that cannot be read: file, line, and why."""


@dataclass(frozen=True, slots=True)
class Question:
    """`words`: the flags and options as they stand in the script."""

    name: str
    kind: str
    words: frozenset[str] = frozenset()

    def option(self, key: str, otherwise: str) -> str:
        return next((word.partition("=")[2] for word in self.words if word.startswith(f"{key}=")), otherwise)

    def __str__(self) -> str:
        return " ".join((self.name, self.kind, *sorted(self.words)))


@dataclass(slots=True)
class Step:
    """`what` is its keyword; records are `(section, text)` with the text in one spelling."""

    what: str
    line: int
    question: Question | None = None
    words: tuple[str, ...] = ()
    records: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Case:
    """`key` is file/name, by which docs/rfc-compliance calls it."""

    key: str
    section: str
    text: str
    steps: list[Step]


def _pref64(words: list[str], before: tuple[Pref64, ...]) -> tuple[Pref64, ...]:
    prefix, *ranges = words
    return (*before, Pref64(IPv6Network(prefix), tuple(map(IPv4Network, ranges))))


def _view(words: list[str], before: tuple[View, ...]) -> tuple[View, ...]:
    source, *prefixes = words
    return (*before, View((ip_network(source),), tuple(Pref64(IPv6Network(prefix)) for prefix in prefixes)))


def _record(words: list[str], before: tuple[DnsRecord, ...]) -> tuple[DnsRecord, ...]:
    name, ttl, kind, value = words
    return (*before, DnsRecord(name, RecordType(kind), value, int(ttl)))


SETTINGS: dict[str, tuple[str, Callable[[list[str], Any], Any]]] = {
    # Its name in a script: the field of Dns64Settings, and the field's value from the words and what it was before.
    "pref64": ("pref64", _pref64),
    "view": ("views", _view),
    "record": ("local", _record),
    "exclude_aaaa": ("exclude_aaaa", lambda words, _: tuple(map(IPv6Network, words))),
    "exclude_ipv4": ("exclude_ipv4", lambda words, _: tuple(map(IPv4Network, words))),
    "open_ipv4": ("open_ipv4", lambda words, _: tuple(map(IPv4Network, words))),
    "never_synthesize": ("never_synthesize", lambda words, _: tuple(words)),
    "aaaa_failure": ("aaaa_failure", lambda words, _: AaaaFailure(words[0])),
    "stale": ("timing", lambda words, before: replace(before, stale=int(words[0]))),
    # The script's upstream is one that validates, unless it says `no`.
    "trusted": ("trusted", lambda words, _: words[0] == "yes"),
}


def records(text: str, cls: str = "IN") -> Iterator[str]:
    """The record, or those that a range stands for, each in the one spelling that dnspython gives it."""
    if (found := _RANGE.search(text)) is not None:
        for number in range(int(found[1]), int(found[2]) + 1):
            yield from records(text[: found.start()] + str(number) + text[found.end() :], cls)
        return
    name, ttl, kind, rdata = text.split(maxsplit=3)
    made = dns.rdata.from_text(dns.rdataclass.from_text(cls), dns.rdatatype.from_text(kind), rdata)
    yield f"{name} {int(ttl)} {kind} {made.to_text()}"


def read(file: Path) -> list[Case]:
    """The cases of a script. ScriptError where it cannot be read, or its list on top is not that of its cases."""
    reader = _Reader(file.stem)
    for number, line in enumerate(file.read_text().splitlines(), 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        try:
            reader.take(len(line) - len(line.lstrip()), bare, number)
        except (ValueError, KeyError, IndexError, dns.exception.DNSException) as error:
            raise ScriptError(f"{file.name}:{number}: {bare}: {error}") from error
    listed, made = list(reader.listed), [name for name, _ in reader.bodies]
    if listed != made or not made:
        raise ScriptError(f"{file.name}: listed are {', '.join(listed)}; there are {', '.join(made)}")
    return [
        Case(f"{file.stem}/{name}", *reader.listed[name], [*reader.always, *steps]) for name, steps in reader.bodies
    ]


class _Reader:
    def __init__(self, stem: str) -> None:
        self.stem = stem
        self.title = ""
        self.listed: dict[str, tuple[str, str]] = {}
        self.always: list[Step] = []
        self.bodies: list[tuple[str, list[Step]]] = []
        self._steps: list[Step] | None = None
        self._section = ""

    def take(self, indent: int, line: str, number: int) -> None:
        if indent == 0:
            self._top(line)
        elif indent == 2 and self._steps is None:
            name, section, text = line.split(maxsplit=2)
            if name in self.listed:
                raise ValueError("listed twice")
            self.listed[name] = (section, text)
        elif indent == 2:
            assert self._steps is not None
            self._steps.append(_step(line, number))
            self._section = SECTIONS[0]
        elif indent == 4 and self._steps:
            self._belongs(self._steps[-1], line)
        else:
            raise ValueError("stands where nothing may stand")

    def _top(self, line: str) -> None:
        word, _, name = line.partition(" ")
        if not self.title:
            self.title = line
        elif line == "always":
            self._steps = self.always
        elif word == "case" and name:
            self._steps = []
            self.bodies.append((name, self._steps))
        elif line != "cases":
            raise ValueError("is neither cases, always nor case NAME")

    def _belongs(self, step: Step, line: str) -> None:
        if step.what not in ("upstream", "answer"):
            raise ValueError(f"{step.what} has no records")
        if line in SECTIONS[1:]:
            self._section = line
        else:
            cls = "IN" if step.question is None else step.question.option("class", "IN")
            step.records += [(self._section, text) for text in records(line, cls)]


def _step(line: str, number: int) -> Step:
    what, _, rest = line.partition(" ")
    if what == "upstream":
        question, _, says = rest.partition(": ")
        return Step(what, number, _question(question), tuple(says.split()))
    if what in ("ask", "asked"):
        return Step(what, number, _question(rest))
    words = tuple(rest.split())
    if what == "set":
        SETTINGS[words[0]]
    elif what == "pass":
        float(words[0])
    elif what != "answer":
        raise ValueError("no such step")
    return Step(what, number, None, words)


def _question(text: str) -> Question:
    name, kind, *words = text.split()
    return Question(name, kind, frozenset(words))
