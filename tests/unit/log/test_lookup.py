# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Who had a port when, out of what was written, against a list that is simply searched through."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.log.events import POOL, SECOND, SIZE, binding, block
from v6native.config.model import Proto
from v6native.dataplane.log_events import ALL_PROTOS, LogEvent, LogKind
from v6native.errors import LogError
from v6native.log.lookup import Answer, Holder, look_up
from v6native.log.question import Question
from v6native.log.schema import Ended
from v6native.log.settings import LogSettings, NamedClient, StaticHolding
from v6native.log.store import Store

DAY = 86400
# CLOCK_MONOTONIC 0, on the wall.
BOOT = datetime(2026, 11, 20, 12, tzinfo=UTC)
OFFSET = int(BOOT.timestamp()) * SECOND
SETTINGS = LogSettings("edge1", 180 * DAY)
BACK, GONE = LogKind.BLOCK_GIVEN_BACK, LogKind.BIB_DELETED


def ms(seconds: float) -> int:
    return OFFSET // 1_000_000 + int(seconds * 1000)


@dataclass
class Log:
    """A store, and questions to it; seconds are the boot's."""

    store: Store
    position: int = 0

    def write(self, *events: LogEvent) -> None:
        self.position += len(events)
        self.store.write(events, OFFSET, "ring", self.position, ms(0))

    def ask(self, port: int, at: float, *, until: float | None = None, proto: str | None = None) -> Answer:
        start = BOOT + timedelta(seconds=at)
        end = start if until is None else BOOT + timedelta(seconds=until)
        return look_up(self.store.path, Question(POOL, port, start, end, proto), BOOT + timedelta(days=30))

    def holders(self, port: int, at: float, **more: float | str | None) -> list[str]:
        return [str(h.client) for h in self.ask(port, at, **more).holders]  # type: ignore[arg-type]

    def holder(self, port: int, at: float) -> Holder:
        (found,) = self.ask(port, at).holders
        return found


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    store = Store(tmp_path / "who-had.db")
    store.begin("boot", ms(0))
    store.configure(SETTINGS, ms(0))
    yield Log(store)
    store.close()


def seconds(moment: datetime | None) -> float | None:
    return None if moment is None else (moment - BOOT).total_seconds()


def test_a_block_that_is_held(log: Log) -> None:
    log.write(block(0, began=10))
    held = log.holder(1024, 11)
    assert (str(held.client), held.proto, held.first_port, held.last_port) == ("2001:db8:64:1::/64", "all", 1024, 1087)
    assert (seconds(held.start), held.end, held.ended, held.static, held.client_port) == (10, None, None, False, None)
    assert log.holders(1087, 10) == log.holders(1060, 1e6) == ["2001:db8:64:1::/64"]
    assert log.holders(1088, 11) == log.holders(1023, 11) == log.holders(1024, 9.9) == []


def test_a_block_goes_from_hand_to_hand(log: Log) -> None:
    first, second = "2001:db8:64:1::/64", "2001:db8:64:a::2/128"
    log.write(
        block(3, client=first, began=10),
        block(3, client=first, began=10, at=20, kind=BACK),
        block(3, client=second, began=30),
        block(3, client=second, began=30, at=40, kind=BACK),
    )
    port = 1024 + 3 * SIZE
    assert [log.holders(port, at) for at in (9, 10, 15, 20, 25, 30, 35, 40, 41)] == [
        [], [first], [first], [first], [], [second], [second], [second], [],
    ]  # fmt: skip
    assert log.holders(port, 15, until=35) == [first, second]
    assert log.holders(port, 21, until=29) == []
    held = log.holder(port, 15)
    assert (seconds(held.start), seconds(held.end), held.ended) == (10, 20, "given_back")


def test_a_binding_beside_a_block_and_protocols_apart(log: Log) -> None:
    """Blocks were turned on while bindings were open, say."""
    tcp, udp, around = "2001:db8:64:1::5/128", "2001:db8:64:1::6/128", "2001:db8:64:1::/64"
    log.write(binding(1030, 4000), binding(1030, 5000, proto=1, client="2001:db8:64:1::6"), block(0))
    assert log.holders(1030, 2) == [tcp, udp, around]
    assert log.holders(1030, 2, proto="tcp") == [tcp, around]
    assert log.holders(1030, 2, proto="icmp") == [around]
    assert log.ask(1030, 2, proto="udp").holders[0].client_port == 5000


