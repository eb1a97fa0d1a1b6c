"""A scorer that is given up by who asked has not failed."""

from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import CancelledError, Deferred

from mailsacd.core.circuit import FAILURES
from mailsacd.core.errors import UnavailableError
from mailsacd.core.spam import ScoredMail
from mailsacd.mail.spam.outside import Dialect, OutsideScorer
from mailsacd.outbound.scorers import rspamd

reactor: Any = the_reactor

MAIL = ScoredMail(content=b"", recipients=())
DIALECT = Dialect(name="rspamd", port=0, question=rspamd.question, read_answer=rspamd.read_answer)


async def _never(question: bytes) -> bytes:
    del question
    silence: Deferred[bytes] = Deferred()
    return await silence


def _scorer(timeout_s: float) -> OutsideScorer:
    return OutsideScorer(DIALECT, _never, timeout_s=timeout_s, reactor=reactor)


@pytest_twisted.ensureDeferred
async def test_clients_that_hang_up_do_not_switch_it_off() -> None:
    scorer = _scorer(timeout_s=5)
    for _ in range(2 * FAILURES):
        asking = Deferred.fromCoroutine(scorer.score(MAIL))
        asking.cancel()
        with pytest.raises(CancelledError):
            await asking
        begun = scorer.score(MAIL)
        begun.send(None)
        begun.close()
    assert scorer.is_ready(owned=True)


@pytest_twisted.ensureDeferred
async def test_one_that_takes_too_long_is_switched_off() -> None:
    scorer = _scorer(timeout_s=0.01)
    for _ in range(FAILURES):
        with pytest.raises(UnavailableError):
            await scorer.score(MAIL)
    assert not scorer.is_ready(owned=True)
