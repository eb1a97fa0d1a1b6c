"""Stored mail is scored by whichever scorer is in use; nobody waits for it.

From a limit on, what is likely to be spam goes to the folder of that name (docs/adr/0046-spam.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from mailsacd.core.errors import OverloadedError, UnavailableError
from mailsacd.core.figures import Figures
from mailsacd.core.message import NewEnvelope, NewMessage, Owned
from mailsacd.core.message_form import score_fact
from mailsacd.core.spam import ScoredMail, SpamReport, report_text
from mailsacd.mail.spam.scorer import Scorer
from mailsacd.mime.arrival import Arrival, split_stored
from mailsacd.store.compression import expand, expanded_bytes
from mailsacd.store.pool import Database
from mailsacd.store.spam import Scored, keep_scores, those_who_want_none
from mailsacd.work.later import Later
from mailsacd.work.threads import Lane

AT_ONCE: Final = 10
MAX_SCORED_BYTES: Final = 2_097_152
"""Larger messages are not scored. Spam is small, and scorers leave such out, too."""

_Group = tuple[str | None, Sequence[NewMessage]]


class LaterScores:
    """An observer of ingest. It has messages scored, and writes down what comes of it."""

    def __init__(
        self, database: Database, scorer: Scorer, lane: Lane, *, folder_from: float, reactor: Any
    ) -> None:
        """What has a score of ``folder_from`` goes to the folder spam; 0: nothing does."""
        self._database = database
        self._scorer = scorer
        self._lane = lane
        self._folder_from = folder_from
        keep = partial(keep_scores, database)
        self._later = Later("score mail", keep, at_once=AT_ONCE, clock=reactor)
        self.start = self._later.start
        self.finish = self._later.finish
        self.declare(Figures())

    def declare(self, figures: Figures) -> None:
        """Have ``figures`` tell how many messages are scored, and what became of the others."""
        name, what = "mailsacd_spam_scored_total", "Stored messages, and whether a scorer told"
        self._done = figures.counter(name, what, outcome="done")
        self._failed = figures.counter(name, what, outcome="failed")
        self._resting = figures.counter(name, what, outcome="resting")
        self._left = figures.counter(name, what, outcome="left")

    def stored(self, batch: Sequence[NewEnvelope], owned: Mapping[str, Owned]) -> None:
        """See core.message.Observer."""
        if not self._scorer.is_ready(owned=True):
            if not self._scorer.is_personal:
                self._resting.add(len(batch))
            return
        for new in batch:
            owners = {
                message.id: owned[message.id].owner if message.id in owned else new.saved_by
                for message in new.messages
            }
            if not self._scorer.is_ready(owned=any(owners.values())):
                continue
            if new.size > MAX_SCORED_BYTES or not self._later.put(
                len(new.raw), partial(self._score, new, owners)
            ):
                self._left.add()

    async def _score(self, new: NewEnvelope, owners: Mapping[str, str | None]) -> Sequence[Scored]:
        scored: list[Scored] = []
        try:
            groups = await self._groups(new, owners)
            if not groups:
                return ()
            mail = await self._scorer.prepared(await self._read(new))
            for account, messages in groups:
                report = await self._scorer.score(replace(mail, account=account))
                scored += self._told(report, messages)
        except OverloadedError:
            self._left.add()
        except UnavailableError:
            self._failed.add()
        else:
            if scored:
                self._done.add()
        return scored  # before it failed, too

    async def _groups(self, new: NewEnvelope, owners: Mapping[str, str | None]) -> Sequence[_Group]:
        """The copies that are to be scored, each time with the account that they are scored for."""
        names = {name for name in owners.values() if name is not None}
        unwilling = await those_who_want_none(self._database, names) if names else set()
        groups: dict[str | None, list[NewMessage]] = {}
        for message in new.messages:
            owner = owners[message.id]
            if owner not in unwilling:
                key = owner if self._scorer.is_personal else None
                groups.setdefault(key, []).append(message)
        return list(groups.items())

    async def _read(self, new: NewEnvelope) -> ScoredMail:
        recipients = [message.inbox for message in new.messages]
        return await self._lane.run_in_thread(
            lambda: scored_mail(expand(new.raw), recipients), expanded_bytes(new.raw)
        )

    def _told(self, report: SpamReport | None, messages: Sequence[NewMessage]) -> Sequence[Scored]:
        if report is None:
            return ()
        text, fact = report_text(report), score_fact(report.score)
        moved = 0 < self._folder_from <= report.score
        return [
            Scored(inbox=each.inbox, id=each.id, report=text, fact=fact, moved=moved)
            for each in messages
        ]


def scored_mail(raw: bytes, recipients: Sequence[str], account: str | None = None) -> ScoredMail:
    """Return the message ``raw``, with its trace headers, as a scorer is given it."""
    arrival, content = split_stored(raw)
    arrival = arrival or Arrival(ip="", sender="", helo="")
    return ScoredMail(
        content=content,
        recipients=tuple(recipients),
        trace=raw[: len(raw) - len(content)],
        ip=arrival.ip,
        helo=arrival.helo,
        sender=arrival.sender,
        account=account,
    )