def test_who_had_it_for_days(log: Log) -> None:
    """The end is written weeks after the moment that is asked for."""
    log.write(
        block(0, client="2001:db8:64:1::/64", began=10, at=11, kind=BACK),
        block(0, client="2001:db8:64:2::/64", began=2 * DAY, at=20 * DAY, kind=BACK),
        block(0, client="2001:db8:64:3::/64", began=21 * DAY),
    )
    assert log.holders(1024, 3 * DAY) == log.holders(1024, 19.9 * DAY) == ["2001:db8:64:2::/64"]
    assert log.holders(1024, DAY) == log.holders(1024, 20.5 * DAY) == []
    assert log.holders(1024, 22 * DAY) == ["2001:db8:64:3::/64"]


def test_an_end_that_nobody_told(log: Log) -> None:
    log.write(block(0, client="2001:db8:64:1::/64", began=10), block(0, client="2001:db8:64:2::/64", began=50))
    held = log.holder(1024, 20)
    assert (str(held.client), seconds(held.end), held.ended) == ("2001:db8:64:1::/64", 50, "superseded")
    assert log.holders(1024, 60) == ["2001:db8:64:2::/64"]


def test_a_beginning_that_nobody_told(log: Log) -> None:
    log.write(block(0, began=10, at=20, kind=BACK))
    held = log.holder(1024, 15)
    assert (seconds(held.start), seconds(held.end), held.ended) == (10, 20, "given_back")


def test_neither_the_end_nor_the_next_beginning_was_told(log: Log) -> None:
    one, two = "2001:db8:64:1::/64", "2001:db8:64:2::/64"
    log.write(block(0, client=one, began=10), block(0, client=two, began=30, at=40, kind=BACK))
    assert [log.holders(1024, at) for at in (20, 35, 41)] == [[one], [two], []]


def test_a_reboot_ends_what_was_open(log: Log) -> None:
    log.write(block(0, began=10))
    log.store.seen(ms(500))
    assert log.store.begin("boot", ms(600)) == 0
    assert log.store.begin("another", ms(900)) == 1
    held = log.holder(1024, 20)
    assert (seconds(held.end), held.ended) == (600, "reboot")
    assert log.holders(1024, 700) == []


def test_down_ends_what_is_open(log: Log) -> None:
    log.write(block(0, began=10), block(1, began=10))
    assert log.store.end_all(ms(77), Ended.DOWN) == 2
    held = log.holder(1024, 20)
    assert (seconds(held.end), held.ended) == (77, "down")


def test_the_position_is_of_one_ring(log: Log) -> None:
    log.write(block(0), block(1))
    assert (log.store.position("ring"), log.store.position("another")) == (2, None)
    log.store.begin("another boot", ms(1))
    assert log.store.position("ring") is None


def test_all_or_nothing(log: Log) -> None:
    broken = block(1)._replace(client_len=300)
    with pytest.raises(ValueError):
        log.write(block(0), broken)
    assert log.holders(1024, 2) == []
    # A size of window that was new in what was undone is new still.
    log.write(block(0))
    assert log.holders(1024, 2) == ["2001:db8:64:1::/64"]


def test_a_clock_that_was_set(log: Log) -> None:
    log.write(block(0, began=10))
    log.store.shift(3_600_000)
    assert seconds(log.holder(1024, 3700).start) == 3610
    log.write(block(0, began=10, at=4000, kind=BACK))
    assert seconds(log.holder(1024, 3700).start) == 3610


def test_names_of_the_time(log: Log) -> None:
    """The device is called what it was called then, whatever the file says now."""
    address = IPv6Address("2001:db8:64:a::2")
    client = f"{address}/128"

    def names(*named: tuple[str, float]) -> None:
        for name, at in named:
            clients = (NamedClient(address, name, "friends"),) if name else ()
            log.store.configure(LogSettings("edge1", 180 * DAY, clients=clients), ms(at))

    names(("laptop", 5), ("", 100), ("phone", 200))
    log.write(
        block(0, client=client, began=10, at=20, kind=BACK),
        block(1, client=client, began=110, at=120, kind=BACK),
        block(2, client=client, began=210),
        block(3, client="2001:db8:64:1::/64", began=10),
    )

    def called(number: int, at: float) -> list[str]:
        return [name.name for name in log.holder(1024 + number * SIZE, at).names]

    # Who counts as a whole prefix is not called what one address in it is.
    log.write(block(4, client="2001:db8:64:a::/64", began=210))
    assert called(4, 215) == []
    assert (called(0, 15), called(1, 115), called(2, 215), called(3, 15)) == (["laptop"], [], ["phone"], [])


