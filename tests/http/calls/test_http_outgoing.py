"""Sending by the API: what is queued, what is refused, and what senders are told of it."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.task import deferLater

from mailsacd.store.compression import expand
from mailsacd.store.pool import Database
from tests.http.client import Answer, ask
from tests.http.society import (
    CATCH_ALL,
    HIDDEN_DOMAIN,
    IMPLICIT,
    OWNER,
    PRIVATE,
    Society,
    society,
)

API = "/api/outgoing-messages"
HOSTING = "hosting.example"
NAMED = "named.example"
TAKEN = "taken@foreign.example"  # reserved by the other one
NOBODY_TAKES_IT = "relay.smarthost=127.0.0.1:1"  # it stays queued after its first attempt
MESSAGE = {"to": "bob@there.example", "from": PRIVATE, "subject": "Hello", "text": "Hi"}


@pytest_twisted.async_yield_fixture
async def house(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(
        database,
        database_dsn,
        f"domains.hosting={HOSTING}",
        f'message.accepted_domains=["*", "{NAMED}"]',
        NOBODY_TAKES_IT,
    ) as made:
        await made.json("other", "POST", f"/api/addresses/{TAKEN}")
        yield made


async def send(house: Society, who: str = "owner", **fields: Any) -> Answer:
    body = {name: value for name, value in {**MESSAGE, **fields}.items() if value is not None}
    return await house.ask(who, "POST", API, json.dumps(body).encode())


async def rests(house: Society, outgoing_id: str) -> None:
    """Return when the attempts that are due now are over."""
    for _ in range(1_000):
        found = await house.json("owner", "GET", f"{API}/{outgoing_id}")
        open_ones = [r for r in found["recipients"] if r["state"] == "queued"]
        if all(r["attempts"] and not r["sending"] for r in open_ones):
            return
        await deferLater(reactor, 0.02)
    raise AssertionError("it never rests")


async def queued(house: Society, answer: Answer) -> EmailMessage:
    """The message that was queued, as its recipients will get it."""
    assert answer.status == 200, answer
    return await message(house, answer.json()["_id"])


async def message(house: Society, outgoing_id: str) -> EmailMessage:
    [(body,)] = await house.database.fetch(
        "select body from outgoing_message where id = %s", (outgoing_id,)
    )
    content = expand(bytes(body))
    assert b"\n" not in content.replace(b"\r\n", b"")
    parsed = message_from_bytes(content, policy=SMTP)
    assert isinstance(parsed, EmailMessage)
    return parsed


def fields_at_fault(answer: Answer) -> list[str]:
    assert answer.status == 400, answer
    return [fault["field"] for fault in answer.json()["faults"]]


@pytest_twisted.ensureDeferred
async def test_a_message_is_composed_and_queued_for_each_recipient(house: Society) -> None:
    answer = await send(
        house,
        to=["Bob Lee <Bob@there.example>", {"address": "eve@there.example", "name": "Eve, Änn"}],
        cc="carl@Bücher.example, bob@there.example",
        bcc="secret@there.example",
        replyTo="Box <answers@reserved.example>",
        subject="Grüße",
        html='<img src="cid:logo@x">',
        attachments=[
            {"filename": "ä.txt", "content": b64encode(b"text").decode(), "encoding": "base64"},
            {"filename": "n.csv", "content": "a;ü", "contentType": "text/csv; charset=utf-8"},
            {"cid": "<logo@x>", "content": "00ff", "encoding": "hex", "contentType": "image/png"},
        ],
        received=["from a.example by b.example; Thu, 01 Jan 1970 00:00:00 +0000"],
    )
    found = await queued(house, answer)
    to = ["Bob@there.example", "eve@there.example", "carl@xn--bcher-kva.example"]
    assert answer.json() == {
        "_id": answer.json()["_id"],
        "to": [*to, "secret@there.example"],
        "from": PRIVATE,
        "creditsUsed": 4,
    }
    assert found.keys()[0] == "Received"
    assert "from a.example by b.example" in found["Received"]
    assert [str(a) for a in found["To"].addresses] == [
        "Bob Lee <Bob@there.example>", '"Eve, Änn" <eve@there.example>'
    ]  # fmt: skip
    assert found["Reply-To"] == "Box <answers@reserved.example>"
    assert found["Subject"] == "Grüße"
    assert found["Date"].datetime.utcoffset().total_seconds() == 0
    assert found["Message-ID"].endswith("@reserved.example>")
    assert "secret" not in str(found)
    text, html = found.get_body(("plain",)), found.get_body(("related",))
    assert text is not None
    assert html is not None
    assert text.get_content() == "Hi\r\n"
    assert [part.get_content_type() for part in html.iter_parts()] == ["text/html", "image/png"]
    attached = [(p.get_filename(), p.get_content()) for p in found.iter_attachments()]
    assert attached == [("ä.txt", b"text"), ("n.csv", "a;ü")]


@pytest_twisted.ensureDeferred
async def test_an_answer_names_what_it_follows(house: Society) -> None:
    ids = [f"<{n}.{'x' * 60}@there.example>" for n in range(20)]
    answer = await send(house, inReplyTo="19@there.example", references=ids)
    found = await queued(house, answer)
    assert found["In-Reply-To"] == "<19@there.example>"
    assert str(found["References"]).split() == ids
    assert "References" not in await queued(house, await send(house))
    raw = f"From: {PRIVATE}\r\nTo: bob@there.example\r\n\r\nx\r\n"
    found = await queued(house, await send(house, raw=raw, references="<a@b>"))
    assert found["References"] is None


@pytest_twisted.ensureDeferred
async def test_a_form_has_files_for_attachments(house: Society) -> None:
    parts = {**MESSAGE, "to": "bob@there.example", "cc": "eve@there.example"}
    head = 'Content-Disposition: form-data; name="'
    lines = [f'--b\r\n{head}{name}"\r\n\r\n{value}\r\n' for name, value in parts.items()]
    for name in ("one.txt", "two.txt"):
        told = f'{head}attachments"; filename="{name}"\r\nContent-Type: text/x-own'
        lines.append(f"--b\r\n{told}\r\n\r\n{name}\r\n")
    body = "".join([*lines, "--b--\r\n"]).encode()
    headers = {**house.credentials["owner"], "Content-Type": "multipart/form-data; boundary=b"}
    answer = await ask(reactor, house.port, API, method="POST", body=body, headers=headers)
    found = await queued(house, answer)
    attached = [(p.get_filename(), p.get_content_type()) for p in found.iter_attachments()]
    assert attached == [("one.txt", "text/x-own"), ("two.txt", "text/x-own")]
    assert answer.json()["creditsUsed"] == 2


@pytest_twisted.ensureDeferred
async def test_the_manuals_own_lines_work(house: Society) -> None:
    key = house.credentials["owner"]["Mailsac-Key"]
    fields = {"_mailsacKey": key, **MESSAGE}
    for body in (json.dumps(fields), urlencode(fields)):
        answer = await house.ask("nobody", "POST", API, body.encode())
        assert answer.status == 200, answer
        assert answer.json()["to"] == ["bob@there.example"]


@pytest_twisted.ensureDeferred
async def test_a_whole_message_goes_out_as_it_is_and_what_is_missing_is_added(
    house: Society,
) -> None:
    raw = (
        "Return-Path: <forged@x.example>\nBcc: hidden@there.example\nFrom: Me <"
        f"{PRIVATE}>\nTo: bob@there.example\nX-Own: 1\nBcc:\n more@there.example\n\nline\rline\n"
    )
    whole: dict[str, Any] = {"raw": raw, "to": None, "from": None, "text": "ignored"}
    answer = await send(house, **whole)
    found = await queued(house, answer)
    assert answer.json()["from"] == PRIVATE
    assert answer.json()["to"] == [
        "hidden@there.example", "bob@there.example", "more@there.example"
    ]  # fmt: skip
    assert found.keys() == ["Date", "Message-ID", "From", "To", "X-Own"]
    assert found.get_content() == "line\r\nline\r\n"

    answer = await send(house, raw=raw + "Date: in the body\n", to="only@there.example")
    assert answer.json()["to"] == ["only@there.example"]


@pytest.mark.parametrize(
    ("sender", "allowed"),
    [
        (PRIVATE, True),
        (PRIVATE.replace("@", "+tag@").upper(), True),
        (f"Ann <{IMPLICIT}>", True),
        (f"new@{HOSTING}", True),
        (f"new@{NAMED}", True),
        (f"new@sub.{HOSTING}", True),
        (TAKEN, False),
        (TAKEN.replace("@", "+tag@"), False),
        (f'"{TAKEN.partition("@")[0]}"@foreign.example', False),
        ("ceo@bank.example", False),
        (f"new@sub.{NAMED}", False),
        (f"new@not{HOSTING}", False),
        (CATCH_ALL, False),
        (f"inbox-{'0' * 40}@{HOSTING}", False),
        (f"inbox-{'0' * 40}@{HIDDEN_DOMAIN}", False),
    ],
)
@pytest_twisted.ensureDeferred
async def test_who_may_send_as_whom(house: Society, sender: str, *, allowed: bool) -> None:
    answer = await send(house, **{"from": sender})
    assert answer.status == (200 if allowed else 403), answer
    raw = f"From: {sender}\r\nTo: a@b.example\r\n\r\n"
    answer = await send(house, raw=raw, **{"from": PRIVATE})
    assert answer.status == (200 if allowed else 403), answer
    answer = await send(house, raw=f"Sender: {sender}\r\nFrom: {PRIVATE}\r\n\r\n")
    assert answer.status == (200 if allowed else 403), answer
    answer = await send(house, raw=f"From: {PRIVATE}\r\n\r\n", **{"from": sender})
    assert answer.status == (200 if allowed else 403), answer
    others = TAKEN.partition("@")[0] in sender.lower() or (
        allowed and (HOSTING in sender or NAMED in sender)
    )
    answer = await send(house, "other", **{"from": sender})
    assert answer.status == (200 if others else 403), answer


@pytest.mark.parametrize(
    "head",
    [
        f"From: {PRIVATE}\r\nFrom: ceo@bank.example\r\n",
        f"From: {PRIVATE}\r\n \r\nFrom : ceo@bank.example\r\n",
        f"From: {PRIVATE}, ceo@bank.example\r\n",
        f"From: ceo@bank.example, {PRIVATE}\r\n",
        f"From: <ceo@bank.example> <{PRIVATE}>\r\n",
        f"From: ceo@bank.example <{PRIVATE}>\r\n",
        f"From: {PRIVATE} <ceo@bank.example>\r\n",
        f"From: (<{PRIVATE}>) ceo@bank.example\r\n",
        f"From: group: {PRIVATE};\r\n",
        f"From: <@bank.example:{PRIVATE}>\r\n",
        f"From: {PRIVATE}\r\nSender: ceo@bank.example\r\n",
        "From: box@réserved.example\r\n",
        "From: \r\n",
        "From: nobody\r\n",
    ],
)
@pytest_twisted.ensureDeferred
async def test_no_whole_message_says_that_it_is_from_somebody_else(
    house: Society, head: str
) -> None:
    answer = await send(house, raw=f"{head}To: a@b.example\r\n\r\nHi", **{"from": PRIVATE})
    assert answer.status in {400, 403}, answer
    assert await house.database.fetch("select count(*) from outgoing_message") == [(0,)]


@pytest_twisted.ensureDeferred
async def test_what_comes_after_the_header_is_body_for_every_reader(house: Society) -> None:
    raw = f"From: {PRIVATE}\r\nno field\r\nFrom: ceo@bank.example\r\n\r\nHi"
    found = await queued(house, await send(house, raw=raw))
    assert found.get_all("From") == [PRIVATE]
    assert found.get_content().startswith("no field\r\nFrom: ceo@bank.example")


@pytest.mark.parametrize(
    ("fields", "at_fault"),
    [
        ({"to": None}, ["to"]),
        ({"to": []}, ["to"]),
        ({"to": "nobody"}, ["to"]),
        ({"from": None}, ["from"]),
        ({"from": "a@b.example, c@d.example"}, ["from"]),
        ({"to": "a@b.example\r\nBcc: c@d.example"}, ["to"]),
        ({"from": f"{PRIVATE}\nX: y"}, ["from"]),
        ({"subject": "a\r\nBcc: c@d.example"}, ["subject"]),
        ({"subject": "a\0b"}, ["subject"]),
        ({"subject": "x" * 999}, ["subject"]),
        ({"text": "a\0b"}, ["text"]),
        ({"html": "a\0b"}, ["html"]),
        ({"raw": "From: a@b.example\r\n\r\n\0"}, ["raw"]),
        ({"raw": "Subject: x\r\n\r\n", "from": None}, ["raw"]),
        ({"raw": f"From: {PRIVATE}\r\n\r\n", "to": None}, ["raw"]),
        ({"cc": "x y@z.example", "bcc": "@"}, ["cc", "bcc"]),
        ({"replyTo": "x"}, ["replyTo"]),
        ({"inReplyTo": "<a b@c>"}, ["inReplyTo"]),
        ({"inReplyTo": "a@b\r\nBcc: x@y.example"}, ["inReplyTo"]),
        ({"references": ["<a@b>", "<>"]}, ["references"]),
        ({"references": "<a@b> " * 101}, ["references"]),
        ({"received": ["from a\r\nBcc: x@y.example"]}, ["received"]),
        ({"received": "from ä"}, ["received"]),
        ({"attachments": [{"content": "!", "encoding": "base64"}]}, ["attachments[0]"]),
        ({"attachments": [{"content": "a", "filename": "a\r\nb"}]}, ["attachments[0]"]),
        ({"attachments": [{"content": "a", "contentType": "text/plain\r\nX: y"}]},
         ["attachments[0]"]),
        ({"attachments": [{"content": "a", "contentType": "multipart/mixed"}]},
         ["attachments[0]"]),
        ({"attachments": [{"content": "a", "cid": "a>\r\nX: y"}]}, ["attachments[0]"]),
        ({"attachments": [{"content": "a", "encoding": "rot13"}]}, ["attachments[0]"]),
        ({"attachments": [{"content": "a"}] * 101}, ["attachments"]),
        ({"attachments": [{}]}, ["attachments[0]"]),
        ({"too": "a@b.example"}, ["too"]),
        ({"to": [f"a{n}@b.example" for n in range(101)]}, ["to"]),
    ],
)  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_each_fault_is_named_and_nothing_is_queued(
    house: Society, fields: dict[str, Any], at_fault: list[str]
) -> None:
    assert fields_at_fault(await send(house, **fields)) == at_fault
    assert await house.database.fetch("select count(*) from outgoing_message") == [(0,)]
    assert await house.database.fetch("select count(*) from usage where kind = 'send'") == [(0,)]


@pytest_twisted.ensureDeferred
async def test_who_is_nobody_or_has_no_credits_or_sends_too_much(house: Society) -> None:
    assert (await send(house, "nobody")).status == 401
    assert (await send(house, text="x" * 2_700_000)).status == 413
    await house.database.run(
        "update account set overrides = '{\"sends\": 3}' where name = %s", (OWNER,)
    )
    assert (await send(house, to="a@b.example, c@b.example")).status == 200
    me = await house.json("owner", "GET", "/api/me")
    assert me["sendsRemaining"] == 1
    refused = await send(house, to="a@b.example, c@b.example")
    assert (refused.status, "credits" in refused.json()["message"]) == (402, True)
    assert (await send(house)).status == 200
    assert (await send(house)).status == 402


@pytest_twisted.ensureDeferred
async def test_too_many_recipients_in_a_minute_are_throttled(
    database: Database, database_dsn: str
) -> None:
    limited = "throttle.sends_per_minute=3"
    async with society(database, database_dsn, NOBODY_TAKES_IT, limited) as house:
        assert (await send(house, to="a@b.example, c@b.example")).status == 200
        assert (await send(house)).status == 200
        refused = await send(house)
        assert refused.status == 429
        assert int(refused.headers["retry-after"]) > 0


@pytest_twisted.ensureDeferred
async def test_the_operators_fields_are_set_and_nobody_forges_them(
    database: Database, database_dsn: str
) -> None:
    async with society(
        database,
        database_dsn,
        NOBODY_TAKES_IT,
        "sending.abuse_contact=abuse@op.example",
        "sending.unsubscribe=mailto:stop@op.example",
    ) as house:
        first = await queued(house, await send(house))
        raw = f"From: {PRIVATE}\r\nX-Abuse-Reference: 1\r\nList-Unsubscribe: <https://x>\r\n\r\n"
        second = await queued(house, await send(house, raw=raw))
        await house.json("other", "POST", f"/api/addresses/{TAKEN}")
        others = await queued(house, await send(house, "other", **{"from": TAKEN}))
    assert first["X-Abuse-Contact"] == "abuse@op.example"
    assert first["List-Unsubscribe"] == "<mailto:stop@op.example>"
    assert second.get_all("List-Unsubscribe") == ["<https://x>"]
    assert second.get_all("X-Abuse-Reference") == [first["X-Abuse-Reference"]]
    assert OWNER not in first["X-Abuse-Reference"]
    assert others["X-Abuse-Reference"] != first["X-Abuse-Reference"]


@pytest_twisted.ensureDeferred
async def test_senders_see_and_change_their_own_and_nobody_elses(house: Society) -> None:
    sent = (await send(house, to="a@b.example, c@b.example")).json()["_id"]
    later = (await send(house)).json()["_id"]
    await rests(house, sent)
    assert [m["_id"] for m in await house.json("owner", "GET", API)] == [later, sent]
    assert [m["_id"] for m in await house.json("team", "GET", f"{API}?limit=1&skip=1")] == [sent]
    assert await house.json("other", "GET", API) == []
    one = await house.json("owner", "GET", f"{API}/{sent}")
    assert [r["state"] for r in one["recipients"]] == ["queued", "queued"]
    assert (one["from"], one["subject"], one["origin"]) == (PRIVATE, "Hello", "api")
    for method, target in (("GET", ""), ("POST", "/cancel"), ("POST", "/retry")):
        assert (await house.ask("other", method, f"{API}/{sent}{target}")).status == 404
        assert (await house.ask("nobody", method, f"{API}/{sent}{target}")).status == 401
        assert (await house.ask("owner", method, f"{API}/no{target}")).status == 404

    body = json.dumps({"recipient": "C@B.example"}).encode()
    changed = await house.json("owner", "POST", f"{API}/{sent}/cancel", body)
    assert [r["state"] for r in changed["recipients"]] == ["queued", "cancelled"]
    assert changed["ended"] is None
    assert (await house.ask("owner", "POST", f"{API}/{sent}/cancel", body)).status == 409
    changed = await house.json("owner", "POST", f"{API}/{sent}/retry", body)
    assert [r["state"] for r in changed["recipients"]] == ["queued", "queued"]
    await rests(house, sent)
    changed = await house.json("owner", "POST", f"{API}/{sent}/cancel")
    assert changed["ended"]
    [(content,)] = await house.database.fetch(
        "select body from outgoing_message where id = %s", (sent,)
    )
    assert content is None
    assert (await house.ask("owner", "POST", f"{API}/{sent}/retry")).status == 409
    unknown = json.dumps({"recipient": "nobody@b.example"}).encode()
    assert (await house.ask("owner", "POST", f"{API}/{later}/cancel", unknown)).status == 404


@pytest_twisted.ensureDeferred
async def test_what_is_being_sent_is_left_alone(house: Society) -> None:
    sent = (await send(house)).json()["_id"]
    await rests(house, sent)
    await house.database.run(
        "update outgoing_recipient set ready = false, claimed_until = now() + interval '1 hour'"
    )
    assert (await house.ask("owner", "POST", f"{API}/{sent}/cancel")).status == 409
    [recipient] = (await house.json("owner", "GET", f"{API}/{sent}"))["recipients"]
    assert recipient["sending"] is True
