"""What is counted of a message in a load test: when it was sent, its Message-ID, its size."""

import msgspec
import pytest

from mailsacd.core.load_test import LATE_SECONDS, Figures

NOW_MS = 1_795_960_000_000


def added(content: bytes, figures: Figures | None = None, now_ms: int = NOW_MS) -> bytes | None:
    return (figures or Figures()).add(content, "X-Sent", now_ms, 1)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"Message-ID: <a@b>\r\n\r\n", b"<a@b>"),
        (b"Subject: x\r\nMESSAGE-id:<a@b>\r\n\r\nbody", b"<a@b>"),
        (b"Message-ID:\r\n <a@b>\r\n\r\n", b"<a@b>"),
        (b"Subject: x\nMessage-Id: <a@b>\n\nbody", b"<a@b>"),
        (b"Subject: x\r\n\r\nMessage-ID: <a@b>\r\n", None),
        (b"X-Message-ID: <a@b>\r\n\r\n", None),
        (b"Message-ID: \r\n\r\n", None),
        (b"", None),
    ],
)
def test_the_message_id_is_found_in_the_header_alone(content: bytes, name: bytes | None) -> None:
    assert added(content) == name


@pytest.mark.parametrize(
    ("content", "latency_ms", "by"),
    [
        (b"X-Sent: %d\r\n\r\n" % (NOW_MS - 250), 250, "header"),
        (b"Date: Mon, 1 Jan 2001 00:00:00 +0000\r\nx-sent: %d\r\n\r\n" % NOW_MS, 0, "header"),
        (b"X-Sent: %d\r\n\r\n" % (NOW_MS + 99), 0, "ahead"),
        (b"X-Sent: yesterday\r\nDate: Sun, 29 Nov 2026 13:46:38 +0000\r\n\r\n", 2_000, "date"),
        (b"Date: Sun, 29 Nov 2026 14:46:38 +0100\r\n\r\n", 2_000, "date"),
        (b"X-Sent: %s\r\n\r\n" % (b"9" * 30), None, ""),
        (b"X-Sent: -5\r\n\r\n", None, ""),
        (b"Date: soon\r\n\r\n", None, ""),
        (b"\r\nX-Sent: 5\r\n", None, ""),
    ],
)
def test_the_latency_is_from_the_header_else_from_date(
    content: bytes, latency_ms: int | None, by: str
) -> None:
    figures = Figures()
    added(content, figures)
    assert figures.latency.largest == latency_ms
    assert figures.by_header == (by in {"header", "ahead"})
    assert figures.by_date == (by == "date")
    assert figures.ahead == (by == "ahead")


def test_processes_add_up_and_are_written_and_read() -> None:
    one, other, both = Figures(), Figures(), Figures()
    for number in range(100):
        content = b"X-Sent: %d\r\n\r\n%s" % (NOW_MS - number, b"x" * number)
        now_ms = NOW_MS + number * 500
        added(content, one if number % 3 else other, now_ms)
        added(content, both, now_ms)
    decoded = msgspec.json.decode(msgspec.json.encode(one), type=Figures)
    decoded.merge(other)
    decoded.seconds = {s: n for s, n in decoded.seconds.items() if s in both.seconds}
    assert decoded == both
    assert sum(both.slots.values()) == both.messages == 100


def test_memory_is_bounded_by_time_alone_whatever_the_clock_does() -> None:
    figures = Figures()
    for number in range(1_000):
        added(b"", figures, NOW_MS + number * 1_000)
    for number in range(1_000):
        added(b"", figures, NOW_MS - number * 1_000)
    assert len(figures.seconds) <= 2 * LATE_SECONDS
