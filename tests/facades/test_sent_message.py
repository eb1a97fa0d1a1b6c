"""Messages out of the JSON of Mailpit's `/api/v1/send`: what they say, and how much they may."""

import time
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from mailsacd.core.errors import InvalidInputError
from mailsacd.facades.mailpit.sent_message import (
    MAX_ATTACHMENTS,
    MAX_HEADERS,
    File,
    Limits,
    Person,
    Sent,
    message_of,
)

ME = Person("a@example.net", "\u00c4nn")
LIMITS = Limits(max_recipients=10, max_bytes=1_000_000)


def made(**fields: Any) -> Any:
    return message_from_bytes(message_of(Sent(sender=ME, **fields), LIMITS), policy=default)


def test_what_is_given_is_in_the_header() -> None:
    message = made(
        to=[Person("t@example.net", 'Q "x", y'), Person("u@example.net")],
        bcc=["b@example.net"],
        replyto=[Person("r@example.net")],
        subject="\u00e4 " * 100,
        headers={"X-Mine": "=?utf-8?q?=C3=A4?= b", "X-Long": "word " * 400, "List-ID": "\u00e4"},
        tags=["one", "two"],
        text="text",
    )
    assert message["From"] == "\u00c4nn <a@example.net>"
    assert [each.display_name for each in message["To"].addresses] == ['Q "x", y', ""]
    assert (message["Bcc"], message["Reply-To"]) == ("b@example.net", "r@example.net")
    assert message["Subject"] == ("\u00e4 " * 100).strip()
    assert (message["X-Mine"], message["List-ID"]) == ("\u00e4 b", "\u00e4")
    assert message["X-Long"].split() == ["word"] * 400
    assert message["X-Tags"] == "one, two"
    assert message["Message-ID"].endswith("@example.net>")
    assert message["Date"].datetime is not None
    assert message.get_content() == "text"


@pytest.mark.parametrize(
    "fields",
    [
        {"to": [ME] * 6, "cc": [ME] * 5},
        {"to": [ME] * 6, "bcc": ["a@example.net"] * 5},
        {"to": [ME] * 6, "replyto": [ME] * 5},
        {"headers": {f"X-{n}": "" for n in range(MAX_HEADERS + 1)}},
        {"headers": {"X-Mine": "a\r\nX-Other: b"}},
        {"headers": {"X Mine": "a"}},
        {"headers": {"Content-Transfer-Encoding": "base64"}},
        {"attachments": [File("")] * (MAX_ATTACHMENTS + 1)},
        {"attachments": [File("", "x" * 256)]},
        {"attachments": [File("", contentid="a\r\nb")]},
        {"subject": "x" * 65_537},
        {"subject": "x" * 40_000, "headers": {"X-Mine": "x" * 30_000}},
        {"to": [Person("a@example.net", "x" * 201)]},
        {"to": [Person("a@example.net", "a\nb")]},
        {"text": "x" * 1_000_000},
    ],
)  # fmt: skip
def test_what_is_too_much_or_wrong_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        made(**fields)


def test_the_largest_header_takes_no_longer_than_its_size_does() -> None:
    """The email package takes half a minute for as many characters that have to be encoded."""
    limits = Limits(max_recipients=1_000, max_bytes=1_000_000)
    people = [Person("t@example.net", "\u00e4" * 190) for _ in range(250)]
    began_s = time.process_time()
    message_of(Sent(sender=ME, to=people, subject="\u00e4" * 10_000), limits)
    assert time.process_time() - began_s < 2
