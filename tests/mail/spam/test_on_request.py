"""What is too large to be scored is not read for it."""

import pytest
import pytest_twisted

from mailsacd.core.actor import ANYONE, Actor
from mailsacd.core.message import Message
from mailsacd.core.message_form import UNTOUCHED
from mailsacd.core.spam import ScoredMail, SpamReport
from mailsacd.mail.spam.on_request import ScoresOnRequest
from mailsacd.mail.spam.scoring import MAX_SCORED_BYTES
from mailsacd.store.pool import Database

REPORT = SpamReport(score=0.9, scorer="classifier", reasons=(), checked="now")


class Stored:
    """An inbox whose messages have ``size`` bytes, as their facts tell; whose bytes were read."""

    def __init__(self, size: int) -> None:
        self.read: list[str] = []
        self._facts = f'{{"size":{size},"originalInbox":"","to":[],"from":[],"subject":""'

    async def get(self, actor: Actor, email: str, message_id: str) -> Message:
        del actor
        return Message(inbox=email, id=message_id, facts=self._facts, marks=UNTOUCHED)

    async def raw(self, actor: Actor, email: str, message_id: str) -> bytes:
        del actor, email
        self.read.append(message_id)
        return b"Subject: x\r\n\r\nhi\r\n"


class Scorer:
    """Finds spam in everything."""

    is_personal = False

    def is_ready(self, *, owned: bool) -> bool:
        del owned
        return True

    async def prepared(self, mail: ScoredMail) -> ScoredMail:
        return mail

    async def score(self, mail: ScoredMail) -> SpamReport:
        del mail
        return REPORT


@pytest.mark.parametrize(
    ("size", "read", "report"),
    [(MAX_SCORED_BYTES, ["1-0"], REPORT), (MAX_SCORED_BYTES + 1, [], None)],
)
@pytest_twisted.ensureDeferred
async def test_what_is_too_large_is_not_read(
    database: Database, size: int, read: list[str], report: SpamReport | None
) -> None:
    stored = Stored(size)
    scores = ScoresOnRequest(database, stored, Scorer())
    assert await scores.report(ANYONE, "bob@example.net", "1-0") == report
    assert stored.read == read
