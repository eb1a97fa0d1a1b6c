"""The JSON form of a message: what is stored of it, what is listed, what is pushed."""

import json

import msgspec
import pytest
from msgspec import structs

from mailsacd.core.message_form import (
    UNTOUCHED,
    Facts,
    Mailbox,
    PushedFields,
    facts_text,
    heading,
    message_json,
    pushed_json,
    with_sequence,
)

ANN = Mailbox("ann@example.net", 'Ann "A"')
FACTS = Facts(
    id="1-0", inbox="a@b.example", original_inbox="a+x@b.example", domain="b.example", to=(ANN,),
    sender=(ANN,), cc=None, bcc=(), subject="Märch", received="2026-01-01T00:00:00.000Z", size=1,
    ip="192.0.2.1", via="::1", rtls=True, spam=0, attachments=None, links=("https://a.example/",),
    parse_limited=False,
)  # fmt: skip
STORED = (
    '{"_id":"1-0","inbox":"a@b.example","originalInbox":"a+x@b.example","domain":"b.example",'
    '"to":[{"address":"ann@example.net","name":"Ann \\"A\\""}],'
    '"from":[{"address":"ann@example.net","name":"Ann \\"A\\""}],"cc":null,"bcc":[],'
    '"subject":"Märch","received":"2026-01-01T00:00:00.000Z","size":1,"ip":"192.0.2.1",'
    '"via":"::1","rtls":true,"spam":0,"attachments":null,"links":["https://a.example/"],'
    '"parseLimited":false'
)
UNTOUCHED_TEXT = ',"savedBy":null,"folder":"inbox","labels":[],"read":null,"auth":null}'


def test_what_is_stored_has_every_fact_in_its_order() -> None:
    assert facts_text(FACTS) == STORED


def test_what_nobody_touched_has_every_field() -> None:
    assert message_json(STORED, UNTOUCHED, None).decode() == STORED + UNTOUCHED_TEXT


def test_what_people_did_to_it_is_shown() -> None:
    marks = structs.replace(
        UNTOUCHED, saved_by="jeff", folder="trash", labels=('q"', "ü"), read=False
    )
    assert message_json(STORED, marks, '{"spf":1}').decode() == (
        STORED + ',"savedBy":"jeff","folder":"trash","labels":["q\\"","ü"],"read":false'
        ',"auth":{"spf":1}}'
    )


def test_what_is_pushed_comes_after_that() -> None:
    said = PushedFields(
        text="t", html=None, body=None, raw="r", headers={"a": ["b", "c"], "d": "e"},
        message_id="m", date=None, received_date="2026-01-01T00:00:00.000Z", priority="normal",
        encrypted_inbox="inbox-1",
    )  # fmt: skip
    form = with_sequence(pushed_json(message_json(STORED, UNTOUCHED, None), said), "s")
    assert form.decode() == (
        STORED + UNTOUCHED_TEXT[:-1] + ',"text":"t","html":null,"body":null,"raw":"r",'
        '"headers":{"a":["b","c"],"d":"e"},"messageId":"m","date":null,'
        '"receivedDate":"2026-01-01T00:00:00.000Z","priority":"normal",'
        '"encryptedInbox":"inbox-1","sequence":"s"}'
    )


def test_a_heading_is_read_out_of_what_is_stored_even_of_fewer_facts() -> None:
    head = heading(STORED)
    assert (head.original_inbox, head.subject, head.size) == ("a+x@b.example", "Märch", 1)
    assert head.sender == head.to == (ANN,)
    fewer = {
        k: v for k, v in json.loads(STORED + "}").items() if k in {"to", "from", "subject", "size"}
    }
    with pytest.raises(msgspec.ValidationError):
        heading(json.dumps(fewer)[:-1])
    assert heading(json.dumps(fewer | {"originalInbox": "a@b"})[:-1]).original_inbox == "a@b"
