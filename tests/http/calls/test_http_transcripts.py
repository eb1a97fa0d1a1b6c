"""What was said by SMTP: by whole daemons, with mail by sockets; who is told what of it."""

import json
import smtplib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from mailsacd.core.account import new_token
from mailsacd.mail.accounts.auth import hash_of
from mailsacd.store.pool import Database
from mailsacd.store.sessions import add_session
from tests.http.society import OTHER, PRIVATE, PUBLIC, Society, society
from tests.patience import until_async

reactor: Any = the_reactor
ensure = pytest_twisted.ensureDeferred

NAMED = "named@public.example"
BLIND = "blind@elsewhere.example"
MESSAGE = f"From: ann@example.net\r\nTo: {PUBLIC}\r\nCc: {NAMED}\r\n\r\nvery secret text\r\n"


async def talk(people: Society, work: Callable[[smtplib.SMTP], Any], port: str = "smtp") -> Any:
    """What ``work`` answers, which talks to the port."""

    def connected() -> Any:
        with smtplib.SMTP("127.0.0.1", people.ports[port], "client.example", 60) as client:
            return work(client)

    return await deferToThread(connected)


async def send(people: Society, *recipients: str, message: str = MESSAGE) -> None:
    await talk(people, lambda client: client.sendmail("ann@example.net", recipients, message))


async def newest(people: Society, inbox: str, who: str = "nobody") -> str:
    found = await people.json(who, "GET", f"/api/addresses/{inbox}/messages?limit=1")
    return str(found[0]["_id"])


async def transcript(people: Society, inbox: str, who: str, of: str = "") -> Any:
    message_id = of or await newest(people, inbox, who)
    target = f"/api/addresses/{inbox}/messages/{message_id}/transcript"
    return (await people.json(who, "GET", target))["transcript"]


async def refused(people: Society, inbox: str, who: str, count: int = 1) -> Any:
    """Those of an address, once there are so many."""
    target = f"/api/addresses/{inbox}/refused-transcripts"

    async def so_many() -> Any:
        found = await people.json(who, "GET", target)
        return found if len(found) >= count else None

    return await until_async(so_many)


def recipients(told: Any) -> list[str]:
    return [each["to"] for each in told["recipients"]]


def dialogue(told: Any) -> list[str]:
    return [f"{line['by'][0]} {line['text'] or line['omitted']}" for line in told["lines"]]


@ensure
async def test_readers_are_told_of_no_blind_copies_but_their_own(
    database: Database, database_dsn: str
) -> None:
    async with society(database, database_dsn, "transcripts.of=all") as people:
        await send(people, PUBLIC, PRIVATE, NAMED.upper(), BLIND)
        told = await transcript(people, PUBLIC, "nobody")
        message_id = await newest(people, PUBLIC)
        assert dialogue(told) == [
            "s 220 " + dialogue(told)[0].removeprefix("s 220 "),
            "c ehlo client.example",
            dialogue(told)[2],
            f"c mail FROM:<ann@example.net> size={len(MESSAGE)}",
            "s 250 2.1.0 Sender ok",
            f"c rcpt TO:<{PUBLIC}>",
            "s 250 2.1.5 Recipient ok",
            f"c rcpt TO:<{NAMED.upper()}>",
            "s 250 2.1.5 Recipient ok",
            "c data",
            "s 354 End the message with <CR><LF>.<CR><LF>",
            "c message",
            f"s 250 2.0.0 Ok: stored as {message_id[:-2]}",
        ]
        assert "\n250-SIZE" in dialogue(told)[2]
        assert [line["at"] is None for line in told["lines"]] == [False] * 12 + [True]
        assert told["began"] <= told["lines"][0]["at"] <= told["lines"][-2]["at"]
        assert (told["from"], told["size"]) == ("ann@example.net", len(MESSAGE))
        assert (told["declaredSize"], told["code"], told["chunked"]) == (len(MESSAGE), 250, False)
        assert (told["peer"], told["protocol"]) == ("127.0.0.1", "ESMTP")
        assert (told["tls"], told["clientCertificate"], told["login"]) == (None, None, None)
        assert "secret" not in json.dumps(told)
        target = f"/api/addresses/{PUBLIC}/messages/{message_id}/evidence"
        evidence = await people.json("nobody", "GET", target)
        assert evidence["transcript"] == told
        assert "transcript" not in evidence["missing"]
        for who, inbox, shown in (
            ("nobody", PUBLIC, [PUBLIC, NAMED.upper()]),
            ("other", PUBLIC, [PUBLIC, NAMED.upper()]),
            ("owner", PUBLIC, [PUBLIC, PRIVATE, NAMED.upper()]),
            ("owner", PRIVATE, [PUBLIC, PRIVATE, NAMED.upper()]),
            ("team", PRIVATE, [PUBLIC, PRIVATE, NAMED.upper()]),
            ("nobody", BLIND, [PUBLIC, NAMED.upper(), BLIND]),
        ):
            told = await transcript(people, inbox, who)
            assert recipients(told) == shown, (who, inbox)
            hidden = {PUBLIC, PRIVATE, NAMED, BLIND} - {each.lower() for each in shown}
            assert not [each for each in hidden if each in json.dumps(told).lower()]


