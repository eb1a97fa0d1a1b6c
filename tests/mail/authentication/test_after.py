"""Mail is examined after it is stored: at a pace, in bounded memory, and to the end."""

from typing import Any

import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.core.budget import ByteBudget
from mailsacd.core.dns import Found
from mailsacd.mail.authentication.after import LaterChecks
from mailsacd.mail.authentication.evaluation import Ask, Question
from mailsacd.mail.authentication.examination import Examiner
from mailsacd.mail.receiving.compose import Composer
from mailsacd.mail.receiving.ingest import Ingest
from mailsacd.store.pool import Database
from mailsacd.work.later import PER_STEP
from tests.lanes import LANES
from tests.mail.authentication.signer import MESSAGE
from tests.mail.envelopes import envelope
from tests.patience import until_async

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


async def _are_examined(database: Database, count: int) -> bool:
    rows, _ = await database.run("select count(auth) from message")
    return int(rows[0][0]) == count


@ensure
async def test_all_that_waits_is_examined_a_few_at_a_time(database: Database) -> None:
    checks = _checks(database, _nothing)
    ingest = _ingest(database, checks)
    checks.start()
    count = 2 * PER_STEP + 5
    for number in range(count):
        await ingest.deliver(envelope(ingest, MESSAGE, f"n{number}@example.net", "b@example.net"))
    await until_async(lambda: _are_examined(database, 2 * count))
    await checks.finish()
