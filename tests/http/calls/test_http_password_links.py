"""A forgotten password: asked for, mailed, set."""

import json
import re
from email import message_from_bytes
from email.policy import SMTP

import pytest_twisted
from twisted.internet.task import deferLater

from mailsacd.store.compression import expand
from mailsacd.store.pool import Database
from tests.http.client import Answer, ask
from tests.http.society import OWNER, Society, reactor, society
from tests.patience import PATIENCE_S

FORGOT = "/api/auth/forgot-password"
SETTINGS = ("relay.smarthost=127.0.0.1:1", "http.public_url=https://team.example/mail/")


async def _post(house: Society, path: str, **fields: str) -> Answer:
    body = json.dumps(fields).encode()
    return await ask(reactor, house.port, path, method="POST", body=body)


async def _queued(database: Database) -> bytes:
    deadline_s = reactor.seconds() + PATIENCE_S
    while not (rows := await database.fetch("select body from outgoing_message")):
        assert reactor.seconds() < deadline_s, "nothing was queued"
        await deferLater(reactor, 0.01)
    return expand(bytes(rows[0][0]))


@pytest_twisted.ensureDeferred
async def test_the_answer_is_the_same_for_everybody_and_the_link_sets_a_password(
    database: Database, database_dsn: str
) -> None:
    async with society(database, database_dsn, *SETTINGS) as house:
        await database.run("update account set email = name || '@example.net'")
        answers = [await _post(house, FORGOT, name=name) for name in ("nobody", OWNER)]
        assert {(a.status, a.body) for a in answers} == {(200, b'{"ok":true}')}

        message = message_from_bytes(await _queued(database), policy=SMTP)
        text = next(message.iter_parts()).get_content()
        token = re.search(r"https://team\.example/mail/reset-password\?token=(\S+)", text)
        assert token
        done = await _post(house, "/api/auth/reset", token=token[1], password="a new password")
        assert done.status == 200, done
        signed_in = await _post(house, "/api/auth/login", name=OWNER, password="a new password")
        assert signed_in.status == 200, signed_in


@pytest_twisted.ensureDeferred
async def test_who_asks_too_often_waits(database: Database, database_dsn: str) -> None:
    async with society(database, database_dsn, *SETTINGS) as house:
        answers = [await _post(house, FORGOT, name=f"nobody{n}") for n in range(11)]
        assert [a.status for a in answers] == [200] * 10 + [429]
        assert int(answers[-1].headers["retry-after"]) > 0
        assert (await _post(house, FORGOT)).status == 400
