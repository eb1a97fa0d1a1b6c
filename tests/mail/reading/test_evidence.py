"""What is known of a message, gathered from real messages and sources that the tests make."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.task import Clock

from mailsacd.core.actor import ANYONE, Actor
from mailsacd.core.budget import ByteBudget
from mailsacd.core.errors import ForbiddenError, NotFoundError, OverloadedError
from mailsacd.mail.reading.evidence import KEPT_S, Evidence, Source
from mailsacd.mail.reading.mailbox import Mailbox
from mailsacd.mail.receiving.compose import Composer
from mailsacd.mail.receiving.ingest import Ingest
from mailsacd.store.pool import Database
from tests.lanes import LANES
from tests.mail.access import access_control
from tests.mail.envelopes import envelope

reactor: Any = the_reactor
BOX = "bob@example.com"
ANN = Actor(account="ann")


@dataclass
class Told:
    """A source: what it says, or raises, and who has asked."""

    says: Any = "something"
    asked: list[str | None] = field(default_factory=list)

    async def find(self, actor: Actor, _email: str, _message_id: str) -> Any:
        self.asked.append(actor.account)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


@dataclass
class Gathering:
    """Evidence of one message, from the source ``told``."""

    told: Told
    clock: Clock
    mailbox: Mailbox
    evidence: Evidence
    message_id: str

    async def gather(self, actor: Actor = ANYONE) -> tuple[dict[str, Any], dict[str, str]]:
        message, findings = await self.evidence.of_message(actor, BOX, self.message_id)
        assert message.id == self.message_id
        return dict(findings.found), dict(findings.missing)


@pytest_twisted.async_yield_fixture
async def gathering(database: Database) -> AsyncIterator[Gathering]:
    ingest = Ingest(
        database,
        composer=Composer("mx.example", LANES.mail_in),
        budget=ByteBudget(1 << 24),
        reactor=reactor,
    )
    mail = envelope(ingest, b"Subject: x\r\n\r\ny", BOX)
    await ingest.deliver(mail)
    told, clock = Told(), Clock()
    mailbox = Mailbox(database, access_control(database), LANES.readers)
    source = Source(name="spam", find=told.find, nothing="Nobody scores mail")
    evidence = Evidence(mailbox, [source], reactor=clock)
    yield Gathering(told, clock, mailbox, evidence, f"{mail.id}-0")
    await ingest.finish()


@pytest_twisted.ensureDeferred
async def test_what_was_gathered_is_told_again_for_a_while(gathering: Gathering) -> None:
    for _ in range(2):
        assert await gathering.gather() == ({"spam": "something"}, {})
    assert len(gathering.told.asked) == 1
    gathering.clock.advance(KEPT_S)
    await gathering.gather()
    assert len(gathering.told.asked) == 2


@pytest_twisted.ensureDeferred
async def test_each_caller_has_what_he_may_see(gathering: Gathering) -> None:
    for actor in (ANYONE, ANN, Actor(account="ann", is_operator=True), ANN):
        await gathering.gather(actor)
    assert gathering.told.asked == [None, "ann", "ann"]


@pytest_twisted.ensureDeferred
async def test_nothing_is_missing_with_its_reason(gathering: Gathering) -> None:
    gathering.told.says = None
    assert await gathering.gather() == ({}, {"spam": "Nobody scores mail"})


@pytest_twisted.ensureDeferred
async def test_what_cannot_be_told_now_is_asked_for_the_next_time(gathering: Gathering) -> None:
    gathering.told.says = OverloadedError("Too many wait")
    assert await gathering.gather() == ({}, {"spam": "Too many wait"})
    gathering.told.says = "late"
    assert await gathering.gather() == ({"spam": "late"}, {})


@pytest.mark.parametrize("error", [ForbiddenError("no"), NotFoundError("gone")])
@pytest_twisted.ensureDeferred
async def test_a_source_that_refuses_refuses_all(gathering: Gathering, error: Exception) -> None:
    gathering.told.says = error
    with pytest.raises(type(error)):
        await gathering.gather()


@pytest_twisted.ensureDeferred
async def test_a_message_that_is_gone_is_not_told_of(gathering: Gathering) -> None:
    await gathering.gather()
    await gathering.mailbox.delete(ANYONE, BOX, gathering.message_id)
    with pytest.raises(NotFoundError):
        await gathering.gather()
