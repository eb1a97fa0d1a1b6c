"""Multi-line answers, as strict and as lenient programs read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsacd.core.maildrop import is_plain, on_the_wire
from mailsacd.pop3.framing import retrieved, stuffed, top

_BYTES = st.text(alphabet="\r\n.a ", max_size=60).map(str.encode)


def strictly(wire: bytes) -> tuple[bytes, bytes]:
    """What a program for which only CRLF ends a line reads, and what is left."""
    read, lines = b"", wire.split(b"\r\n")
    for at, line in enumerate(lines):
        if line == b".":
            return read, b"\r\n".join(lines[at + 1 :])
        read += line.removeprefix(b".") + b"\r\n"
    raise AssertionError("no end")


def leniently(wire: bytes) -> tuple[bytes, bytes]:
    """The same for one to which any LF ends a line."""
    read, at = b"", 0
    while True:
        end = wire.index(b"\n", at) + 1
        line, at = wire[at:end], end
        if line.rstrip(b"\r\n") == b"." and line.startswith(b"."):
            return read, wire[at:]
        read += line.removeprefix(b".")


@given(_BYTES)
def test_every_program_reads_the_same_message(raw: bytes) -> None:
    for plain in {False, is_plain(raw)}:
        first, _, wire = retrieved(raw, plain=plain).partition(b"\r\n")
        expected = on_the_wire(raw)
        assert first == b"+OK %d octets" % len(expected)
        assert strictly(wire) == (expected, b"")
        assert leniently(wire) == (expected, b"")


@given(_BYTES, st.integers(0, 5))
def test_top_is_a_beginning_of_the_message(raw: bytes, count: int) -> None:
    wire = top(raw, count).removeprefix(b"+OK\r\n")
    read, rest = strictly(wire)
    assert (read, rest) == leniently(wire)
    assert not rest
    assert on_the_wire(raw).startswith(read) or on_the_wire(raw).startswith(read[:-2] + b"\n")


_MAIL = b"A: b\r\nC: d\r\n\r\n1\r\n.2\r\n3\r\n"


@pytest.mark.parametrize(
    ("raw", "count", "expected"),
    [
        (_MAIL, 0, b"A: b\r\nC: d\r\n\r\n.\r\n"),
        (_MAIL, 1, b"A: b\r\nC: d\r\n\r\n1\r\n.\r\n"),
        (_MAIL, 2, b"A: b\r\nC: d\r\n\r\n1\r\n..2\r\n.\r\n"),
        (_MAIL, 3, b"A: b\r\nC: d\r\n\r\n1\r\n..2\r\n3\r\n.\r\n"),
        (_MAIL, 999_999_999, b"A: b\r\nC: d\r\n\r\n1\r\n..2\r\n3\r\n.\r\n"),
        (b"A: b\r\n", 3, b"A: b\r\n.\r\n"),
        (b"A: b\r\n\r\n", 3, b"A: b\r\n\r\n.\r\n"),
        (b"A: b\n\n1\n2\n", 1, b"A: b\n\n1\r\n.\r\n"),
    ],
)
def test_top_has_the_header_and_so_many_lines(raw: bytes, count: int, expected: bytes) -> None:
    assert top(raw, count) == b"+OK\r\n" + expected


def test_the_first_line_is_stuffed_too() -> None:
    assert stuffed(b".\r\n") == b"..\r\n.\r\n"
    assert stuffed(b"") == b".\r\n"


@pytest.mark.parametrize("count", [0, 1, 999, 1_000, 1_001, 2_500, 4_999, 5_000, 5_001])
def test_top_counts_many_lines_as_well(count: int) -> None:
    wire = top(b"A: b\r\n\r\n" + b"x\r\n" * 5_000, count)
    assert wire == b"+OK\r\nA: b\r\n\r\n" + b"x\r\n" * min(count, 5_000) + b".\r\n"
