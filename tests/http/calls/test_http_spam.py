"""How likely a message is spam, by a whole daemon that asks a scorer."""

import smtplib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.threads import deferToThread

from mailsacd.store.pool import Database
from mailsacd.store.spam_tokens import count_learned
from tests.http.client import ask
from tests.http.society import OWNER, PRIVATE, PUBLIC, Society, society
from tests.mail.spam.scorer import Answers
from tests.patience import until_async

reactor: Any = the_reactor
ensure = pytest_twisted.ensureDeferred

MESSAGE = b"From: ann@example.com\r\nSubject: pills\r\n\r\nbuy\r\n"


@asynccontextmanager
async def scored_by(
    database: Database, dsn: str, answers: Answers, *settings: str
) -> AsyncIterator[Society]:
    """A daemon that asks ``answers``."""
    answers.listen()
    scorer = ("spam.scorer=rspamd", f"spam.address=127.0.0.1:{answers.number}")
    dns = ("dns.servers=127.0.0.1:9", "checks.authentication=off")
    async with society(database, dsn, *scorer, *dns, *settings) as made:
        yield made
    await answers.stop()


async def send(people: Society, *recipients: str) -> None:
    """Mail by SMTP."""
    port = people.ports["smtp"]

    def work() -> None:
        with smtplib.SMTP("127.0.0.1", port, "client.example", 60) as client:
            client.sendmail("ann@example.com", recipients, MESSAGE)

    await deferToThread(work)


async def newest(people: Society, inbox: str, who: str = "nobody") -> Any:
    return (await people.json(who, "GET", f"/api/addresses/{inbox}/messages"))[0]


async def scored(people: Society, inbox: str, who: str = "nobody") -> Any:
    """The newest message, once it has a score."""

    async def with_score() -> Any:
        found = await newest(people, inbox, who)
        return found if found["spam"] else None

    return await until_async(with_score)


async def learned(people: Society) -> int:
    """How many messages the owner has taught, once there are any."""

    async def count() -> int:
        known = await count_learned(people.database, OWNER)
        return known.spam + known.ham

    return await until_async(count)


@ensure
async def test_public_and_private_mail_has_its_score_and_its_reasons(
    database: Database, database_dsn: str
) -> None:
    answers = Answers()
    async with scored_by(database, database_dsn, answers) as people:
        await send(people, PUBLIC, PRIVATE)
        for inbox, who in ((PUBLIC, "nobody"), (PRIVATE, "owner")):
            found = await scored(people, inbox, who)
            assert (found["spam"], found["folder"]) == (0.6, "spam")
            target = f"/api/addresses/{inbox}/messages/{found['_id']}"
            assert await people.json(who, "GET", target) == found
            told = await people.json(who, "GET", f"{target}/spam")
            assert told["spam"].pop("checked")
            assert told == {
                "_id": found["_id"],
                "spam": {
                    "score": 0.6, "scorer": "rspamd", "points": 9.0, "required": 15.0,
                    "reasons": [{"name": "WORD", "points": 9.0, "text": "A word"}],
                },
            }  # fmt: skip
            evidence = await people.json(who, "GET", f"{target}/evidence")
            assert evidence["spam"].pop("checked")
            assert evidence["spam"] == told["spam"]
        page = await ask(reactor, people.port, f"/inbox/{PUBLIC}/{found['_id'][:-1]}0")
        assert "60% by rspamd" in page.body.decode()
        assert "+9 <strong>WORD</strong>: A word" in page.body.decode()
        filed = await people.json("owner", "GET", "/api/inbox-filter?andFolder=spam")
        assert [message["inbox"] for message in filed["messages"]] == [PRIVATE]
        figures = (await people.ask("nobody", "GET", "/metrics")).body.decode()
        assert 'mailsacd_spam_scored_total{outcome="done"} 1' in figures
        await people.json("owner", "PUT", f"{target}/folder/inbox")
        assert await learned(people) == 1


@ensure
async def test_who_asks_for_what_was_not_scored_has_it_scored_where_it_is(
    database: Database, database_dsn: str
) -> None:
    answers = Answers()
    answers.is_silent = True
    setting = "spam.timeout_s=0.2"
    async with scored_by(database, database_dsn, answers, setting) as people:
        message_id = await people.deliver(PUBLIC)  # by another node, which did not score it
        target = f"/api/addresses/{PUBLIC}/messages/{message_id}"
        refused = await people.ask("nobody", "GET", f"{target}/spam")
        assert refused.status == 503
        assert refused.json()["message"] == "rspamd does not answer"
        answers.is_silent = False
        assert (await people.json("nobody", "GET", f"{target}/spam"))["spam"]["score"] == 0.6
        message = await people.json("nobody", "GET", target)
        assert (message["spam"], message["folder"]) == (0.6, "inbox")
        asked = len(answers.asked)
        assert (await people.json("nobody", "GET", f"{target}/spam"))["spam"]["score"] == 0.6
        assert len(answers.asked) == asked


@ensure
async def test_an_account_that_wants_no_score_has_none(
    database: Database, database_dsn: str
) -> None:
    answers = Answers()
    async with scored_by(database, database_dsn, answers) as people:
        await people.json("owner", "PUT", "/api/me", b'{"disableSpam": true}')
        await send(people, PRIVATE)
        await send(people, PUBLIC)
        await scored(people, PUBLIC)
        found = await newest(people, PRIVATE, "owner")
        target = f"/api/addresses/{PRIVATE}/messages/{found['_id']}/spam"
        assert (await people.json("owner", "GET", target))["spam"] is None
        assert (found["spam"], len(answers.asked)) == (0, 1)