@ensure
async def test_who_logged_in_sees_all_it_said_but_secrets(
    database: Database, database_dsn: str
) -> None:
    async with society(database, database_dsn, "transcripts.of=all") as people:
        key = people.credentials["owner"]["Mailsac-Key"]

        def capture(client: smtplib.SMTP) -> None:
            client.login("ownerann", key)
            client.sendmail("ann@example.net", [PUBLIC, BLIND], MESSAGE)

        await talk(people, capture, "capture")
        told = await transcript(people, PUBLIC, "owner")
        assert recipients(told) == [PUBLIC, BLIND]
        assert (told["login"], told["protocol"], told["port"]) == ("ownerann", "ESMTPA", "capture")
        [auth] = [line for line in told["lines"] if line["omitted"] == "credentials"]
        assert auth["text"] == "AUTH PLAIN"
        others = await transcript(people, PUBLIC, "nobody")
        assert (recipients(others), others["login"]) == ([PUBLIC], None)
        assert key not in json.dumps([told, others])


@ensure
async def test_what_was_refused_is_for_the_owner_of_the_address_or_the_operator(
    database: Database, database_dsn: str
) -> None:
    settings = ("transcripts.of=all", "message.max_bytes=1000", "transcripts.refused_per_address=2")
    theirs = "theirs@other.example"
    async with society(database, database_dsn, *settings) as people:
        await people.json("other", "POST", f"/api/addresses/{theirs}")
        token = new_token()
        await database.run("update account set operator = true where name = %s", (OTHER,))
        expires = datetime.now(UTC) + timedelta(hours=1)
        await add_session(database, hash_of(token), OTHER, expires)
        people.credentials["operator"] = {"Cookie": f"mailsacd_session={token}"}

        def too_large(client: smtplib.SMTP) -> None:
            client.ehlo()
            client.mail("ann@example.net")
            for recipient in (PUBLIC, PRIVATE, theirs):
                client.rcpt(recipient)
            assert client.data("x" * 2000)[0] == 552

        for _ in range(3):
            await talk(people, too_large)
        mine = await refused(people, PRIVATE, "owner", 2)
        await deferLater(reactor, 0.6)  # those of all three are written by now
        mine = await refused(people, PRIVATE, "owner", 2)
        assert len(mine) == 2
        assert mine[0]["_id"] > mine[1]["_id"]
        told = mine[0]["transcript"]
        assert (recipients(told), told["code"]) == ([PRIVATE], 552)
        assert not [each for each in (PUBLIC, theirs) if each in json.dumps(mine)]
        assert recipients((await refused(people, theirs, "other"))[0]["transcript"]) == [theirs]
        assert len(await refused(people, PRIVATE, "operator")) == 2
        [nobodys, *_] = await refused(people, PUBLIC, "operator")
        assert recipients(nobodys["transcript"]) == [PUBLIC, PRIVATE, theirs]
        for who, inbox in (("nobody", PRIVATE), ("other", PRIVATE), ("owner", PUBLIC)):
            target = f"/api/addresses/{inbox}/refused-transcripts"
            assert (await people.ask(who, "GET", target)).status == 401


@ensure
async def test_an_owner_has_those_of_an_address_kept_and_of_no_other(
    database: Database, database_dsn: str
) -> None:
    async with society(database, database_dsn, "message.max_bytes=1000") as people:
        target = f"/api/addresses/{PRIVATE}"
        await send(people, PRIVATE)
        assert await transcript(people, PRIVATE, "owner") is None
        assert not (await people.json("owner", "GET", target))["transcript"]
        changed = await people.json("owner", "PUT", target, b'{"transcript": true}')
        assert changed["transcript"]
        await send(people, PRIVATE, PUBLIC)
        assert recipients(await transcript(people, PRIVATE, "owner")) == [PRIVATE, PUBLIC]
        assert await transcript(people, PUBLIC, "owner") is None
        await people.json("owner", "PUT", target, b'{"transcript": false}')
        await send(people, PRIVATE)
        assert await transcript(people, PRIVATE, "owner") is None
