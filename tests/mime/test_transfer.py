"""Transfer encodings, whole and broken."""

import pytest

from mailsacd.mime import transfer
from mailsacd.mime.pieces import PIECE


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        (b"aGVsbG8=", b"hello"),
        (b"aGVs\r\nbG8=\r\n", b"hello"),
        (b"aGVsbG8", b"hello"),
        (b"aGVsbG8=aGVsbG8=", b"hellohello"),
        (b"a!G#V s-b_G8=", b"hello"),
        (b"aGVsb", b"hel"),
        (b"=", b""),
        (b"", b""),
        (b"\xff\xfe", b""),
    ],
)
def test_broken_base64_gives_what_it_holds(encoded: bytes, expected: bytes) -> None:
    assert transfer.base64_bytes(encoded) == expected


@pytest.mark.parametrize("repeated", [1, PIECE])
@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        (b"one \t\r\n", b"one\r\n"),
        (b"one \t\n", b"one\n"),
        (b"a=20 \n", b"a \n"),
        (b"a= \r\n", b"a"),
        (b"no end", b"no end"),
    ],
)
def test_white_space_at_the_ends_of_quoted_printable_lines_is_no_content(
    encoded: bytes, expected: bytes, repeated: int
) -> None:
    assert transfer.decode(encoded * repeated, "quoted-printable") == expected * repeated


def test_a_line_of_quoted_printable_may_be_as_long_as_the_message() -> None:
    encoded = b"a  b" * PIECE + b" \n" + b"c\n" * PIECE
    assert transfer.decode(encoded, "quoted-printable") == b"a  b" * PIECE + b"\n" + b"c\n" * PIECE
