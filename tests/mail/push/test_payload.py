"""The pushed form: every field there, nothing lost, whatever the message."""

import json
from typing import Any

import pytest
import pytest_twisted
from msgspec import structs

from mailsacd.core.address import Address, alternate_local
from mailsacd.core.message import Message, NewEnvelope
from mailsacd.core.message_form import UNTOUCHED
from mailsacd.mail.push.payload import Payloads, pushed_form
from mailsacd.store.alternates import find_alternate, server_secret
from mailsacd.store.compression import expand
from mailsacd.store.pool import Database
from tests.lanes import LANES
from tests.mail.hubs import new_mail, reactor, store

BOB = "bob@example.com"
LIST_FIELDS = {
    "_id", "from", "to", "cc", "bcc", "subject", "savedBy", "inbox", "originalInbox", "domain",
    "received", "size", "attachments", "ip", "via", "folder", "labels", "read", "rtls", "links",
    "spam",
}  # fmt: skip
MORE_FIELDS = {
    "text", "html", "body", "raw", "headers", "messageId", "date", "receivedDate", "priority",
    "encryptedInbox",
}  # fmt: skip

BOTH_PARTS = (
    b"From: Ann <ann@example.net>\r\nTo: bob@example.com\r\nSubject: =?utf-8?q?M=C3=A4rz?=\r\n"
    b"Message-ID: <1@example.net>\r\nDate: Fri, 20 Nov 2026 22:49:45 +0100\r\nX-Priority: 1\r\n"
    b"X-Tag: a\r\nx-tag: b\r\nX-TAG: c\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
    b"--b\r\n\r\nplain https://example.com/\r\n--b\r\nContent-Type: text/html\r\n\r\n"
    b"<p>html</p>\r\n--b--\r\n"
)


def _stored(new: NewEnvelope, **marks: Any) -> Message:
    message = new.messages[0]
    return Message(
        inbox=message.inbox,
        id=message.id,
        facts=message.facts,
        marks=structs.replace(UNTOUCHED, **marks),
    )


def _form(content: bytes, **marks: Any) -> Any:
    new = new_mail(BOB, content=content)
    return json.loads(pushed_form(_stored(new, **marks), new.raw, "inbox-1"))


def test_every_field_is_there() -> None:
    form = _form(BOTH_PARTS)
    assert form.keys() >= LIST_FIELDS | MORE_FIELDS
    assert _form(b"").keys() == form.keys()


def test_the_fields_say_what_the_message_says() -> None:
    form = _form(BOTH_PARTS)
    assert form["subject"] == "März"
    assert form["text"].strip() == "plain https://example.com/"
    assert form["html"] == form["body"] == "<p>html</p>"
    assert form["messageId"] == "1@example.net"
    assert form["date"] == "2026-11-20T21:49:45.000Z"
    assert form["receivedDate"] == form["received"]
    assert form["priority"] == "high"
    assert form["encryptedInbox"] == "inbox-1"
    assert form["headers"]["x-tag"] == ["a", "b", "c"]
    assert form["headers"]["x-priority"] == "1"
    assert form["headers"]["return-path"] == "<ann@example.net>"
    assert form["raw"].endswith(BOTH_PARTS.decode())


def test_what_a_message_does_not_say_is_null() -> None:
    form = _form(b"\r\n")
    assert {form[name] for name in ("html", "body", "messageId", "date")} == {None}
    assert form["text"].strip() == ""
    assert form["priority"] == "normal"


def test_without_a_text_part_there_is_one_made_from_the_html() -> None:
    form = _form(b"Content-Type: text/html\r\n\r\n<p>one</p><p>two</p>")
    assert form["text"].split() == ["one", "two"]


def test_marks_are_told_as_in_lists() -> None:
    form = _form(b"\r\n", saved_by="ann", labels=("a",), read=True)
    assert (form["savedBy"], form["labels"], form["read"]) == ("ann", ["a"], True)


@pytest.mark.parametrize(
    "content",
    [
        b"Subject: \xe9\r\n\r\n\xff\xfe latin \x80",
        bytes(range(256)),
        "Subject: é\r\n\r\nüöä ÿ".encode(),
        "\U0001f600 \u2028".encode(),
        b"\x00\x01\x7f\xed\xa0\x80",
        b"",
    ],
)
def test_the_bytes_can_be_had_back_from_raw(content: bytes) -> None:
    new = new_mail(BOB, content=content)
    form = json.loads(pushed_form(_stored(new), new.raw, ""))
    raw = form["raw"].encode()
    if len(raw) != form["size"]:  # docs/push.md
        raw = form["raw"].encode("latin-1")
    assert raw == expand(new.raw)


@pytest_twisted.ensureDeferred
async def test_alternates_are_told_and_remembered_and_asked_for_once(database: Database) -> None:
    forms = Payloads(database, LANES.rest, reactor=reactor)
    mail = [new_mail(BOB), new_mail("*@example.com"), new_mail(BOB)]
    await store(database, *mail)
    wanted = [(m.inbox, m.id) for new in mail for m in new.messages]
    rendered, count = await forms.find(wanted, max_bytes=1_000_000)
    assert count == 3
    secret = await server_secret(database)
    for each in rendered:
        assert each.json is not None
        local, _, domain = each.found.message.inbox.partition("@")
        alternate = alternate_local(secret, Address(local, domain))
        assert json.loads(each.json)["encryptedInbox"] == alternate
        assert await find_alternate(database, alternate) == each.found.message.inbox
    await database.run("delete from alternate")
    form = await forms.form(_stored(mail[0]), mail[0].raw)
    assert form == rendered[0].json
    assert await database.fetch("select 1 from alternate") == []


@pytest_twisted.ensureDeferred
async def test_as_many_are_found_at_once_as_fit(database: Database) -> None:
    forms = Payloads(database, LANES.rest, reactor=reactor)
    mail = [new_mail(BOB, content=b"x" * 10_000) for _ in range(3)] + [new_mail(BOB)]
    await store(database, *mail)
    wanted = [(m.inbox, m.id) for new in mail for m in new.messages]
    assert [(await forms.find(wanted[n:], max_bytes=1))[1] for n in range(4)] == [1, 1, 1, 1]
    assert (await forms.find(wanted, max_bytes=25_000))[1] == 3
    assert (await forms.find([("no", "one"), *wanted], max_bytes=1))[1] == 2
    assert await forms.find([("no", "one")], max_bytes=1) == ([], 1)


@pytest_twisted.ensureDeferred
async def test_a_large_message_is_rendered_by_itself_and_only_when_needed(
    database: Database,
) -> None:
    forms = Payloads(database, LANES.rest, reactor=reactor)
    mail = [new_mail(BOB), new_mail(BOB, content=b"x" * 200_000), new_mail(BOB)]
    await store(database, *mail)
    wanted = [(m.inbox, m.id) for new in mail for m in new.messages]
    rendered, count = await forms.find(wanted, max_bytes=10_000)
    assert count == 3
    assert [each.json is None for each in rendered] == [False, True, False]
    large = await forms.find_large(wanted[1], lambda: True)
    assert large is not None
    assert large.json == pushed_form(
        _stored(mail[1]), mail[1].raw, json.loads(large.json or b"")["encryptedInbox"]
    )
    assert await forms.find_large(wanted[1], lambda: False) is None
    assert await forms.find_large((BOB, "nothing"), lambda: True) is None
