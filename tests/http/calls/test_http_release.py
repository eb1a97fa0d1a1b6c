"""Releasing: a stored message goes on as it is, to whom the operator allows."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted

from mailsacd.core.errors import ConfigurationError
from mailsacd.mail.sending.release import ReleasePatterns
from mailsacd.store.compression import expand
from mailsacd.store.pool import Database
from tests.http.client import Answer
from tests.http.society import (
    CATCH_ALL,
    IMPLICIT,
    OWNER,
    PRIVATE,
    PUBLIC,
    Society,
    society,
)
from tests.patience import until_async

ALLOWED = 'relay.release_to=["qa.example", "*.below.example", "One@other.example"]'
OURS = "mailsacd@mx.host.example"


@pytest_twisted.async_yield_fixture
async def house(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    nowhere = ("relay.smarthost=127.0.0.1:1", 'relay.allowed_networks=["127.0.0.0/8"]')
    settings = (*nowhere, "server.hostname=mx.host.example", ALLOWED)  # so that it stays queued
    async with society(database, database_dsn, *settings) as made:
        yield made


async def release(
    house: Society, inbox: str, message_id: str, to: Any = "bob@qa.example", who: str = "owner"
) -> Answer:
    target = f"/api/addresses/{inbox}/messages/{message_id}/release"
    return await house.ask(who, "POST", target, json.dumps({"to": to}).encode())


async def queued(house: Society, answer: Answer) -> tuple[str, str, str, bytes]:
    """Account, reverse-path, From for the signature, and content of what was queued."""
    assert answer.status == 200, answer
    [row] = await house.database.fetch(
        "select account, reverse_path, header_from, body from outgoing_message"
        " where id = %s and origin = 'release'",
        (answer.json()["_id"],),
    )
    account, reverse_path, header_from, body = row
    return account, reverse_path, header_from, expand(bytes(body))


CONTENT = b"From: ceo@bank.example\r\nBcc: x@y.example\r\nSubject: hi\r\n\r\nhello\r\n.\r\n"


@pytest_twisted.ensureDeferred
async def test_a_message_goes_on_as_it_is_with_who_sends_it_on_before_it(house: Society) -> None:
    message_id = await house.deliver(PRIVATE, CONTENT)
    answer = await release(house, PRIVATE, message_id, ["Bob@QA.example", "bob@qa.example"])
    told = answer.json()
    assert (told["to"], told["from"], told["creditsUsed"]) == (["Bob@qa.example"], PRIVATE, 1)
    account, reverse_path, header_from, content = await queued(house, answer)
    assert (account, reverse_path, header_from) == (OWNER, PRIVATE, PRIVATE)
    resent, received, message = content.partition(b"Received: ")
    assert [line.partition(b":")[0] for line in resent.splitlines()] == [
        b"Resent-From", b"Resent-To", b"Resent-Date", b"Resent-Message-ID",
    ]  # fmt: skip
    assert resent.startswith(f"Resent-From: {PRIVATE}\r\nResent-To: Bob@qa.example\r\n".encode())
    assert received
    assert message.endswith(b"\r\n" + CONTENT)
    assert b"Return-Path" not in content


@pytest_twisted.ensureDeferred
async def test_what_was_sent_from_here_before_is_released_here_again(house: Society) -> None:
    sent = b"X-mailsacd-LOOP: mx.host.example\r\n" + CONTENT + b"X-Mailsacd-Loop: in the text\r\n"
    target = "one@other.example"
    await house.json("owner", "POST", f"/api/addresses/{target}")
    answer = await release(house, PRIVATE, await house.deliver(PRIVATE, sent), target)
    content = (await queued(house, answer))[3]
    assert content.lower().count(b"x-mailsacd-loop") == 1
    assert content.endswith(b"X-Mailsacd-Loop: in the text\r\n")
    api = f"/api/outgoing-messages/{answer.json()['_id']}"

    async def once_ended() -> Any:
        told = await house.json("owner", "GET", api)
        return told if told["ended"] else None

    told = await until_async(once_ended)
    assert [r["state"] for r in told["recipients"]] == ["delivered"]


@pytest.mark.parametrize("inbox", [PUBLIC, CATCH_ALL])
@pytest_twisted.ensureDeferred
async def test_out_of_an_inbox_that_others_read_too_the_server_sends(
    house: Society, inbox: str
) -> None:
    answer = await release(house, inbox, await house.deliver(inbox))
    assert (await queued(house, answer))[1:3] == ("", OURS)


@pytest_twisted.ensureDeferred
async def test_an_address_of_a_private_domain_sends_itself(house: Society) -> None:
    answer = await release(house, IMPLICIT, await house.deliver(IMPLICIT))
    assert (await queued(house, answer))[1:3] == (IMPLICIT, IMPLICIT)


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (b"Subject: a\n\nx\ny", b"Subject: a\r\n\r\nx\r\ny\r\n"),
        (b"Subject: a\r\rx\ry", b"Subject: a\r\n\r\nx\r\ny\r\n"),
        (b"no header at all\r\n", b"\r\nno header at all\r\n"),
        (b"Subject: a\r\n\r\nx\n.\nMAIL FROM:<a@b>\n", b"x\r\n.\r\nMAIL FROM:<a@b>\r\n"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_lines_end_in_crlf_and_the_header_where_it_did(
    house: Society, content: bytes, body: bytes
) -> None:
    answer = await release(house, PRIVATE, await house.deliver(PRIVATE, content))
    assert (await queued(house, answer))[3].endswith(body)


@pytest.mark.parametrize(
    ("to", "status", "told"),
    [
        ("a@b.qa.example", 403, "relay.release_to does not allow"),
        (["a@qa.example", "two@other.example"], 403, "relay.release_to does not allow"),
        ("a@x.below.example", 200, ""),
        ("a@below.example", 403, "relay.release_to"),
        ("one@other.example", 200, ""),
        ([], 400, "names nobody"),
        ("no address", 400, "no @"),
        ("a@qa.example\r\nBcc: x@y.example", 400, ""),
        ("a@qa.example, b@qa.example", 400, ""),
        (5, 400, "to"),
        ([f"{n}@qa.example" for n in range(101)], 400, "more than 100"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_to_whom(house: Society, to: Any, status: int, told: str) -> None:
    answer = await release(house, PUBLIC, await house.deliver(PUBLIC), to)
    assert (answer.status, told in answer.body.decode()) == (status, True), answer


@pytest_twisted.ensureDeferred
async def test_each_recipient_takes_a_credit(house: Society) -> None:
    await house.database.run("update account set overrides = '{\"sends\": 2}'")
    message_id = await house.deliver(PUBLIC)
    for to, status in (
        (["a@qa.example", "b@qa.example", "c@qa.example"], 402),
        (["a@qa.example", "b@qa.example"], 200),
        ("a@qa.example", 402),
    ):
        assert (await release(house, PUBLIC, message_id, to)).status == status


@pytest_twisted.ensureDeferred
async def test_without_the_setting_nobody_is_sent_anything(
    database: Database, database_dsn: str
) -> None:
    async with society(database, database_dsn) as house:
        answer = await release(house, PUBLIC, await house.deliver(PUBLIC))
        assert (answer.status, "relay.release_to" in answer.json()["message"]) == (403, True)


def test_everybody_may_be_allowed() -> None:
    assert ReleasePatterns(["*"]).allow("anybody@anywhere.example")
    assert ReleasePatterns(["*@qa.example"]).allow("anybody@qa.example")


@pytest.mark.parametrize("pattern", ["no domain", "*.", "a@", "a@*"])
def test_a_pattern_that_is_none_is_told_at_the_start(pattern: str) -> None:
    with pytest.raises(ConfigurationError, match=r"relay\.release_to"):
        ReleasePatterns([pattern])
