"""Mail is examined after it is stored: at a pace, in bounded memory, and to the end."""

from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from mailsacd.core.budget import ByteBudget
from mailsacd.core.dns import Found
from mailsacd.core.message import NewEnvelope
from mailsacd.mail.authentication.after import (
    AT_ONCE,
    MAX_BYTES,
    MAX_WAITING,
    PER_STEP,
    LaterChecks,
)
from mailsacd.mail.authentication.evaluation import Ask, Question
from mailsacd.mail.authentication.examination import Examiner
from mailsacd.mail.receiving.compose import Composer
from mailsacd.mail.receiving.ingest import Ingest
from mailsacd.store.compression import compress
from mailsacd.store.pool import Database
from tests.lanes import LANES
from tests.mail.authentication.signer import MESSAGE, OUTSIDE
from tests.mail.envelopes import envelope

reactor: Any = the_reactor
ensure = pytest_twisted.ensureDeferred


async def _nothing(question: Question) -> Found[Any]:
    """The answer of a DNS that has nothing."""
    del question
    return Found((), exists=False)


def _checks(database: Database, ask: Ask) -> LaterChecks:
    examiner = Examiner(ask, LANES.checks, hostname="mx.example", timeout_s=60, reactor=reactor)
    return LaterChecks(database, examiner, reactor=reactor)


def _ingest(database: Database, checks: LaterChecks) -> Ingest:
    return Ingest(
        database,
        composer=Composer("mx.example", LANES.mail_in),
        budget=ByteBudget(1 << 24),
        reactor=reactor,
        observers=[checks],
    )


async def _examined(database: Database) -> int:
    rows, _ = await database.run("select count(auth) from message")
    return int(rows[0][0])


@ensure
async def test_all_that_waits_is_examined_a_few_at_a_time(database: Database) -> None:
    checks = _checks(database, _nothing)
    ingest = _ingest(database, checks)
    checks.start()
    count = 2 * PER_STEP + 5
    for number in range(count):
        await ingest.deliver(envelope(ingest, MESSAGE, f"n{number}@example.net", "b@example.net"))
    for _ in range(200):
        if await _examined(database) == 2 * count:
            break
        await deferLater(reactor, 0.05)
    assert await _examined(database) == 2 * count
    await checks.finish()


@ensure
async def test_a_silent_dns_has_few_under_way_and_the_stop_does_not_wait_for_it(
    database: Database,
) -> None:
    asked: list[Question] = []

    async def silent(question: Question) -> Found[Any]:
        asked.append(question)
        return await Deferred()

    checks = _checks(database, silent)
    ingest = _ingest(database, checks)
    checks.start()
    for number in range(AT_ONCE + 20):
        await ingest.deliver(envelope(ingest, MESSAGE, f"n{number}@example.net"))
    for _ in range(200):
        if len(checks._tasks) == AT_ONCE:
            break
        await deferLater(reactor, 0.05)
    await deferLater(reactor, 0.5)
    assert len(checks._tasks) == AT_ONCE
    began = reactor.seconds()
    await checks.finish()
    assert reactor.seconds() - began < 5
    assert await _examined(database) == 0


@pytest.mark.parametrize(
    ("size", "kept"), [(10, MAX_WAITING), (MAX_BYTES // 4, 4), (2 * MAX_BYTES, 1)]
)
def test_what_waits_has_a_bound_in_number_and_bytes(
    database: Database, size: int, kept: int
) -> None:
    checks = _checks(database, _nothing)
    checks._is_idle = False  # as if a step were under way
    raw = b"x" * size
    new = NewEnvelope(id="1", received_ms=0, raw=raw, size=size, messages=())
    checks.stored([new] * (MAX_WAITING + 5), {})
    assert len(checks._waiting) == kept


@ensure
async def test_what_is_under_way_counts_until_it_is_done(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = compress(OUTSIDE + MESSAGE)
    monkeypatch.setattr("mailsacd.mail.authentication.after.MAX_BYTES", 2 * len(raw))
    answers: list[Deferred[Found[Any]]] = []

    async def slow(question: Question) -> Found[Any]:
        del question
        answers.append(Deferred())
        return await answers[-1]

    checks = _checks(database, slow)
    new = NewEnvelope(id="1", received_ms=0, raw=raw, size=len(raw), messages=())
    checks.stored([new] * 5, {})
    checks.start()
    while len(answers) < 4:  # of each of two, SPF and DMARC
        await deferLater(reactor, 0.01)
    checks.stored([new], {})
    assert (len(checks._tasks), len(checks._waiting)) == (2, 0)
    for answer in answers:
        answer.callback(Found((), exists=False))
    while checks._tasks:
        await deferLater(reactor, 0.01)
    checks.stored([new] * 5, {})
    assert len(checks._waiting) == 2
    await checks.finish()