def test_static_entries(log: Log) -> None:
    web = StaticHolding(Proto.TCP, POOL, 80, IPv6Address("2001:db8:64:1::80"), 8080)

    def fix(at: float, *static: StaticHolding) -> None:
        log.store.configure(LogSettings("edge1", 180 * DAY, static=static), ms(at))

    fix(10, web)
    fix(20, web)
    held = log.holder(80, 15)
    assert (str(held.client), held.client_port, held.static, held.proto) == ("2001:db8:64:1::80/128", 8080, True, "tcp")
    assert seconds(held.start) == 10
    assert log.store.live() == {}
    fix(30)
    held = log.holder(80, 15)
    assert (seconds(held.end), held.ended, held.static) == (30, "given_back", True)
    assert log.holders(80, 31) == []


def test_no_event_takes_the_place_of_a_static_entry(log: Log) -> None:
    web = StaticHolding(Proto.TCP, POOL, 80, IPv6Address("2001:db8:64:1::80"), 8080)
    log.store.configure(LogSettings("edge1", 180 * DAY, static=(web,)), ms(0))
    log.write(binding(80, began=10), binding(80, began=10, at=20, kind=GONE))
    assert log.holders(80, 5) == log.holders(80, 30) == ["2001:db8:64:1::80/128"]
    assert log.holders(80, 15) == ["2001:db8:64:1::80/128"]


def test_what_is_older_than_the_retention_is_not_told(log: Log) -> None:
    log.write(block(0, began=10, at=20, kind=BACK), block(1, began=10))
    log.store.configure(LogSettings("edge1", 3600), ms(0))
    assert log.holders(1024, 15) == []
    assert log.holders(1024 + SIZE, 15) == ["2001:db8:64:1::/64"]
    since = log.ask(1024, 15).since
    assert since == BOOT + timedelta(days=30, hours=-1)


def test_gaps_are_told(log: Log) -> None:
    log.store.lose(ms(100), ms(105), 7)
    log.store.lose(ms(105), ms(110), 7)
    log.store.lose(ms(110), ms(115), 9)
    assert [log.ask(1024, at).lost for at in (50, 102, 107, 112)] == [0, 7, 0, 2]
    assert log.ask(1024, 50, until=200).lost == 9
    assert log.ask(1024, 50).seen == BOOT


def test_a_time_without_a_log(log: Log) -> None:
    """Who held a port when it was switched off is not said to have held it longer."""
    log.write(block(0, began=10))
    log.store.switch_off(ms(100))
    assert (log.holder(1024, 50).ended, seconds(log.holder(1024, 50).end)) == ("switched_off", 100)
    assert (log.ask(1024, 50).off, log.ask(1024, 100).off, log.ask(1024, 500).off) == (False, True, True)
    log.store.begin("boot", ms(300))
    log.store.lose(ms(300), ms(310), 2)
    asked = {at: log.ask(1024, at) for at in (50, 200, 305, 500)}
    assert [answer.off for answer in asked.values()] == [False, True, False, False]
    assert [answer.lost for answer in asked.values()] == [0, 0, 2, 0]
    assert asked[200].holders == ()


def test_no_log_at_all(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="nothing was ever logged"):
        look_up(tmp_path / "who-had.db", Question(POOL, 1, BOOT, BOOT), BOOT)


def test_a_log_of_another_version(tmp_path: Path, log: Log) -> None:
    log.store.database.execute("PRAGMA user_version = 99")
    with pytest.raises(LogError, match="another version"):
        log.ask(1, 1)
    with pytest.raises(LogError, match="another version"):
        Store(log.store.path)


def test_no_log_but_a_file(tmp_path: Path) -> None:
    path = tmp_path / "who-had.db"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(LogError, match="cannot be read"):
        look_up(path, Question(POOL, 1, BOOT, BOOT), BOOT)


def test_only_its_owner_reads_it(log: Log) -> None:
    log.write(block(0))
    for suffix in ("", "-wal", "-shm"):
        assert log.store.path.with_name(f"who-had.db{suffix}").stat().st_mode & 0o777 == 0o600


def test_a_search_not_a_walk(log: Log) -> None:
    """Each question is answered out of the key."""
    log.write(block(0, began=10, at=20, kind=BACK))
    for query, values in (
        ("SELECT * FROM past WHERE day = 1 AND address4 = 1 AND shape = 1 AND slot = 1 AND end_ms >= 1", ()),
        ("SELECT * FROM live WHERE address4 = 1 AND shape = 1 AND slot = 1", ()),
        ("SELECT name FROM names WHERE address = x'00'", ()),
    ):
        plan = log.store.database.execute(f"EXPLAIN QUERY PLAN {query}", values).fetchall()
        assert all("SEARCH" in row[3] for row in plan), plan


