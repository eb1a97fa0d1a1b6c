"""A whole message is made fit to go out, and says who it is from in one way only."""

from datetime import UTC, datetime
from typing import Any

import pytest

from mailsacd.core.errors import InvalidInputError, MailLoopError
from mailsacd.mail.sending.completing import Additions, Completed, complete
from mailsacd.mail.sending.mailboxes import Mailbox

NOW = datetime(2026, 11, 29, 12, 0, 0, tzinfo=UTC)
FROM = b"From: Ann <ann@a.example>\r\n"
WHOLE = b"Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <1@a.example>\r\n" + FROM


def done(content: bytes, **others: Any) -> Completed:
    return complete(content, Additions(now=NOW, **others))


def test_what_is_whole_is_left_as_it_is() -> None:
    content = WHOLE + b"X-Odd : 1\r\n\tfolded\r\nTo: b@c.example\r\n\r\n.\r\n\xff\r\n"
    found = done(content)
    assert found.content == content
    assert found.authors == (Mailbox("ann@a.example", "Ann"),)
    assert (found.message_id, found.to, found.is_ascii) == ("1@a.example", ("b@c.example",), True)


def test_what_is_missing_is_added_on_top() -> None:
    found = done(
        b"Subject: =?utf-8?q?=C3=BC?=\r\n\r\nHi",
        trace="Received: from a\r\n",
        author=Mailbox("ann@a.example"),
        fields=(("X-Own", "1"), ("Subject", "not this")),
    )
    head, _, body = found.content.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0:3] == [
        b"Received: from a", b"From: ann@a.example", b"Date: Sun, 29 Nov 2026 12:00:00 +0000"
    ]  # fmt: skip
    assert lines[3] == f"Message-ID: <{found.message_id}>".encode()
    assert found.message_id.endswith("@a.example")
    assert lines[4:] == [b"X-Own: 1", b"Subject: =?utf-8?q?=C3=BC?="]
    assert (body, found.subject) == (b"Hi\r\n", "ü")


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_lines_end_in_crlf(end: bytes) -> None:
    content = end.join((b"From: ann@a.example", b"Bcc: x@y.example,", b" z@y.example", b"", b"a"))
    found = done(content).content
    assert found.endswith(b"\r\nFrom: ann@a.example\r\n\r\na\r\n")
    assert b"\n" not in found.replace(b"\r\n", b"")
    assert b"\r" not in found.replace(b"\r\n", b"")


def test_bcc_and_what_others_write_is_taken_out() -> None:
    kept = WHOLE + b"X-Bcc: stays\r\n"
    for name in (b"Bcc", b"BCC ", b"Resent-Bcc", b"Return-Path", b"X-Abuse-Reference"):
        found = done(kept + name + b": <x@y.example>\r\n\tmore\r\n\r\n")
        assert found.content == kept + b"\r\n"
    assert done(kept + b"Bcc: x@y.example\r\n\r\n").to == ("x@y.example",)


@pytest.mark.parametrize(
    "after", [b"no field\r\n", b"From ann@a.example Mon\r\n", b": no name\r\n", b"\x01: 1\r\n"]
)
def test_the_header_ends_where_no_field_is(after: bytes) -> None:
    content = WHOLE + after + b"From: ceo@bank.example\r\n\r\nHi\r\n"
    found = done(content)
    assert found.content == WHOLE + b"\r\n" + after + b"From: ceo@bank.example\r\n\r\nHi\r\n"
    assert len(found.authors) == 1


def test_each_author_is_told() -> None:
    found = done(b"Sender: s@a.example\r\nFrom: a@a.example,\r\n b@a.example\r\n\r\n")
    assert [one.address for one in found.authors] == ["a@a.example", "b@a.example", "s@a.example"]


@pytest.mark.parametrize(
    "head",
    [
        b"",
        FROM + FROM,
        FROM + b"FROM : x@y.example\r\n",
        FROM + b"\t\r\nfrom: x@y.example\r\n",
        FROM + b"Sender: s@a.example\r\nSender: t@a.example\r\n",
        FROM + b"Sender: \r\n",
        b"From: =?utf-8?q?ann=40a=2Eexample?=\r\n",
        b"From: \xe4nn <ann@a.example>\r\n",
        b"From: ann@a.example\r\n <x@y.example>\r\n",
        b"From: " + b",".join(b"a%d@a.example" % n for n in range(11)) + b"\r\n",
        FROM + b"X: \0\r\n",
        FROM + b"X: y\r\n" * 1_001,
        FROM + b"X: " + b"y" * 262_144 + b"\r\n",
    ],
)  # fmt: skip
def test_what_is_not_clear_is_refused(head: bytes) -> None:
    with pytest.raises(InvalidInputError) as refused:
        done(head + b"\r\nHi\r\n")
    assert [fault.field for fault in refused.value.faults] == ["raw"]


def test_what_goes_in_circles_is_refused() -> None:
    assert done(b"Received: x\r\n" * 50 + FROM + b"\r\n")
    with pytest.raises(MailLoopError):
        done(b"Received: x\r\n" * 51 + FROM + b"\r\n")


def test_a_header_beyond_ascii_is_told() -> None:
    assert not done(FROM + "Subject: ü\r\n\r\n".encode()).is_ascii
    assert done(FROM + "\r\nü".encode()).is_ascii
