"""What a stored message is on the wire: whole lines, no dot that two programs take differently."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsacd.core.maildrop import is_plain, octets_on_the_wire, on_the_wire


@pytest.mark.parametrize(
    ("raw", "wire"),
    [
        (b"A: b\r\n\r\nc\r\n", b"A: b\r\n\r\nc\r\n"),
        (b"A: b\r\n\r\nc", b"A: b\r\n\r\nc\r\n"),
        (b"A: b\r\n\r\nc\n", b"A: b\r\n\r\nc\r\n"),
        (b"A: b\r\n\r\nc\r", b"A: b\r\n\r\nc\r\n"),
        (b"a\nb\r\n", b"a\nb\r\n"),
        (b"a\n.\r\n", b"a\r\n.\r\n"),
        (b"a\n.\n..\n.b\r\n", b"a\r\n.\r\n..\r\n.b\r\n"),
        (b"a\r\n.\r\n", b"a\r\n.\r\n"),
        (b"a\r.\r\n", b"a\r.\r\n"),
        (b"\n.\n", b"\r\n.\r\n"),
        (b"", b"\r\n"),
    ],
)
def test_lines_are_made_whole(raw: bytes, wire: bytes) -> None:
    assert on_the_wire(raw) == wire
    assert octets_on_the_wire(raw) == len(wire)


@pytest.mark.parametrize("raw", [b"a\r\n.\r\n", b"a\n.b\r\n", b".a\r\n", b"a", b"a\n", b""])
def test_what_is_changed_on_its_way_is_not_plain(raw: bytes) -> None:
    assert not is_plain(raw)


@given(st.text(alphabet="\r\n.a ", max_size=40))
def test_the_size_told_is_the_size_sent(text: str) -> None:
    raw = text.encode()
    wire = on_the_wire(raw)
    assert octets_on_the_wire(raw) == len(wire)
    assert wire.endswith(b"\r\n")
    assert wire.count(b"\n.") == wire.count(b"\r\n.")
    assert wire.replace(b"\r", b"").rstrip(b"\n") == raw.replace(b"\r", b"").rstrip(b"\n")
    assert not is_plain(raw) or wire == raw
