"""How likely a message is spam, for who asks: what is kept of it, or what is found out now."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from mailsacd.core.actor import Actor
from mailsacd.core.message import Message, Reads
from mailsacd.core.message_form import heading, score_fact
from mailsacd.core.spam import SpamReport, read_report, report_text
from mailsacd.mail.spam.scorer import Scorer
from mailsacd.mail.spam.scoring import MAX_SCORED_BYTES, scored_mail
from mailsacd.store.pool import Database
from mailsacd.store.spam import Scored, find_report, keep_scores
from mailsacd.work.sharing import Sharing
from mailsacd.work.turns import CallerTurns

AT_ONCE: Final = 10
MAX_WAITING: Final = 100


class ScoresOnRequest:
    """Tells it to whoever may see the message, and raises as `Mailbox` does."""

    def __init__(self, database: Database, mailbox: Reads, scorer: Scorer | None) -> None:
        """Without a ``scorer`` only what is kept is told."""
        self._database = database
        self._mailbox = mailbox
        self._scorer = scorer
        self._turns = CallerTurns(AT_ONCE, MAX_WAITING)
        self._scoring: Sharing[tuple[str, str], SpamReport | None] = Sharing()

    async def kept(self, message: Message) -> SpamReport | None:
        """Return what is kept of ``message``, which the caller may see; None: it was not scored."""
        found = await find_report(self._database, message.inbox, message.id)
        return None if found.report is None else read_report(found.report)

    async def report(self, actor: Actor, email: str, message_id: str) -> SpamReport | None:
        """Return what a scorer says of the message, and keep it; the message stays where it is.

        None: nobody says anything of it, as it is too large, nothing is learned, no scorer is in
        use, or its account wants none. Raises UnavailableError when the scorer does not answer,
        and OverloadedError when too many wait.
        """
        message = await self._mailbox.get(actor, email, message_id)
        kept = await find_report(self._database, message.inbox, message.id)
        if kept.report is not None:
            return read_report(kept.report)
        if kept.unwilling or self._scorer is None:
            return None
        if heading(message.facts).size > MAX_SCORED_BYTES:
            return None
        read = partial(self._mailbox.raw, actor, email, message_id)
        score = partial(self._score, self._scorer, message, read, kept.account)
        key = (message.inbox, message.id)
        return await self._scoring.get(key, partial(self._turns.run, actor, score))

    async def _score(
        self,
        scorer: Scorer,
        message: Message,
        read: Callable[[], Awaitable[bytes]],
        account: str | None,
    ) -> SpamReport | None:
        raw = await read()  # now, and not before: what waits for its turn is not in memory
        report = await scorer.score(scored_mail(raw, [message.inbox], account))
        if report is not None:
            scored = Scored(
                inbox=message.inbox,
                id=message.id,
                report=report_text(report),
                fact=score_fact(report.score),
                moved=False,
            )
            await keep_scores(self._database, [scored])
        return report
