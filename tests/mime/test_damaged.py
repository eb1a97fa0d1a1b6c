"""Header sections with something before, within or after them that is no field, as mail has it."""

import pytest

from mailsacd.mime.parse import parse
from mailsacd.mime.trace import header_section

HEADER = b"From: Ann <ann@a.example>\r\nTo: ben@b.example\r\nSubject: a note\r\n"
SEEN = ("a note", "ann@a.example", "hello\n")

BEFORE = {
    "nothing": b"",
    "a mark in UTF-8": b"\xef\xbb\xbf",
    "a mark that was encoded twice": "\xef\xbb\xbf".encode(),
    "a mark in UTF-16, little end first": b"\xff\xfe",
    "a mark in UTF-16, big end first": b"\xfe\xff",
    "a blank": b" ",
    "blanks and a NUL": b" \t\0",
    "a no-break space": b"\xa0",
    "a space of no width": "\u200b\u2060".encode(),
    "what could not be decoded": "\ufffd\ufffd".encode(),
    "a mailbox's line": b"From ann@a.example Tue Mar  5 10:20:30 2024\r\n",
    "a quoted mailbox's line": b">From ann@a.example Tue Mar  5 10:20:30 2024\r\n",
    "a mark and a mailbox's line": b"\xef\xbb\xbfFrom ann Tue Mar  5 10:20:30 2024\r\n",
    "empty lines": b"\r\n\r\n",
    "blank lines": b"  \r\n\t\r\n",
    "blank lines and empty ones": b"  \r\n\r\n \r\n\r\n",
    "a mailbox's line and an empty one": b"From ann Tue Mar  5 10:20:30 2024\r\n\r\n",
    "a mark and an empty line": b"\xef\xbb\xbf\r\n",
    "a reply of SMTP": b"250 ok\r\n",
    "a status line": b"HTTP/1.1 200 OK\r\n",
    "words": b"this is no field\r\n",
    "a folded line": b" this is no field\r\n",
    "bytes": b"\x80\x81\x82\r\n",
    "a delimiter": b"--boundary\r\n",
    "several lines": b"one line\r\n250 ok\r\n>From ann\r\n--\r\n",
    "a line, and a field that nobody knows": b"250 ok\r\nWhatever: x\r\n",
    "a mailbox's line and another one": b"From ann Tue Mar  5 10:20:30 2024\r\n250 ok\r\n",
}


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("newline", [b"\r\n", b"\n", b"\r\r\n", b"\r", b"\n\r"])
def test_what_stands_before_a_header_is_passed_over(before: str, newline: bytes) -> None:
    content = (BEFORE[before] + HEADER + b"\r\nhello\r\n").replace(b"\r\n", newline)
    parsed = parse(content)
    assert (parsed.subject, parsed.sender[0].address, parsed.text) == SEEN
    assert parsed.to is not None
    assert parsed.to[0].address == "ben@b.example"


def test_a_bare_return_before_a_header_is_no_empty_line() -> None:
    parsed = parse(b"\rm: Ann\r\n" + HEADER + b"\r\nhello\r\n")
    assert (parsed.subject, parsed.sender[0].address, parsed.text) == SEEN


@pytest.mark.parametrize("within", [b"250 ok\r\n", b"--boundary\r\n", b"\x80\r\nno field\r\n"])
def test_what_stands_within_a_header_is_passed_over(within: bytes) -> None:
    for place in (HEADER.index(b"To:"), HEADER.index(b"Subject:")):
        parsed = parse(HEADER[:place] + within + HEADER[place:] + b"\r\nhello\r\n")
        assert (parsed.subject, parsed.sender[0].address, parsed.text) == SEEN


def test_lines_before_and_within_a_header_are_passed_over() -> None:
    place = HEADER.index(b"To:")
    parsed = parse(
        b"250 ok\r\n" + HEADER[:place] + b"250 ok\r\n" + HEADER[place:] + b"\r\nhello\r\n"
    )
    assert (parsed.subject, parsed.sender[0].address, parsed.text) == SEEN


def test_a_blank_before_the_colon_makes_no_mailbox_line() -> None:
    parsed = parse(HEADER.replace(b":", b" :") + b"\r\nhello\r\n")
    assert (parsed.subject, parsed.sender[0].address, parsed.text) == SEEN


@pytest.mark.parametrize(
    "text",
    [
        b"hello\r\n",
        b"hello,\r\n\r\nmore\r\n",
        b"hello\r\nfound it: http://a.example/\r\nbye\r\n",
        b"hello\r\n folded, as it seems\r\nbye",
        b"10 of them\r\n",
        b"Dear Ben, the time: 10:30\r\n",
        b"https://a.example/x\r\n",
        b"https://a.example/x is it\r\nbye\r\n",
        b"Hello:\r\nI am here\r\n",
        b"hello\r\ne-mail: ann@a.example\r\nNote: more\r\n",
    ],
)
@pytest.mark.parametrize("newline", [b"\r\n", b"\n", b"\r\r\n"])
def test_no_text_is_lost_for_an_empty_line_before_it(text: bytes, newline: bytes) -> None:
    parsed = parse((HEADER + text).replace(b"\r\n", newline))
    assert (parsed.subject, parsed.sender[0].address) == SEEN[:2]
    assert parsed.text == text.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    "text",
    [
        b"just words\r\n",
        b"just words\r\nNote: and more\r\n",
        b"Hello,\r\nDate: tomorrow\r\nbye\r\n",
        b"Hello,\r\n\r\nFrom: Ann\r\nSubject: what she wrote\r\n\r\nbye\r\n",
        b"\r\nSubject: of the text\r\n\r\nbye\r\n",
        b"Note: what follows is text\r\nand more\r\n",
        b"\xef\xbb\xbfjust words\r\n",
        b"  Note: indented\r\n\r\nbye\r\n",
    ],
)
def test_what_is_no_header_stays_text(text: bytes) -> None:
    parsed = parse(text)
    assert parsed.subject == ""
    assert parsed.text == text.decode("utf-8-sig").replace("\r\n", "\n").removeprefix("\n")
    assert header_section(text) == b""


