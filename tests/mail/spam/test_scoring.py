"""Stored mail is scored by who is asked, without anybody waiting for it, and filed by its score."""

import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.logger import LogLevel

from mailsacd.core.budget import ByteBudget
from mailsacd.core.circuit import FAILURES
from mailsacd.core.errors import UnavailableError
from mailsacd.core.figures import Figures
from mailsacd.core.spam import ScoredMail, SpamReport
from mailsacd.mail.receiving.compose import Composer
from mailsacd.mail.receiving.ingest import Ingest
from mailsacd.mail.spam.bayes import LEAST
from mailsacd.mail.spam.choosing import make_scorer
from mailsacd.mail.spam.classifier import Classifier
from mailsacd.mail.spam.learning import added_up
from mailsacd.mail.spam.scorer import Scorer
from mailsacd.mail.spam.scoring import AT_ONCE, MAX_SCORED_BYTES, LaterScores
from mailsacd.mail.spam.tokens import tokens_of
from mailsacd.spam_settings import SpamSettings
from mailsacd.store.messages import list_messages_json
from mailsacd.store.pool import Database
from mailsacd.store.spam_tokens import add_tokens
from tests.lanes import LANES
from tests.log_events import events_of
from tests.mail.envelopes import envelope
from tests.mail.owners import add_owner
from tests.mail.spam.scorer import Answers
from tests.patience import until, until_async

reactor: Any = the_reactor
ensure = pytest_twisted.ensureDeferred

MESSAGE = b'From: ann@example.net\r\nSubject: "spam":0,\r\n\r\nhello\r\n'


async def _here(host: str) -> tuple[str, ...]:
    return (host,)


class Post:
    """Takes mail in, and has it scored by ``answers``."""

    def __init__(
        self, database: Database, port: int, timeout_s: float = 5.0, scorer: Scorer | None = None
    ) -> None:
        settings = SpamSettings(scorer="rspamd", address=f"127.0.0.1:{port}", timeout_s=timeout_s)
        scorer = scorer or make_scorer(settings, database, LANES.checks, _here, reactor=reactor)
        assert scorer is not None
        self.database = database
        self.cells = [0.0] * 100
        self.figures = Figures(self.cells)
        self.scores = LaterScores(database, scorer, LANES.checks, folder_from=0.5, reactor=reactor)
        self.scores.declare(self.figures)
        self.scores.start()
        self.ingest = Ingest(
            database,
            composer=Composer("mx.example", LANES.mail_in),
            budget=ByteBudget(1 << 24),
            reactor=reactor,
            observers=[self.scores],
        )

    async def deliver(self, *inboxes: str, content: bytes = MESSAGE) -> float:
        """Mail; how many seconds its acknowledgement took."""
        began = reactor.seconds()
        await self.ingest.deliver(envelope(self.ingest, content, *inboxes))
        took: float = reactor.seconds() - began
        return took

    async def messages(self, inbox: str, viewer: str | None = None) -> list[Any]:
        """What a list shows."""
        text = await list_messages_json(
            self.database, inbox, viewer, before_id=None, from_id=None, limit=50, skip=0
        )
        found: list[Any] = json.loads(text)
        return found

    def counted(self, outcome: str) -> float:
        """How many had that outcome."""
        figure = next(each for each in self.figures if each.name == "mailsacd_spam_scored_total")
        return self.cells[figure.children[("outcome", outcome),]]


@pytest_twisted.async_yield_fixture
async def answers() -> AsyncIterator[Answers]:
    made = Answers()
    made.listen()
    yield made
    await made.stop()


@ensure
async def test_the_score_is_in_the_message_and_likely_spam_goes_to_its_folder(
    database: Database, answers: Answers
) -> None:
    post = Post(database, answers.number)
    await post.deliver("a@example.net", "b@example.net")
    (before,) = await post.messages("a@example.net")
    assert (before["spam"], before["folder"]) == (0, "inbox")
    await until(lambda: post.counted("done") == 1)
    await until_async(lambda: scored(post, "a@example.net"))
    answers.score = 1.5
    await post.deliver("c@example.net")
    await until_async(lambda: scored(post, "c@example.net"))
    (first,), (second,), (third,) = [await post.messages(f"{name}@example.net") for name in "abc"]
    assert (first["spam"], first["folder"]) == (0.6, "spam")
    assert (second["spam"], second["folder"]) == (0.6, "spam")
    assert (third["spam"], third["folder"]) == (0.1, "inbox")
    assert first["subject"] == '"spam":0,'
    assert {**first, "spam": 0, "folder": "inbox"} == before
    assert len(answers.asked) == 2  # once for all recipients
    assert b"Rcpt: a@example.net\r\nRcpt: b@example.net\r\n" in answers.asked[0]
    assert b"IP: 192.0.2.7\r\nHelo: client.example\r\nFrom: ann@example.net\r\n" in answers.asked[0]
    assert answers.asked[0].endswith(MESSAGE)
    await post.scores.finish()


