"""Whoever names many recipients that are refused has a few of them looked up."""

from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.core.address import Address
from mailsacd.core.ownership import Holding
from mailsacd.core.transcript import Transcript, TranscriptRecipient, Wire
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.ownership.transcript_wishes import TranscriptWishes
from mailsacd.mail.receiving import refused_transcripts
from mailsacd.mail.receiving.refused_transcripts import MAX_INBOXES, RefusedTranscripts
from mailsacd.store.notices import Notices
from mailsacd.store.pool import Database
from mailsacd.transcript_settings import TranscriptSettings
from tests.lanes import LANES

reactor: Any = the_reactor

WIRE = Wire(
    peer_ip="192.0.2.7", local_ip="192.0.2.1", port="smtp", helo="client.example", protocol="ESMTP"
)


class Counting(Directory):
    """A directory that knows how many holders were asked for."""

    asked = 0

    async def holder(self, address: Address) -> Holding:
        self.asked += 1
        return await super().holder(address)


@pytest_twisted.ensureDeferred
async def test_no_more_recipients_are_looked_up_than_are_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refused_transcripts, "GAP_S", 0.0)
    notices = Notices("", LANES.rest, reactor=reactor)  # it hears nothing
    directory = Counting(database, notices)
    wishes = TranscriptWishes(database, notices, "all", reactor=reactor)
    settings = TranscriptSettings(of="all")
    refused = RefusedTranscripts(database, directory, wishes, settings, reactor=reactor)
    refused.start()
    recipients = tuple(
        TranscriptRecipient(path=f"n{n}@example.net", code=550, status="5.1.1") for n in range(100)
    )
    refused.refused(Transcript(wire=WIRE, began_ms=0, recipients=recipients))
    await refused.finish()
    rows, _ = await database.run("select count(*) from refused_transcript")
    assert (rows[0][0], directory.asked) == (MAX_INBOXES, MAX_INBOXES)
