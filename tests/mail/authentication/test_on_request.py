"""Who asks for who sent a message waits for a turn, and nothing is read before that."""

from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.task import deferLater

from mailsacd.core.actor import ANYONE, Actor
from mailsacd.core.dns import Found
from mailsacd.core.errors import OverloadedError
from mailsacd.core.message import Message
from mailsacd.core.message_form import UNTOUCHED
from mailsacd.mail.authentication.evaluation import Question
from mailsacd.mail.authentication.examination import Examiner
from mailsacd.mail.authentication.on_request import AT_ONCE, MAX_WAITING, ChecksOnRequest
from mailsacd.store.pool import Database
from tests.lanes import LANES
from tests.mail.authentication.signer import MESSAGE

reactor: Any = the_reactor


class Stored:
    """An inbox that has every message; it counts whose bytes were asked for."""

    def __init__(self) -> None:
        self.read: list[str] = []

    async def get(self, actor: Actor, email: str, message_id: str) -> Message:
        del actor
        return Message(inbox=email, id=message_id, facts="", marks=UNTOUCHED)

    async def raw(self, actor: Actor, email: str, message_id: str) -> bytes:
        del actor, email
        self.read.append(message_id)
        return MESSAGE


def _caller(number: int) -> Actor:
    return Actor(account=f"name{number}")


async def _silent(question: Question) -> Found[Any]:
    del question
    return await Deferred()


@pytest_twisted.ensureDeferred
async def test_no_more_messages_are_read_than_are_examined_at_once(database: Database) -> None:
    stored = Stored()
    examiner = Examiner(_silent, LANES.checks, hostname="mx.example", timeout_s=60, reactor=reactor)
    checks = ChecksOnRequest(database, stored, examiner)
    asking = [
        ensureDeferred(checks.authentication(_caller(n), "bob@example.net", f"{'0' * 20}{n:03}-0"))
        for n in range(MAX_WAITING)
    ]
    await deferLater(reactor, 0)
    assert len(stored.read) == AT_ONCE
    with pytest.raises(OverloadedError):
        await checks.authentication(ANYONE, "bob@example.net", f"{'0' * 20}999-0")
    assert len(stored.read) == AT_ONCE
    for each in reversed(asking):
        each.cancel()
        with pytest.raises(CancelledError):
            await each
