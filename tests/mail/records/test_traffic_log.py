"""Which lines the log has: all that is refused or slow, and of the rest a bounded number."""

import pytest

from mailsacd.mail.records.traffic_log import (
    MAX_REFUSED_PER_S,
    MAX_VALUE_CHARACTERS,
    TrafficLog,
    printable,
)
from mailsacd.settings import LogSettings
from tests.log_events import events_of


class Clock:
    """Tells the time that a test sets."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_quiet_server_tells_of_everything_and_a_busy_one_of_some() -> None:
    clock = Clock()
    log = TrafficLog(LogSettings(lines_per_s=3), clock)
    assert [log.wants(refused=False) for _ in range(5)] == [True, True, True, False, False]
    clock.now_s += 1.0
    assert [log.wants(refused=False) for _ in range(4)] == [True, True, True, False]
    clock.now_s -= 3_600.0  # a clock that is set back stops nothing
    assert log.wants(refused=False)


@pytest.mark.parametrize("lines_per_s", [0, 1])
def test_what_is_refused_or_slow_has_a_line_whatever_else_has_none(lines_per_s: int) -> None:
    clock = Clock()
    log = TrafficLog(LogSettings(lines_per_s=lines_per_s, slow_s=0.5), clock)
    log.wants(refused=False)
    for _ in range(MAX_REFUSED_PER_S // 2):
        assert not log.wants(refused=False, took_s=0.4)
        assert log.wants(refused=True)
        assert log.wants(refused=False, took_s=0.5)
    assert not log.wants(refused=True)  # a flood fills no disk
    clock.now_s += 1.0
    assert log.wants(refused=True)


def test_what_is_quiet_takes_nobodys_place() -> None:
    log = TrafficLog(LogSettings(lines_per_s=1), Clock())
    assert [log.wants(refused=False, quiet=True) for _ in range(3)] == [False] * 3
    assert log.wants(refused=True, quiet=True)
    assert log.wants(refused=False)


def test_a_line_tells_how_many_had_none() -> None:
    log = TrafficLog(LogSettings(lines_per_s=1), Clock())
    with events_of("mailsacd.mail.records.traffic_log") as events:
        for refused in (False, False, False, True, True):
            if log.wants(refused=refused):
                log.line("{what} came", what="mail")
    assert [(each["what"], each["unlogged"]) for each in events] == [
        ("mail", 0), ("mail", 2), ("mail", 0),
    ]  # fmt: skip


def test_without_settings_nothing_is_written() -> None:
    assert not TrafficLog().wants(refused=True)


def test_what_others_chose_cannot_change_how_a_log_is_shown() -> None:
    assert printable("a\x1b[31mb\nc\x9b\u202ed") == "a?[31mb?c??d"
    assert printable("jürgen@example.com") == "jürgen@example.com"
    assert len(printable("x" * 10_000)) == MAX_VALUE_CHARACTERS
