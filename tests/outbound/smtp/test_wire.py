"""What a message becomes on its way: one message, as it was, for whoever reads it."""

from email import message_from_bytes
from email.message import Message

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailsacd.outbound.smtp.reencode import CannotEncodeError, reencode
from mailsacd.outbound.smtp.wire import (
    MAX_LINE_OCTETS,
    canonical,
    prepared,
    stuffed,
    with_crlf,
)
from mailsacd.smtp.framing import TextReader, has_bare_newlines

HOSTILE = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"..", b"a", b"\0", b"\xff", b"\xc3\xa4", b" ",
                     b"--b", b"--b--", b"Content-Type: multipart/mixed; boundary=b",
                     b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: binary",
                     b"Content-Type: text/plain; charset=utf-8", b"x: ", b"y" * 600])
).map(b"".join)  # fmt: skip
PIECES = st.lists(st.integers(1, 9), max_size=30)

SMUGGLING = [
    b"\n.\r\n", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r", b"\n.\n", b"\r.\r", b"\r\n\0.\r\n",
    b".\r\n", b"\r\n.\r\n", b"\n\n.\r\n\r\n", b"\r\r\n.\r\r\n",
]  # fmt: skip
"""What some server or other takes for the end of a message."""


def read(wire: bytes, pieces: list[int]) -> bytes:
    """What a server takes from ``wire``, in pieces of any size, to its very end."""
    reader, at = TextReader(10_000_000), 0
    for size in [*pieces, len(wire)]:
        piece, at = wire[at : at + size], at + size
        rest = reader.receive(piece)
        if rest is not None:
            assert rest == b""
            assert at >= len(wire)
            return reader.content
    raise AssertionError("the end was not found")


@given(HOSTILE | st.binary(), PIECES)
def test_a_server_reads_exactly_what_was_sent(content: bytes, pieces: list[int]) -> None:
    text = with_crlf(content)
    assert not has_bare_newlines(text)
    assert text.endswith(b"\r\n")
    assert read(stuffed(text), pieces) == text


@given(HOSTILE | st.binary(), st.booleans())
def test_whatever_it_is_it_has_the_form_that_is_promised(content: bytes, eight_bit: bool) -> None:
    text = prepared(content, eight_bit=eight_bit)
    assert not has_bare_newlines(text)
    assert b"\0" not in text
    assert eight_bit or text.isascii()
    assert max(map(len, text.split(b"\r\n"))) <= MAX_LINE_OCTETS
    assert read(stuffed(text), []) == text


@given(HOSTILE)
@example(b"Content-Type: text/plain; charset=utf-8\0\r\n\xff\r\n")
def test_what_is_canonical_stays_as_it_is(content: bytes) -> None:
    text = canonical(content)
    assert canonical(text) == text
    assert prepared(text, eight_bit=True) == text
    if text.isascii():
        assert prepared(text, eight_bit=False) == text


@pytest.mark.parametrize("end", SMUGGLING)
def test_no_end_within_the_message(end: bytes) -> None:
    inner = b"MAIL FROM:<x@y>\r\nRCPT TO:<a@b>\r\nDATA\r\nSubject: smuggled\r\n\r\n"
    wire = stuffed(with_crlf(b"Subject: x\r\n\r\nbody" + end + inner))
    assert wire.count(b"\r\n.\r\n") == 1
    assert wire.endswith(b"\r\n.\r\n")
    assert not has_bare_newlines(wire)


def test_the_usual_message_is_not_touched() -> None:
    content = b"Subject: x\r\nX:  two \t blanks\r\n folded\r\n\r\n.dot\r\n\r\n\r\n"
    assert canonical(content) == prepared(content, eight_bit=False) == content
    umlaut = "Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nä\r\n".encode()
    assert prepared(umlaut, eight_bit=True) == umlaut


def parts(content: bytes) -> list[Message]:
    return list(message_from_bytes(content).walk())


MIXED = (
    b"Subject: x\r\nX-Kept:  as  it\r\n\tis \r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    b"A text of some length, with one \xc3\xa4 in it\r\n"
    b"--b\r\nContent-Type: application/x-thing\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    b"one\ntwo\rthree\0\xff\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nnothing wrong = here\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\n\xff\r\n"
    b"--b\r\nContent-Type: text/html\r\n\r\n" + b"<p>" * 1000 + b"\r\n--b--\r\n"
)  # fmt: skip