PARTS = {
    "nothing": (b"Content-Type: text/html\r\n", b"\r\n<p>x</p>"),
    "a junk line": (b"250 ok\r\nContent-Type: text/html\r\n", b"\r\n<p>x</p>"),
    "a mailbox's line": (b"From me Tue\r\nContent-Type: text/html\r\n", b"\r\n<p>x</p>"),
    "a mark": (b"\xef\xbb\xbfContent-Type: text/html\r\n", b"\r\n<p>x</p>"),
    "no empty line": (b"Content-Type: text/html\r\n", b"<p>x</p>"),
    "no empty line, but one later": (b"Content-Type: text/html\r\n", b"<p>x</p>\r\n\r\n<p>"),
}


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("newline", [b"\r\n", b"\n", b"\r\r\n"])
@pytest.mark.parametrize("is_usual_above", [True, False])
def test_the_header_of_a_part_is_read_likewise(
    name: str, newline: bytes, is_usual_above: bool
) -> None:
    head, body = PARTS[name]
    top = HEADER + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    rest = (b"--b\r\n" + head + body + b"\r\n--b--\r\n").replace(b"\r\n", newline)
    parsed = parse((top if is_usual_above else top.replace(b"\r\n", newline)) + rest)
    assert parsed.subject == "a note"
    assert parsed.html == body.decode().replace("\r\n", "\n").removeprefix("\n")
    assert parsed.text is None


@pytest.mark.parametrize(
    "part",
    [
        b"\r\nSubject: x\r\nFrom: y\r\n\r\nforwarded",
        b"Content-Type: text/plain\r\n\r\nSubject: x\r\nFrom: y\r\n\r\nforwarded",
        b"just words\r\nSubject: x\r\nFrom: y\r\n\r\nforwarded",
    ],
)
def test_the_text_of_a_part_may_look_like_a_header(part: bytes) -> None:
    parsed = parse(
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n' + part + b"\r\n--b--\r\n"
    )
    assert parsed.text is not None
    assert "Subject: x\nFrom: y\n\nforwarded" in parsed.text


@pytest.mark.parametrize(
    "type_",
    [
        b'multipart/mixed; boundary="b"',
        b'multipart/mixed;\r\n\tboundary="b"',
        b"multipart/mixed; boundary=b",
        b"multipart/mixed; charset=utf-8; boundary=b",
    ],
)
@pytest.mark.parametrize("newline", [b"\r\n", b"\n", b"\r\r\n", b"\r"])
def test_the_first_delimiter_ends_a_header_without_an_empty_line(
    type_: bytes, newline: bytes
) -> None:
    parts = (
        b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhello\r\n\r\n"
        b"--b\r\nContent-Type: application/x-thing\r\n\r\nthing\r\n--b--\r\n"
    )
    inner = b"Content-Type: " + type_ + b"\r\n" + parts
    outer = (
        b"Content-Type: multipart/mixed; boundary=outer\r\n--outer\r\n%b\r\n--outer--\r\n" % inner
    )
    for content in (inner, outer):
        parsed = parse((HEADER + content).replace(b"\r\n", newline))
        assert (parsed.subject, parsed.sender[0].address, parsed.text) == SEEN
        assert [a.content for a in parsed.attachments] == [b"thing"]


@pytest.mark.parametrize("newline", [b"\r\r\n", b"\r\r\r\n", b"\n\r", b"\r"])
def test_odd_line_ends_divide_a_multipart(newline: bytes) -> None:
    content = (
        b"Subject: a note\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\n\r\nhello\r\nmore\r\n--b\r\nContent-Type: application/x-thing\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\ndGhp\r\nbmc=\r\n--b--\r\n"
    ).replace(b"\r\n", newline)
    parsed = parse(content)
    assert (parsed.subject, parsed.text) == ("a note", "hello\nmore")
    assert [a.content for a in parsed.attachments] == [b"thing"]
    assert (
        header_section(content) == b"Subject: a note\nContent-Type: multipart/mixed; boundary=b\n"
    )


def test_a_bare_return_within_a_field_ends_no_line() -> None:
    parsed = parse(b"Subject: one\rBcc: x@a.example\r\nFrom: ann@a.example\r\n\r\nhello")
    assert parsed.subject == "one Bcc: x@a.example"
    assert parsed.bcc is None


def test_lines_of_a_text_may_end_oddly() -> None:
    assert parse(HEADER + b"\r\none\r\r\ntwo\rthree\r\n").text == "one\ntwo\nthree\n"
