"""Keeps the transcripts of transactions in which mail was refused, for whom it was for.

Each owner is shown what was said about addresses of his own, and of no others. In a flood of
refusals the newest are kept, and of what comes too fast none.
"""

from collections import defaultdict
from collections.abc import Iterable
from math import inf
from typing import Any, Final

from msgspec.structs import replace
from twisted.internet.task import deferLater

from mailsacd.core.address import Address, inbox_of
from mailsacd.core.errors import BadAddressError, UnavailableError
from mailsacd.core.reply import REFUSAL
from mailsacd.core.token import EnvelopeIds, utc_from_ms
from mailsacd.core.transcript import (
    Transcript,
    TranscriptRecipient,
    transcript_text,
)
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.ownership.transcript_wishes import TranscriptWishes
from mailsacd.store.compression import compress
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction
from mailsacd.store.transcripts import RefusedTranscript, add_refused, forget_old_refused
from mailsacd.transcript_settings import TranscriptSettings
from mailsacd.work.loop import Loop
from mailsacd.work.tasks import Tasks

MAX_LOOKING: Final = 50
"""So many transactions are looked up at a time, whose they were; of more, none is kept."""
MAX_GATHERED: Final = 100
"""So many are written at a time, every GAP_S seconds; of more, none is kept."""
GAP_S: Final = 0.5
MAX_INBOXES: Final = 10
"""Of one transaction so many are kept at most, one for each inbox; recipients after these are not
looked up."""
FORGET_EVERY_S: Final = 300.0

_Places = dict[tuple[str, str], list[int]]


class RefusedTranscripts:
    """What SMTP sessions tell of (smtp.services.KeepsTranscripts)."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        wishes: TranscriptWishes,
        settings: TranscriptSettings,
        *,
        reactor: Any,
    ) -> None:
        self.max_bytes = settings.max_bytes
        self._database = database
        self._directory = directory
        self._wishes = wishes
        self._settings = settings
        self._reactor = reactor
        self._ids = EnvelopeIds()
        self._gathered: list[RefusedTranscript] = []
        self._tasks = Tasks("keep refused transactions", most=MAX_LOOKING, clock=reactor)
        self._writing = Loop(
            "write down refused transactions", self._write, every_s=inf, clock=reactor
        )
        self._forgetting = Loop(
            "forget refused transactions",
            self._forget,
            every_s=FORGET_EVERY_S,
            clock=reactor,
            cancels=True,
        )

    @property
    def wanted(self) -> bool:
        """Whether anybody wants transcripts."""
        return self._wishes.wanted

    def start(self) -> None:
        """Write down what comes, and forget what is old."""
        self._writing.start()
        self._forgetting.start()

    async def finish(self) -> None:
        """Write down what was gathered, and end."""
        await self._forgetting.stop()
        await self._tasks.finish()
        await self._writing.finish()

    def refused(self, transcript: Transcript) -> None:
        """A transaction is over in which something was refused."""
        try:
            self._tasks.run(self._keep(transcript))
        except UnavailableError:  # too many at a time, or the daemon stops
            return

    async def _keep(self, transcript: Transcript) -> None:
        places = await self._places(transcript)
        for inbox, account in places:
            if len(self._gathered) >= MAX_GATHERED:
                return
            own = {place for (_, whose), at in places.items() if whose == account for place in at}
            text = transcript_text(about(transcript, own) if account else transcript)
            id_, at_ms = self._ids.next(int(self._reactor.seconds() * 1000))
            self._gathered.append(
                RefusedTranscript(id_, inbox, account, utc_from_ms(at_ms), compress(text))
            )
            self._writing.wake()

    async def _places(self, transcript: Transcript) -> _Places:
        """The recipients that were refused, by their inbox and whose that is ('': nobody's)."""
        places: _Places = defaultdict(list)
        for place, recipient in enumerate(transcript.recipients):
            inbox = _inbox_of(recipient) if _is_refused(recipient, transcript) else None
            if inbox is None:
                continue
            if len(places) >= MAX_INBOXES:
                break
            inbox = await self._directory.inbox_at(inbox)
            facts = await self._directory.address(str(inbox))
            if self._settings.of == "chosen" and not (facts and facts.transcript):
                continue
            holding = await self._directory.holder(inbox)
            places[str(inbox), holding.owner or ""].append(place)
        return places

    async def _write(self) -> None:
        await deferLater(self._reactor, GAP_S)  # what comes meanwhile is written along
        gathered, self._gathered = self._gathered, []

        async def work(transaction: Transaction) -> None:
            await add_refused(transaction, gathered, per_inbox=self._settings.refused_per_address)

        if gathered:
            await self._database.transaction(work)

    async def _forget(self) -> float | None:
        return (
            0.0 if await forget_old_refused(self._database, self._settings.refused_days) else None
        )


def about(transcript: Transcript, shown: Iterable[int]) -> Transcript:
    """Return what of ``transcript`` is about the recipients at the places ``shown``."""
    new_places = {old: new for new, old in enumerate(sorted(shown))}
    return replace(
        transcript,
        recipients=tuple(transcript.recipients[old] for old in new_places),
        lines=tuple(
            line if line.rcpt is None else replace(line, rcpt=new_places[line.rcpt])
            for line in transcript.lines
            if line.rcpt is None or line.rcpt in new_places
        ),
    )


def _is_refused(recipient: TranscriptRecipient, transcript: Transcript) -> bool:
    return recipient.code >= REFUSAL or (transcript.code or 0) >= REFUSAL


def _inbox_of(recipient: TranscriptRecipient) -> Address | None:
    try:
        return inbox_of(recipient.inbox or recipient.path)
    except BadAddressError:
        return None
