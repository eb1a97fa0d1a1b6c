"""Messages as MailHog writes them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from twisted.internet.defer import Deferred

from mailsacd.core.actor import ANYONE, Actor
from mailsacd.core.message_form import Mailbox
from mailsacd.facades.mailhog.events import Frames
from mailsacd.facades.mailhog.forms import MAX_DEPTH, message
from mailsacd.mail.reading.all_mail import Copy, Mail

TRACE = (
    b"Return-Path: <ann@example.net>\r\n"
    b"Received: from client.example ([192.0.2.7])\r\n\tby mx.example with ESMTP\r\n"
    b"\tid 01m8mwrbth000pcqp8kfn;\r\n\tMon, 30 Nov 2026 00:00:00 +0000\r\n"
)
CONTENT = (
    b"From: =?utf-8?q?=C3=84nn?= <ann@example.net>\r\nSubject: a\r\n subject\r\n"
    b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain\r\n\r\nthe text\r\n"
    b"--b\r\nContent-Type: text/plain; name=a.txt\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    b"aGVsbG8=\r\n--b--\r\n"
)


def copy(place: int, email: str) -> Copy:
    """A copy of the message."""
    return Copy(
        id=f"01m8mwrbth000pcqp8kfn-{place}",
        inbox=email,
        original_inbox=email,
        to=None,
        sender=(Mailbox("ann@example.net", ""),),
        cc=None,
        bcc=None,
        subject="",
        received=datetime(2026, 11, 30, tzinfo=UTC),
        size=1,
        saved_by=None,
        labels=(),
        read=None,
    )


def form(content: bytes) -> Any:
    """A message to two recipients."""
    return message(Mail((copy(0, "bob@example.com"), copy(1, "carl@example.com"))), TRACE + content)


def test_the_envelope_is_that_of_smtp() -> None:
    found = form(CONTENT)
    assert found["ID"] == "01m8mwrbth000pcqp8kfn"
    assert found["From"] == {
        "Relays": None, "Mailbox": "ann", "Domain": "example.net", "Params": ""
    }  # fmt: skip
    assert [to["Mailbox"] for to in found["To"]] == ["bob", "carl"]
    assert found["Created"] == "2026-11-30T00:00:00.000Z"
    raw = found["Raw"]
    assert (raw["From"], raw["To"], raw["Helo"]) == (
        "ann@example.net",
        ["bob@example.com", "carl@example.com"],
        "client.example",
    )
    assert raw["Data"] == CONTENT.decode().removesuffix("\r\n")


def test_nothing_is_decoded_and_parts_are_cut_at_their_boundaries() -> None:
    found = form(CONTENT)
    headers = found["Content"]["Headers"]
    assert headers["From"] == ["=?utf-8?q?=C3=84nn?= <ann@example.net>"]
    assert headers["Subject"] == ["a subject"]
    assert headers["Return-Path"] == ["<ann@example.net>"]
    assert headers["Message-ID"] == ["01m8mwrbth000pcqp8kfn"]
    assert headers["Received"][0].startswith("from client.example")
    text, attached, end = found["MIME"]["Parts"]
    assert (text["Body"], attached["Body"], end["Body"]) == ("the text", "aGVsbG8=", "--")
    assert attached["Headers"]["Content-Transfer-Encoding"] == ["base64"]


def test_what_is_no_message_has_a_body_alone_and_depth_is_bounded() -> None:
    assert form(b"no header at all")["Content"]["Body"] == "no header at all"
    assert form(b"Content-Type: multipart/mixed\r\n\r\nx")["MIME"] == {"Parts": []}
    nested = b"end"
    for level in range(3 * MAX_DEPTH):
        mark = b"b%d" % level
        nested = b'Content-Type: multipart/mixed; boundary="%b"\r\n\r\n--%b\r\n%b\r\n--%b--\r\n' % (
            mark,
            mark,
            nested,
            mark,
        )
    found, depth = form(nested), 0
    parts = found["MIME"]
    while parts:
        parts, depth = parts["Parts"][0]["MIME"], depth + 1
    assert depth == MAX_DEPTH


class Stored:
    """Gives its bytes to whoever asks, sooner or later, and counts how often."""

    def __init__(self) -> None:
        self.asked: list[Deferred[None]] = []

    async def with_raw(self, _: Actor, mail: Mail, make: Callable[[Mail, bytes], Any]) -> Any:
        """As AllMail's."""
        self.asked.append(Deferred())
        await self.asked[-1]
        return make(mail, TRACE + CONTENT)


def test_one_frame_is_made_for_all_who_see_the_same() -> None:
    stored: Any = Stored()
    frames = Frames(stored)
    mail = Mail((copy(0, "bob@example.com"),))

    def told(actor: Actor, seen: Mail = mail) -> Deferred[Any]:
        return Deferred.fromCoroutine(frames.of_mail(actor, seen))

    first, second = told(ANYONE), told(ANYONE)
    assert len(stored.asked) == 1
    stored.asked[0].callback(None)
    results: list[Any] = [each.result for each in (first, second, told(ANYONE))]
    (frame,), *others = results
    assert all(each[0] is frame for each in others)
    assert json.loads(frame)["ID"] == mail.id
    for more, actor in enumerate((Actor(account="a"), Actor(account="b")), 2):
        told(actor)
        assert len(stored.asked) == more
    told(ANYONE, Mail((copy(0, "bob@example.com"), copy(1, "carl@example.com"))))
    assert len(stored.asked) == 4
