"""Mailpit's search language, term by term."""

from datetime import UTC, datetime

import pytest

from mailsacd.core.message_form import Mailbox
from mailsacd.facades.mailpit.contents import Extract
from mailsacd.facades.mailpit.query import MAX_TERMS, parse_query
from mailsacd.mail.reading.all_mail import Copy, Mail

EXTRACT = Extract(
    message_id="abc@mailer.example",
    reply_to=(Mailbox("reply@example.com", "Support"),),
    snippet="",
    attachments=1,
    inline=0,
    searched="ann ähm hallo bob your invoice no 42 is here invoice.pdf",
)
MAIL = Mail(
    (
        Copy(
            id="01m8mwrbth000pcqp8kfn-0",
            inbox="bob@example.com",
            original_inbox="bob+x@example.com",
            to=(Mailbox("bob@example.com", "Bob Builder"),),
            sender=(Mailbox("ann@example.net", "Ann Ähm"),),
            cc=(Mailbox("carl@example.com", ""),),
            bcc=None,
            subject="Hallo Bob",
            received=datetime(2026, 11, 30, 12, tzinfo=UTC),
            size=2_000,
            saved_by=None,
            labels=("Bills",),
            read=None,
        ),
    )
)


def finds(query: str, zone: str = "") -> bool:
    """Whether all terms take the message."""
    return all(term.takes(MAIL, EXTRACT) for term in parse_query(query, zone))


@pytest.mark.parametrize(
    "query",
    [
        "",
        "invoice",
        '"invoice no 42"',
        "INVOICE.pdf",
        "from:ann",
        'from:"Ann Ähm"',
        "to:bob@example.com",
        "cc:carl",
        "bcc:bob+x",
        "reply-to:support",
        "addressed:reply@example",
        "subject:hallo",
        'subject:"hallo bob"',
        "message-id:<abc@",
        "tag:bills",
        "is:tagged",
        "is:unread",
        "has:attachment",
        "has:attachments",
        "larger:1k",
        "smaller:1.5mb",
        "before:2026-12-01",
        "after:2026/11/30",
        'after:"2026-11-30 11:59"',
        "-cc:ann",
        "!nothing",
        "-is:read",
        "from:ann -subject:other invoice",
        "before:whenever",
        "from:",
    ],
)
def test_what_a_query_finds(query: str) -> None:
    assert finds(query)


@pytest.mark.parametrize(
    "query",
    [
        "nothing",
        '"42 no"',
        "from:bob",
        "to:ann",
        "cc:bob",
        "subject:invoice",
        "tag:bill",
        "is:read",
        "-is:tagged",
        "has:inline",
        "-has:attachment",
        "larger:2k",
        "smaller:2000",
        "before:2026-11-30",
        "after:2026-12-01",
        "-invoice",
        "from:ann subject:other",
        "http://example.com",
    ],
)
def test_what_a_query_does_not_find(query: str) -> None:
    assert not finds(query)


def test_a_day_begins_where_the_searcher_is() -> None:
    assert finds("after:2026-11-30T13:00", "Europe/Berlin")
    assert not finds("after:2026-11-30T13:00", "nowhere")
    assert not finds("after:2026-11-30T13:00", "../../etc/passwd")


def test_terms_tell_whether_they_read_the_message_and_there_are_not_too_many() -> None:
    terms = parse_query("word from:ann has:attachment is:read")
    assert [term.reads for term in terms] == [True, False, True, False]
    assert len(parse_query("a " * 200)) == MAX_TERMS
