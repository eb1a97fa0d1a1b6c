"""rspamd and SpamAssassin are asked as they are, about GTUBE and about ordinary mail."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.core.spam import ScoredMail
from mailsacd.mail.spam.choosing import DIALECTS
from mailsacd.outbound.scorers.ask import Asker
from tests.real_scorers import GTUBE, rspamd, spamd

reactor: Any = the_reactor

HEAD = (
    b"Received: from client.example ([192.0.2.7])\r\n\tby mx.example with ESMTP; "
    b"Sun, 29 Nov 2026 10:00:01 +0000\r\nFrom: Ann <ann@example.net>\r\nTo: bob@example.com\r\n"
    b"Subject: Lunch on Friday\r\nDate: Sun, 29 Nov 2026 10:00:00 +0000\r\n"
    b"Message-ID: <20261129100000.1@example.net>\r\n\r\n"
)
ORDINARY = HEAD + b"Dear Bob,\r\n\r\nshall we have lunch on Friday, at noon?\r\n\r\nAnn\r\n"


async def _here(host: str) -> tuple[str, ...]:
    return (host,)


@pytest.mark.parametrize(("name", "running"), [("rspamd", rspamd), ("spamd", spamd)])
@pytest_twisted.ensureDeferred
async def test_gtube_is_spam_and_ordinary_mail_is_not(
    name: str, running: Callable[[Path], AbstractContextManager[int]], workspace: Path
) -> None:
    dialect = DIALECTS[name]
    with running(workspace) as port:
        asker = Asker("127.0.0.1", port, _here, reactor=reactor)
        reports = []
        for content in (HEAD + GTUBE, ORDINARY):
            mail = ScoredMail(content=content, recipients=("bob@example.com",), ip="192.0.2.7")
            answer = await asker.ask(dialect.question(mail))
            reports.append(dialect.read_answer(answer, "now"))
    gtube, ordinary = reports
    assert gtube.score == 1
    assert "GTUBE" in [reason.name for reason in gtube.reasons]
    assert ordinary.score < 0.5
    assert ordinary.reasons
