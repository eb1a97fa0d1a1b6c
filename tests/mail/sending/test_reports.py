"""Reports are what RFC 3464 says, whatever a host or a sender wrote."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from mailsacd.core.outcome import Outcome
from mailsacd.core.outgoing import NewOutgoing, OutgoingRecipient
from mailsacd.core.relay import QueuedMessage
from mailsacd.mail.sending.reports import MAX_RETURNED_BYTES, Event, report

CONTENT = (
    b"From: ann@ann.example\r\nTo: bob@b.example\r\nSubject: hello\r\n"
    b"Message-ID: <1@ann.example>\r\n\r\nthe text\r\n"
)
TIME = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NEVER = Outcome(code=550, status="5.1.1", text="no such user", host="mx.b.example")


def subject(**changed: Any) -> QueuedMessage:
    given = {
        "id": "1",
        "account": "ann",
        "origin": "api",
        "reverse_path": "ann@ann.example",
        "message_id": "1@ann.example",
        "created": datetime(2026, 3, 1, 8, 0, tzinfo=UTC),
        "content": CONTENT,
        "ret": None,
        "envid": None,
        "smtputf8": False,
    }
    return QueuedMessage(**{**given, **changed})


def event(action: Any = "failed", outcome: Outcome = NEVER, **changed: Any) -> Event:
    orcpt = changed.pop("orcpt", None)
    address = changed.pop("address", "bob@b.example")
    recipient = OutgoingRecipient(address=address, orcpt=orcpt)
    return Event(action=action, recipient=recipient, outcome=outcome, time=TIME, **changed)


def written(about: QueuedMessage, what: Event) -> NewOutgoing:
    return report(about, what, hostname="mx.here.example", token="0a1b")


def parts(new: NewOutgoing) -> tuple[EmailMessage, list[Any]]:
    whole = message_from_bytes(new.content, policy=policy.default)
    assert isinstance(whole, EmailMessage)
    return whole, list(whole.iter_parts())


def fields(new: NewOutgoing) -> list[dict[str, str]]:
    """Those of the message, then those of the recipient."""
    _, [_, status, _] = parts(new)
    return [dict(one.items()) for one in status.get_payload()]


def test_a_failure_is_told_as_rfc_3464_has_it() -> None:
    about = subject(envid="QQ+2B314159")
    new = written(about, event(orcpt="rfc822;Bob+2Bx@old.example"))
    whole, [text, _, returned] = parts(new)
    assert whole.get_content_type() == "multipart/report"
    assert whole["content-type"].params["report-type"] == "delivery-status"
    assert (whole["to"], whole["auto-submitted"]) == ("ann@ann.example", "auto-replied")
    assert whole["from"] == "Mail Delivery System <mailer-daemon@mx.here.example>"
    assert whole["in-reply-to"] == whole["references"] == "<1@ann.example>"
    assert fields(new) == [
        {
            "Original-Envelope-Id": "QQ+314159",
            "Reporting-MTA": "dns; mx.here.example",
            "Arrival-Date": "Sun, 01 Mar 2026 08:00:00 +0000",
        },
        {
            "Original-Recipient": "rfc822; Bob+x@old.example",
            "Final-Recipient": "rfc822; bob@b.example",
            "Action": "failed",
            "Status": "5.1.1",
            "Remote-MTA": "dns; mx.b.example",
            "Diagnostic-Code": "smtp; 550 5.1.1 no such user",
            "Last-Attempt-Date": "Sun, 01 Mar 2026 12:00:00 +0000",
        },
    ]
    assert "mx.b.example said:" in text.get_content()
    assert "550 no such user" in text.get_content()
    assert returned.get_content_type() == "text/rfc822-headers"
    assert b"the text" not in new.content
    assert (new.reverse_path, new.account, new.origin) == ("", None, "report")
    assert new.recipients == (OutgoingRecipient(address="ann@ann.example", notify="NEVER"),)
    assert b"\n" not in new.content.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    ("ret", "action", "is_whole"),
    [
        ("FULL", "failed", True),
        ("HDRS", "failed", False),
        (None, "failed", False),
        ("FULL", "delayed", False),  # RFC 3461 section 4.3: of failures alone
        ("FULL", "relayed", False),
    ],
)
def test_the_message_comes_back_as_its_sender_asked(
    ret: str | None, action: Any, *, is_whole: bool
) -> None:
    new = written(subject(ret=ret), event(action))
    _, [_, _, returned] = parts(new)
    assert (b"the text" in new.content) is is_whole
    expected = "message/rfc822" if is_whole else "text/rfc822-headers"
    assert returned.get_content_type() == expected


def test_a_large_message_does_not_come_back() -> None:
    large = CONTENT + b"x" * 70 + b"\r\n" * MAX_RETURNED_BYTES
    assert len(written(subject(ret="FULL", content=large), event()).content) < 10_000
    header = CONTENT.replace(b"\r\n\r\n", b"\r\n" + b"X-A: b\r\n" * 100_000 + b"\r\n")
    assert len(written(subject(content=header), event()).content) < 100_000


def test_a_delay_says_until_when_it_is_tried() -> None:
    later = Outcome(code=None, status="4.4.1", text="connection refused")
    new = written(subject(), event("delayed", later, until=datetime(2026, 3, 6, tzinfo=UTC)))
    [_, of_recipient] = fields(new)
    assert of_recipient["Will-Retry-Until"] == "Fri, 06 Mar 2026 00:00:00 +0000"
    assert of_recipient["Action"] == "delayed"
    assert "Diagnostic-Code" not in of_recipient  # no host said anything
    assert "Remote-MTA" not in of_recipient
    assert b"You need not send it again" in new.content.replace(b"\r\n", b" ")


@pytest.mark.parametrize(
    "text",
    ["a\r\nAction: delivered\r\n\r\nx", "a\nb", "\x00\x85\u2028", "x" * 5_000, "\ud800", "é" * 800],
)
def test_what_a_host_said_is_one_line_of_a_field(text: str) -> None:
    said = Outcome(code=550, status="5.0.0", text=text, host="mx\r\nX: y")
    new = written(subject(message_id="a\r\nBcc: x@y"), event(outcome=said))
    [_, of_recipient] = fields(new)
    assert of_recipient["Action"] == "failed"
    assert all(len(line) <= 998 for line in new.content.split(b"\r\n"))
    whole, _ = parts(new)
    assert whole["bcc"] is None


def test_addresses_beyond_ascii_are_told_as_rfc_6533_has_it() -> None:
    content = "From: añn@ann.example\r\nSubject: ü\r\n\r\nthe text\r\n".encode()
    about = subject(reverse_path="añn@ann.example", content=content, smtputf8=True, ret="FULL")
    new = written(about, event(address="böb@b.example"))
    _, [_, status, returned] = parts(new)
    assert status.get_content_type() == "message/global-delivery-status"
    assert returned.get_content_type() == "message/global"
    assert "Final-Recipient: utf-8; böb@b.example\r\n".encode() in new.content
    assert new.smtputf8
    assert new.content.endswith(b"--=_0a1b--\r\n")


def test_a_message_without_a_header_is_reported_too() -> None:
    assert b"Action: failed" in written(subject(content=b"\r\nx\r\n"), event()).content
    assert b"Action: failed" in written(subject(content=b""), event()).content