@pytest.mark.parametrize("eight_bit", [True, False])
def test_part_by_part_it_says_what_it_said(eight_bit: bool) -> None:
    before, after = parts(MIXED), parts(prepared(MIXED, eight_bit=eight_bit))
    assert [p.get_content_type() for p in before] == [p.get_content_type() for p in after]
    read_before = [p.get_payload(decode=True) for p in before if not p.is_multipart()]
    read_after = [p.get_payload(decode=True) for p in after if not p.is_multipart()]
    assert read_after == read_before
    encodings = [str(p.get("content-transfer-encoding", "-")) for p in after]
    if eight_bit:
        assert encodings == ["8bit", "8bit", "base64", "-", "-", "-", "quoted-printable"]
    else:
        assert encodings[:4] == ["7bit", "quoted-printable", "base64", "-"]
        assert b"X-Kept:  as  it\r\n\tis \r\n" in prepared(MIXED, eight_bit=False)


@pytest.mark.parametrize(("body", "charset"), [("ä".encode(), "utf-8"), (b"\xe4", "unknown-8bit")])
def test_a_text_without_mime_gets_it(body: bytes, charset: str) -> None:
    (message,) = parts(prepared(b"Subject: x\r\n\r\n" + body + b"\r\n", eight_bit=False))
    assert message["MIME-Version"].strip() == "1.0"
    assert message.get_content_charset() == charset
    assert message.get_payload(decode=True) == body + b"\r\n"


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "x-uuencode", "BASE64 "])
def test_what_is_encoded_already_and_wrong(encoding: str) -> None:
    body = "aGVsbG8=" if "64" in encoding.lower() else "h=65llo"
    content = f"Content-Transfer-Encoding: {encoding}\r\n\r\n{body}{' ' * 2000}ä\r\n".encode()
    text = prepared(content, eight_bit=False)
    assert text.isascii()
    assert max(map(len, text.split(b"\r\n"))) <= MAX_LINE_OCTETS


def test_a_header_is_encoded_only_where_nothing_else_helps() -> None:
    content = "Subject: é ü x ö\r\nFrom: Jörg Mü <a@b>, Ä <c@d>\r\n\r\nx\r\n".encode()
    assert canonical(content) == prepared(content, eight_bit=True) == content
    text = prepared(content, eight_bit=False)
    assert text == (
        b"Subject: =?utf-8?b?w6kgw7w=?= x =?utf-8?b?w7Y=?=\r\n"
        b"From: =?utf-8?b?SsO2cmcgTcO8?= <a@b>, =?utf-8?b?w4Q=?= <c@d>\r\n\r\nx\r\n"
    )


def test_long_lines_that_no_encoding_reaches_are_folded() -> None:
    words = b"X-Long: " + b"word " * 400
    text = prepared(words + b"\r\nX-Longer: " + b"y" * 2_000 + b"\r\n\r\nx\r\n", eight_bit=True)
    message = message_from_bytes(text)
    assert "".join(message["X-Long"].split("\r\n")) == "word " * 400
    assert message["X-Longer"].replace("\r\n ", "") == "y" * 2_000
    umlauts = prepared(b"X-Long: " + "ä".encode() * 2_000 + b"\r\n\r\n", eight_bit=True)
    assert "".join(umlauts.decode().split()) == "X-Long:" + "ä" * 2_000


def test_a_long_word_of_a_header_takes_no_long_time() -> None:
    field = b"X: " + b"x" * 1_000_000 + b" \xff\r\n\r\n\r\n"
    assert prepared(field, eight_bit=False).isascii()


def test_parts_within_parts_without_end() -> None:
    """What the library cannot take apart is sent as it is, or not at all."""
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (i, i) for i in range(1200)
    )
    content = deep + b"\r\n\xff\r\n"
    assert canonical(content) == content
    with pytest.raises(Exception, match="cannot be converted"):
        reencode(content, eight_bit=False, encode_headers=True)


def test_what_would_take_too_long_is_not_converted() -> None:
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (i, i) for i in range(90)
    )
    content = deep + b"x\r\n\xff\r\n" * 200_000
    with pytest.raises(CannotEncodeError, match="parts within parts"):
        prepared(content, eight_bit=False)
    assert canonical(content) == content
