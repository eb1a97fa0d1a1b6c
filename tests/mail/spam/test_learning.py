"""What the classifier learns of samples and of what accounts move, and what it says then."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, gatherResults

from mailsacd.core.actor import ANYONE, Actor
from mailsacd.core.budget import ByteBudget
from mailsacd.core.spam import ScoredMail
from mailsacd.mail.reading.marks import Marks
from mailsacd.mail.receiving.compose import Composer
from mailsacd.mail.receiving.ingest import Ingest
from mailsacd.mail.spam.bayes import LEAST
from mailsacd.mail.spam.classifier import Classifier
from mailsacd.mail.spam.learning import MovedMail, added_up
from mailsacd.mail.spam.tokens import tokens_of
from mailsacd.store.pool import Database
from mailsacd.store.spam_tokens import (
    MESSAGES,
    Seen,
    add_tokens,
    count_learned,
    find_tokens,
    forget_tokens,
)
from mailsacd.work import later
from tests.lanes import LANES
from tests.mail.access import access_control
from tests.mail.envelopes import envelope
from tests.mail.owners import add_owner
from tests.patience import until

reactor: Any = the_reactor
ensure = pytest_twisted.ensureDeferred

ANN = Actor(account="ann", login="ann")
PRIVATE, PUBLIC = "box@private.example", "anybody@public.example"
SPAM = b"Subject: Cheap pills\r\n\r\nbuy cheap pills without a prescription today\r\n"
HAM = b"Subject: Minutes\r\n\r\nplease find enclosed the minutes of our meeting on monday\r\n"
NEWS = b"From: news@shop.example\r\nSubject: Our offers\r\n\r\nthis week shoes and coats\r\n"


class House:
    """Two accounts, whose moves are learned."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.moved = MovedMail(database, LANES.checks, reactor=reactor)
        self.marks = Marks(database, access_control(database), self.moved)
        self.classifier = Classifier(database, LANES.checks, reactor=reactor)
        self._ingest = Ingest(
            database,
            composer=Composer("mx.example", LANES.mail_in),
            budget=ByteBudget(1 << 24),
            reactor=reactor,
        )

    async def deliver(self, inbox: str, content: bytes) -> str:
        """Mail; its id."""
        new = envelope(self._ingest, content, inbox)
        await self._ingest.deliver(new)
        return f"{new.id}-0"

    async def move(
        self, actor: Actor, inbox: str, message_id: str, *folders: str
    ) -> tuple[int, int]:
        """Move a message; how many are known of that account then."""
        for folder in folders:
            await self.marks.move(actor, inbox, message_id, folder)
            await until(lambda: self.moved.is_idle)
        known = await count_learned(self.database, actor.account or "ann")
        return known.spam, known.ham

    async def learn(self, spam: int, ham: int, account: str | None = None) -> None:
        """Samples."""
        for count, content, is_spam in ((spam, SPAM, True), (ham, HAM, False)):
            await add_tokens(self.database, account, added_up([content] * count, is_spam=is_spam))

    async def score(self, content: bytes, account: str | None = None) -> float | None:
        """What the classifier says."""
        mail = ScoredMail(content=content, recipients=(), account=account)
        report = await self.classifier.score(mail)
        return None if report is None else report.score