RANGES = st.tuples(st.integers(0, 40), st.integers(0, 12)).map(lambda r: (r[0], r[0] + r[1]))


@st.composite
def histories(draw: st.DrawFn) -> list[LogEvent]:
    """Ranges of any size that are taken and given back in order; two at a time overlap in no port of a protocol."""
    told: list[LogEvent] = []
    held: list[LogEvent] = []
    now = 1
    for _ in range(draw(st.integers(1, 30))):
        now += draw(st.integers(1, 40_000))
        if held and draw(st.booleans()):
            gone = held.pop(draw(st.integers(0, len(held) - 1)))
            event = gone._replace(time_ns=now * SECOND, kind=gone.kind + 1)
        else:
            first, last = draw(RANGES)
            proto = draw(st.sampled_from((0, 1, 2, ALL_PROTOS)))
            if proto != ALL_PROTOS:
                last = first
            if any(_meet(other, first, last, proto) for other in held):
                continue
            kind = LogKind.BLOCK_TAKEN if proto == ALL_PROTOS else LogKind.BIB_CREATED
            length = draw(st.sampled_from((56, 64, 128)))
            client = IPv6Network((draw(st.integers(1, 3)) << 72, length))
            event = LogEvent(
                now * SECOND, now * SECOND, client.network_address.packed, POOL.packed, first, last, 7, kind, proto, length
            )  # fmt: skip
            held.append(event)
        told.append(event)
    return told


def _meet(other: LogEvent, first: int, last: int, proto: int) -> bool:
    same = proto == other.proto or ALL_PROTOS in (proto, other.proto)
    return same and other.first <= last and first <= other.last


def naive(told: list[LogEvent], port: int, start: int, end: int) -> set[tuple[str, int, int | None]]:
    """Everything, looked through."""
    spans: dict[tuple[object, ...], int | None] = {}
    for event in told:
        key = (event.began_ns, event.client, event.client_len, event.first, event.last, event.proto)
        spans[key] = None if event.begins else event.time_ns // SECOND
    return {
        (str(IPv6Network((client, length))), began // SECOND, ended)  # type: ignore[arg-type, operator]
        for (began, client, length, first, last, _proto), ended in spans.items()
        if first <= port <= last and began // SECOND <= end and (ended is None or ended >= start)  # type: ignore[operator]
    }


@given(histories(), st.data())
def test_the_same_as_a_list_that_is_looked_through(told: list[LogEvent], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = Log(Store(Path(folder) / "who-had.db"))
        log.store.begin("boot", ms(0))
        cut = data.draw(st.integers(0, len(told)))
        log.write(*told[:cut])
        log.write(*told[cut:])
        latest = told[-1].time_ns // SECOND if told else 1
        for _ in range(20):
            port = data.draw(st.integers(0, 53))
            start = data.draw(st.integers(0, latest + 10))
            end = start + data.draw(st.sampled_from((0, 0, 60, 100_000)))
            answer = log.ask(port, start, until=end)
            found = {(str(h.client), int((h.start - BOOT).total_seconds()), _whole(h.end)) for h in answer.holders}
            assert found == naive(told, port, start, end)
        log.store.close()


def _whole(moment: datetime | None) -> int | None:
    return None if moment is None else int((moment - BOOT).total_seconds())


def test_another_address_is_another_matter(log: Log) -> None:
    log.write(block(0, address=IPv4Address("192.0.2.200")))
    assert log.holders(1024, 2) == []
    question = Question(IPv4Address("192.0.2.200"), 1024, BOOT + timedelta(seconds=2), BOOT + timedelta(seconds=2))
    assert len(look_up(log.store.path, question, BOOT).holders) == 1


def test_a_reader_beside_the_writer(log: Log) -> None:
    """Nobody waits for the other."""
    log.write(block(0))
    with sqlite3.connect(f"file:{log.store.path}?mode=ro", uri=True) as other:
        other.execute("BEGIN")
        assert other.execute("SELECT count(*) FROM live").fetchone() == (1,)
        log.write(block(1))
        assert other.execute("SELECT count(*) FROM live").fetchone() == (1,)
    other.close()
    assert log.holders(1024 + SIZE, 2) == ["2001:db8:64:1::/64"]
