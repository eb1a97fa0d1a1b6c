"""Transfer encodings, whole and broken."""

from base64 import b64decode, b64encode

import pytest

from mailsacd.mime import transfer
from mailsacd.mime.parse import parse
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


DATA = b64encode("Grüße, und noch mehr Wörter über den Rand".encode() * 9)
LINES = b"\r\n".join(DATA[at : at + 76] for at in range(0, len(DATA), 76))
FOOTER = b"_______________\r\nlist mailing list\r\nlist\r\nmailinglist@example.org\r\nhttps://a.example/\r\n"


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        # a footer, or words above
        (b"aGVsbG8=\r\n\r\n" + FOOTER, b"hello"),
        (b"aGVsbG8=\r\n" + FOOTER, b"hello"),
        (b"aGVsbG8h\r\n\r\n" + FOOTER, b"hello!"),
        (b"aGVsbG8h\r\n" + FOOTER, b"hello!"),
        (b"aGVsbG8=\r\n\r\nlist\r\n", b"hello"),
        (b"aGVsbG8=\r\n-- \r\nAnn\r\n", b"hello"),
        (b"aGVsbG8h\r\nlist@list\r\n", b"hello!"),
        (b"aGVsbG8= the list\r\n", b"hello"),
        (b"QQ== the list\r\nand more\r\n", b"A"),
        (LINES[:76] + b"\r\n" + LINES[78:154] + b" x\r\n", b64decode(LINES[:154])),
        (b"aGVsbG8=\r\ntheverylongnameofamailinglist@example\r\n", b"hello"),
        (LINES + b"\r\n" + FOOTER, b64decode(DATA)),
        (LINES + b"\r\n\r\n" + FOOTER, b64decode(DATA)),
        (LINES + b"\r\n\r\nSent from my telephone\r\n", b64decode(DATA)),
        (b"This is a list\r\n\r\n" + LINES + b"\r\n", b64decode(DATA)),
        (b"This is a list\r\n" + LINES + b"\r\n" + FOOTER, b64decode(DATA)),
        # characters that are not of the alphabet
        (LINES.replace(b"\r\n", b"\r\n> "), b64decode(DATA)),
        (b"> " + LINES.replace(b"\r\n", b"!\r\n> "), b64decode(DATA)),
        (LINES[:30] + b"!" + LINES[30:], b64decode(DATA)),
        (LINES[:30] + b"\xff\xfe" + LINES[30:], b64decode(DATA)),
        (LINES[:30] + b"=" + LINES[30:], None),
        # padding that is wrong
        (b"aGVsbG8", b"hello"),
        (b"aGVsbG8==", b"hello"),
        (b"aGVsbG8====", b"hello"),
        (b"aGVsbG8h=", b"hello!"),
        (b"aGVs=bG8=", b"hello"),
        (b"aGVsbG8=\r\naGVsbG8=\r\n", b"hellohello"),
        (b"QQ==\r\nQQ==\r\nQQ==", b"AAA"),
        # none of it is base64
        (b"Hello, this is no base64.\r\nNo, not at all.\r\n",
         b"Hello, this is no base64.\r\nNo, not at all.\r\n"),
        ("日本語".encode(), "日本語".encode()),
        (b"?garbage\r\n", b"?garbage\r\n"),
        (b"Hello\r\nthis is text\r\n", b"Hello\r\nthis is text\r\n"),
        (b"<p>Hello, this is no base64.</p>", b"<p>Hello, this is no base64.</p>"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("newline", [b"\r\n", b"\n"])
def test_base64_with_other_things_gives_what_was_encoded(
    encoded: bytes, expected: bytes | None, newline: bytes
) -> None:
    found = transfer.base64_bytes(encoded.replace(b"\r\n", newline))
    if expected is None:  # what comes after is shifted, but there
        assert found.startswith(b64decode(DATA)[:20])
        assert len(found) > 300
    else:
        assert found == expected.replace(b"\r\n", newline)


def test_a_footer_below_base64_makes_nothing_of_the_text_foreign() -> None:
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    text = parse(head + b"Z3LDvMOfZQo=\r\n\r\n" + FOOTER).text
    assert text == "grüße\n"


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


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        (b"YWI==", b"YWI="),
        (b"=?utf-8?B?YQ==?= x", b"=?utf-8?B?YQ==?= x"),
        (b"a==b", b"a==b"),
        (b"a===\r\nb", b"a==b"),
        (b"a==\r\nb", b"a=b"),
        (b"=3D=3D", b"=="),
        (b"==3D", b"=="),
        (b"=XY=3", b"=XY=3"),
    ],
)
def test_an_equals_sign_that_begins_nothing_stands_for_itself(
    encoded: bytes, expected: bytes
) -> None:
    assert transfer.decode(encoded, "quoted-printable") == expected
    if b"\n" not in encoded and b"_" not in encoded:
        assert transfer.quoted_printable_bytes(encoded, header=True) == expected


def test_a_line_of_quoted_printable_may_be_as_long_as_the_message() -> None:
    encoded = b"a  b" * PIECE + b" \n" + b"c\n" * PIECE
    assert transfer.decode(encoded, "quoted-printable") == b"a  b" * PIECE + b"\n" + b"c\n" * PIECE