@pytest_twisted.async_yield_fixture
async def house(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(later, "EVERY_S", 0.01)
    made = House(database)
    made.moved.start()
    yield made
    await made.moved.finish()


@pytest_twisted.async_yield_fixture(autouse=True)
async def accounts(database: Database) -> Any:
    await add_owner(database, "ann", PRIVATE)
    await add_owner(database, "bob", "bob@private.example")
    yield


@ensure
async def test_a_message_that_is_moved_there_and_back_is_learned_once(house: House) -> None:
    message = await house.deliver(PRIVATE, SPAM)
    assert await house.move(ANN, PRIVATE, message, "spam") == (1, 0)
    assert await house.move(ANN, PRIVATE, message, "spam", "trash", "spam") == (1, 0)
    assert await house.move(ANN, PRIVATE, message, "inbox") == (0, 1)
    assert await house.move(ANN, PRIVATE, message, "all", "drafts", "inbox") == (0, 1)
    assert await house.move(ANN, PRIVATE, message, "spam") == (1, 0)
    _, own = await find_tokens(house.database, "ann", tokens_of(SPAM))
    assert set(own.values()) == {Seen(1, 0)}
    assert len(own) == len(tokens_of(SPAM))


@ensure
async def test_nobody_teaches_by_mail_that_is_not_his(house: House) -> None:
    message = await house.deliver(PUBLIC, SPAM)
    for actor in (ANYONE, ANN):
        assert await house.move(actor, PUBLIC, message, "spam", "inbox") == (0, 0)
    assert await count_learned(house.database, None) == Seen(0, 0)
    private = await house.deliver(PRIVATE, SPAM)
    house.moved.moved("bob", PRIVATE, private, "spam")
    await until(lambda: house.moved.is_idle)
    assert await count_learned(house.database, "bob") == Seen(0, 0)


@ensure
async def test_who_moves_many_at_once_teaches_each_once(house: House) -> None:
    ids = [await house.deliver(PRIVATE, SPAM) for _ in range(10)]
    moving = [
        Deferred.fromCoroutine(house.marks.move(ANN, PRIVATE, each, "spam")) for each in ids * 2
    ]
    await gatherResults(moving)
    await until(lambda: house.moved.is_idle)
    assert await count_learned(house.database, "ann") == Seen(10, 0)


@ensure
async def test_of_a_bulk_move_all_is_learned(house: House) -> None:
    ids = [await house.deliver(PRIVATE, SPAM) for _ in range(30)]
    await house.database.run("update message set folder = 'spam'")
    for each in ids:
        house.moved.moved("ann", PRIVATE, each, "spam")
    await until(lambda: house.moved.is_idle)
    assert await count_learned(house.database, "ann") == Seen(30, 0)


@ensure
async def test_what_was_moved_on_meanwhile_counts_as_it_was_moved_last(house: House) -> None:
    message = await house.deliver(PRIVATE, SPAM)
    for folder in ("spam", "inbox", "spam", "all"):
        await house.marks.move(ANN, PRIVATE, message, folder)
    house.moved.moved("ann", PRIVATE, message, "spam")  # of a node that is late
    await until(lambda: house.moved.is_idle)
    assert await count_learned(house.database, "ann") == Seen(0, 1)


@ensure
async def test_what_was_forgotten_is_not_less_than_nothing(house: House) -> None:
    message = await house.deliver(PRIVATE, SPAM)
    await house.move(ANN, PRIVATE, message, "spam")
    await forget_tokens(house.database, "ann")
    assert await house.move(ANN, PRIVATE, message, "inbox") == (0, 1)
    _, own = await find_tokens(house.database, "ann", [MESSAGES])
    assert own == {MESSAGES: Seen(0, 1)}


@ensure
async def test_it_says_nothing_while_it_knows_too_little(house: House) -> None:
    await house.learn(LEAST, LEAST - 1)
    assert await house.score(SPAM) is None
    await house.learn(0, 1)
    assert (await house.score(SPAM) or 0) > 0.9
    assert await house.score(HAM) == 0
    await forget_tokens(house.database, None)
    assert await house.score(SPAM) is None


@ensure
async def test_its_reasons_are_words(house: House) -> None:
    await house.learn(LEAST, LEAST)
    report = await house.classifier.score(ScoredMail(content=SPAM, recipients=()))
    assert report is not None
    names = {reason.name: reason.points for reason in report.reasons}
    assert names["pills"] > 0.4
    assert "subject:cheap" in names


@ensure
async def test_what_an_account_has_moved_counts_for_its_mail_alone(house: House) -> None:
    await house.learn(LEAST, LEAST)
    assert (await house.score(NEWS, "ann") or 0) < 0.5
    for number in range(3):
        message = await house.deliver(PRIVATE, NEWS)
        assert await house.move(ANN, PRIVATE, message, "spam") == (number + 1, 0)
    assert (await house.score(NEWS, "ann") or 0) > 0.5
    assert (await house.score(NEWS, "bob") or 0) < 0.5
    assert (await house.score(NEWS) or 0) < 0.5


@ensure
async def test_mail_costs_nothing_until_something_is_learned(house: House) -> None:
    classifier = house.classifier
    await classifier.look()
    assert (classifier.is_ready(owned=True), classifier.is_ready(owned=False)) == (False, False)
    await house.learn(1, 0, "ann")
    await classifier.look()
    assert (classifier.is_ready(owned=True), classifier.is_ready(owned=False)) == (True, False)
    await house.learn(1, 0)
    await classifier.look()
    assert (classifier.is_ready(owned=True), classifier.is_ready(owned=False)) == (True, True)
    await classifier.finish()


@ensure
async def test_what_an_account_taught_goes_with_it(house: House) -> None:
    await house.learn(1, 0, "ann")
    await house.database.run("delete from address where owner = 'ann'")
    await house.database.run("delete from account where name = 'ann'")
    rows, _ = await house.database.run("select count(*) from account_spam_token")
    assert rows[0][0] == 0
