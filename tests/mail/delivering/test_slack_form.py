"""What Slack is told: readable, bounded, and without anything that Slack would take for its own."""

import json
from collections.abc import Mapping
from typing import Any

import zstandard

from mailsacd.core.message import Message
from mailsacd.core.message_form import UNTOUCHED
from mailsacd.mail.delivering.slack import MAX_PERSON_CHARACTERS, MAX_SNIPPET_CHARACTERS, slack_form

INBOX = "box@a.example"


def text_of(
    content: bytes = b"\r\nthe text\r\n",
    *,
    with_people: bool = True,
    public_url: str = "https://mail.example",
    inbox: str = INBOX,
    sender: Any = ({"address": "bob@b.example", "name": "Bob"},),
    **facts: Any,
) -> str:
    known: Mapping[str, Any] = {
        "size": 1,
        "subject": "hello",
        "from": sender,
        "to": [{"address": INBOX, "name": ""}],
        "originalInbox": INBOX,
        **facts,
    }
    message = Message(
        inbox=inbox,
        id="01m-0",
        facts=json.dumps(known)[:-1],
        marks=UNTOUCHED,
    )
    stored = zstandard.compress(b"Subject: x\r\n" + content)
    form = json.loads(slack_form(message, stored, with_people=with_people, public_url=public_url))
    assert form.pop("unfurl_links") is form.pop("unfurl_media") is False
    assert list(form) == ["text"]
    text = form["text"]
    assert isinstance(text, str)
    return text


def test_all_of_it() -> None:
    assert text_of() == (
        "*hello*\n"
        "From: Bob &lt;bob@b.example&gt;\n"
        "To: box@a.example\n"
        "the text\n"
        "<https://mail.example/api/body/box@a.example/01m-0|Open the message>"
    )


def test_neither_to_nor_from_when_the_owner_says_so() -> None:
    assert text_of(with_people=False) == (
        "*hello*\nthe text\n<https://mail.example/|Open the message>"
    )


def test_links_are_below_the_path_of_the_server() -> None:
    below = "https://team.example/mail"
    body = f"<{below}/api/body/box@a.example/01m-0|Open the message>"
    assert text_of(public_url=below).endswith(body)
    assert text_of(public_url=below, with_people=False).endswith(f"<{below}/|Open the message>")


def test_no_link_when_nobody_knows_where() -> None:
    assert text_of(public_url="").endswith("\nthe text")


def test_the_inbox_is_told_where_it_is_not_the_recipient() -> None:
    assert "\nInbox: other@a.example\n" in text_of(inbox="other@a.example")
    assert "\nInbox: box@a.example\n" in text_of(to=[{"address": "list@b.example", "name": ""}])


def test_nothing_of_the_mail_is_markup() -> None:
    evil = "<!channel> <@U1> <http://evil.example|click> & \n*x*"
    told = text_of(
        f"\r\n{evil}\r\n".encode(),
        subject=evil,
        to=[{"address": "<!here>@x.example", "name": "<!everyone>"}],
        inbox="<b>@a.example",
    )
    link = told.rsplit("\n", 1)[1]
    assert told.count("<") == told.count(">") == 1
    assert link == "<https://mail.example/api/body/%3Cb%3E@a.example/01m-0|Open the message>"
    assert told.count("&lt;!channel&gt; &lt;@U1&gt;") == 2
    assert "&amp;" in told


def test_lengths_are_bounded() -> None:
    long = "x&" * 100_000
    told = text_of(
        f"\r\n{long}".encode(),
        subject=long,
        to=[{"address": f"{n}{long}", "name": long} for n in range(1000)],
        sender=[{"address": long, "name": long}],
    )
    assert len(told) < 20_000
    lines = told.split("\n")
    assert lines[2].endswith(" and 995 more")
    assert len(lines[1].replace("&amp;", "&")) <= MAX_PERSON_CHARACTERS + len("From: ")
    assert len(lines[4].replace("&amp;", "&")) == MAX_SNIPPET_CHARACTERS


def test_mail_without_anything() -> None:
    told = text_of(b"\r\n", subject=" \r\n ", public_url="")
    assert told == "*(no subject)*\nFrom: Bob &lt;bob@b.example&gt;\nTo: box@a.example"


def test_html_alone_is_read_as_text() -> None:
    content = b"Content-Type: text/html\r\n\r\n<p>Dear <b>you</b></p><script>x()</script>"
    assert "\nDear you\n" in text_of(content)
