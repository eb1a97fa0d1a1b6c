"""The mail that answers mail on purpose, as mail programs read it."""

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from mailsacd.core.envelope import Envelope, Reception, Recipient
from mailsacd.core.fault import SmtpFault
from mailsacd.core.fault_condition import ExaminedMessage
from mailsacd.core.fault_grammar import parse_fault
from mailsacd.mail.faults.answers import Answered, answer_to

CONTENT = b"Subject: Order\r\n 5\r\nMessage-ID: <1@app.example>\r\nX-Secret: y\r\n\r\nthe body\r\n"


def _answer(name: str, content: bytes = CONTENT, path: str = "app@app.example") -> EmailMessage:
    fault = parse_fault(name)
    assert fault is not None
    made = answer_to(fault, _answered(content, path), name)
    assert made is not None
    assert b"\n" not in made.content.replace(b"\r\n", b"")
    read = email.message_from_bytes(made.content, policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    assert (read["To"], read["Auto-Submitted"], made.reverse_path) == (
        path, "auto-replied", "",
    )  # fmt: skip
    return read


def _answered(content: bytes, path: str) -> Answered:
    recipient = Recipient(
        original_inbox="x@lab.example", inbox="x@lab.example", domain="lab.example"
    )
    envelope = Envelope(
        id="e",
        received_ms=1_780_000_000_000,
        reverse_path=path,
        recipients=(recipient,),
        reception=Reception(
            peer_ip="192.0.2.1", local_ip="192.0.2.2", helo="c", protocol="ESMTP", tls=None
        ),
        content=content,
    )
    return Answered(
        envelope=envelope,
        message=ExaminedMessage(content),
        recipient="x@lab.example",
        owner="owner",
        time=datetime(2026, 11, 30, tzinfo=UTC),
        token="abc",
        hostname="mx.example",
    )


@pytest.mark.parametrize(
    ("name", "action", "status"),
    [("bounce", "failed", "5.0.0"), ("bounce-5.1.1", "failed", "5.1.1"),
     ("bounce-4.2.2", "delayed", "4.2.2")],
)  # fmt: skip
def test_a_bounce_is_a_delivery_status_notification(name: str, action: str, status: str) -> None:
    read = _answer(name)
    assert read.get_content_type() == "multipart/report"
    assert read.get_param("report-type") == "delivery-status"
    _, told, returned = read.iter_parts()
    fields = told.as_string()
    assert f"Action: {action}" in fields
    assert f"Status: {status}" in fields
    assert "Final-Recipient: rfc822; x@lab.example" in fields
    assert f"{status} Bounced on purpose, by {name}" in fields
    assert "Subject: Order" in returned.as_string()
    assert "the body" not in returned.as_string()
    assert read["In-Reply-To"] == "<1@app.example>"


def test_a_complaint_is_a_feedback_report() -> None:
    read = _answer("complaint-fraud")
    assert read.get_param("report-type") == "feedback-report"
    _, told, returned = read.iter_parts()
    assert told.get_content_type() == "message/feedback-report"
    fields = told.as_string()
    for line in (
        "Feedback-Type: fraud", "Version: 1", "Original-Mail-From: <app@app.example>",
        "Original-Rcpt-To: <x@lab.example>", "Source-IP: 192.0.2.1",
    ):  # fmt: skip
        assert line in fields
    assert "X-Secret: y" in returned.as_string()
    assert read["Subject"] == "FW: Order 5"


def test_a_reply_is_from_the_recipient_and_says_what_a_rule_says() -> None:
    read = _answer("autoreply")
    assert (read["From"], read["Subject"]) == ("x@lab.example", "Auto: Order 5")
    made = answer_to(SmtpFault(do="reply", text="Away"), _answered(CONTENT, "a@b.example"), "#0")
    assert made is not None
    assert made.content.endswith(b"\r\n\r\nAway\r\n")


@pytest.mark.parametrize(
    "header", [b"Auto-Submitted: auto-replied", b"Precedence: bulk", b"List-Id: <l.example>"]
)
def test_automatic_mail_gets_no_automatic_reply(header: bytes) -> None:
    fault, bounce = SmtpFault(do="reply"), SmtpFault(do="bounce")
    answered = _answered(header + b"\r\n" + CONTENT, "a@b.example")
    assert answer_to(fault, answered, "autoreply") is None
    assert answer_to(bounce, answered, "bounce") is not None
    assert answer_to(bounce, _answered(CONTENT, ""), "bounce") is None


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"Subject: a\rTo: b\n\nx", b"x" * 100_000, b"Subject: \xff\xfe\r\n\r\n",
     b"Subject: " + b"y" * 5_000 + b"\r\n\r\n", "Subject: \u2028\x85é\r\n\r\n".encode()],
)  # fmt: skip
def test_whatever_the_message_is(content: bytes) -> None:
    for name in ("bounce", "complaint", "autoreply"):
        read = _answer(name, content)
        assert "Bcc" not in read