@ensure
async def test_what_somebody_has_read_or_filed_stays_where_it_is(
    database: Database, answers: Answers
) -> None:
    post = Post(database, answers.number)
    answers.is_silent = True
    await post.deliver("read@example.net")
    await post.deliver("filed@example.net")
    await until(lambda: len(answers.held) == 2)
    await database.run("update message set read = true where inbox = 'read@example.net'")
    await database.run("update message set folder = 'all' where inbox = 'filed@example.net'")
    answers.is_silent = False
    for asked in answers.held:
        asked()
    for inbox, folder in (("read@example.net", "inbox"), ("filed@example.net", "all")):
        await until_async(partial(scored, post, inbox))
        (message,) = await post.messages(inbox)
        assert message["folder"] == folder
    await post.scores.finish()


@ensure
async def test_mail_of_accounts_that_want_no_score_is_not_shown_to_the_scorer(
    database: Database, answers: Answers
) -> None:
    await add_owner(database, "ann", "ann@private.example")
    await add_owner(database, "bob", "bob@private.example")
    await database.run("update account set disable_spam = true where name = 'ann'")
    post = Post(database, answers.number)
    await post.deliver("ann@private.example")
    await post.deliver("ann@private.example", "bob@private.example")
    await until_async(lambda: scored(post, "bob@private.example", "bob"))
    assert len(answers.asked) == 1
    assert [m["spam"] for m in await post.messages("ann@private.example", "ann")] == [0, 0]
    await post.scores.finish()


@ensure
async def test_large_messages_are_left_out(database: Database, answers: Answers) -> None:
    post = Post(database, answers.number)
    await post.deliver("a@example.net", content=MESSAGE + b"x" * MAX_SCORED_BYTES)
    assert post.counted("left") == 1
    await post.scores.finish()


@ensure
async def test_a_silent_scorer_holds_no_mail_up_and_is_left_alone(
    database: Database, answers: Answers
) -> None:
    answers.is_silent = True
    post = Post(database, answers.number, timeout_s=0.3)
    with events_of("mailsacd.mail.spam.outside") as events:
        took = [await post.deliver(f"n{number}@example.net") for number in range(30)]
        await until(lambda: post.counted("failed") >= FAILURES)
        await until(lambda: not answers.open)
        await post.deliver("later@example.net")
    asked = len(answers.asked)
    assert sorted(took)[len(took) // 2] < 0.3  # those in the middle did not wait for it
    assert answers.most_open <= AT_ONCE
    assert asked <= AT_ONCE + FAILURES
    assert post.counted("resting") >= 1
    assert [event["log_level"] for event in events] == [LogLevel.warn]
    (message,) = await post.messages("n0@example.net")
    assert message["spam"] == 0
    await post.scores.finish()


@ensure
async def test_nobody_waits_at_the_stop_for_a_scorer(database: Database, answers: Answers) -> None:
    answers.is_silent = True
    post = Post(database, answers.number, timeout_s=60)
    await post.deliver("a@example.net")
    await until(lambda: bool(answers.asked))
    began = reactor.seconds()
    await post.scores.finish()
    assert reactor.seconds() - began < 5


class FailsForBob:
    """A personal scorer that finds spam in everything, and is away when it is asked for bob."""

    is_personal = True

    def is_ready(self, *, owned: bool) -> bool:
        del owned
        return True

    async def prepared(self, mail: ScoredMail) -> ScoredMail:
        return mail

    async def score(self, mail: ScoredMail) -> SpamReport:
        if mail.account == "bob":
            raise UnavailableError("away")
        return SpamReport(score=0.9, scorer="classifier", reasons=(), checked="now")


@ensure
async def test_what_was_scored_before_a_failure_is_kept(database: Database) -> None:
    await add_owner(database, "ann", "ann@private.example")
    await add_owner(database, "bob", "bob@private.example")
    post = Post(database, 9, scorer=FailsForBob())
    await post.deliver("ann@private.example", "bob@private.example")
    await until(lambda: post.counted("failed") == 1)
    await until_async(lambda: scored(post, "ann@private.example", "ann"))
    await post.scores.finish()
    assert [m["spam"] for m in await post.messages("bob@private.example", "bob")] == [0]


@ensure
async def test_the_tokens_of_a_message_are_found_once_for_all_accounts(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[bytes] = []

    def tokens(content: bytes) -> dict[int, str]:
        looked_at.append(content)
        return tokens_of(content)

    monkeypatch.setattr("mailsacd.mail.spam.classifier.tokens_of", tokens)
    await add_owner(database, "ann", "ann@private.example")
    await add_owner(database, "bob", "bob@private.example")
    for content, is_spam in ((MESSAGE, True), (b"Subject: ham\r\n\r\nwell\r\n", False)):
        await add_tokens(database, None, added_up([content] * LEAST, is_spam=is_spam))
    classifier = Classifier(database, LANES.checks, reactor=reactor)
    await classifier.look()
    post = Post(database, 9, scorer=classifier)
    await post.deliver("ann@private.example", "bob@private.example", "c@public.example")
    await until(lambda: post.counted("done") == 1)
    await post.scores.finish()
    await classifier.finish()
    assert looked_at == [MESSAGE]


async def scored(post: Post, inbox: str, viewer: str | None = None) -> bool:
    """Whether all there is in an inbox is scored."""
    return all(message["spam"] for message in await post.messages(inbox, viewer))
