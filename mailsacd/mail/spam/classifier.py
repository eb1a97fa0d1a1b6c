"""The scorer of our own: it judges a message by the tokens of those that it has learned."""

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from typing import Any, Final

from mailsacd.core.spam import ScoredMail, SpamReason, SpamReport, by_weight, likelihood, shown
from mailsacd.core.token import iso_time_from_ms
from mailsacd.mail.spam.bayes import is_enough, judge
from mailsacd.mail.spam.tokens import tokens_of
from mailsacd.store.notices import SPAM, Notices
from mailsacd.store.pool import Database
from mailsacd.store.spam_tokens import MESSAGES, Seen, find_tokens, what_is_learned
from mailsacd.work.loop import Loop
from mailsacd.work.threads import Lane

OWN_WEIGHT: Final = 5
"""What an account has moved counts for so many samples of the operator's."""

LOOK_EVERY_S: Final = 5.0
"""While notices may be missed, it is looked so often whether something is learned."""

_NOTHING: Final = Seen(0, 0)


class Classifier:
    """See mail.spam.scorer. While nothing is learned it costs a message nothing.

    Whether something is learned is kept in memory, and looked at again whenever a notice comes.
    """

    is_personal: Final = True

    def __init__(self, database: Database, lane: Lane, *, reactor: Any) -> None:
        self._database = database
        self._lane = lane
        self._reactor = reactor
        self._notices: Notices | None = None
        self._shared = self._own = False
        self._loop = Loop(
            "look for what is learned of spam", self._look, every_s=LOOK_EVERY_S, clock=reactor
        )

    def is_ready(self, *, owned: bool) -> bool:
        """Return whether anything is learned that a message may be judged by."""
        return self._shared or (owned and self._own)

    def follow(self, notices: Notices) -> None:
        """Look again at each of the ``notices`` of something learned. Comes before `start`."""
        self._notices = notices
        notices.subscribe(SPAM, lambda _: self._loop.wake(), self._loop.wake)

    def start(self) -> None:
        """Begin to look for what was learned."""
        self._loop.start(0)

    async def look(self) -> None:
        """Look now. Raises nothing: without an answer it stays as it is."""
        await self._loop.run_now()

    async def finish(self) -> None:
        """End: what is learned from now on is not noticed."""
        await self._loop.stop()

    async def prepared(self, mail: ScoredMail) -> ScoredMail:
        """Return ``mail`` with its tokens. Raises OverloadedError."""
        if mail.tokens is not None:
            return mail
        content = mail.content
        tokens = await self._lane.run_in_thread(lambda: tokens_of(content), len(content))
        return replace(mail, tokens=tokens)

    async def score(self, mail: ScoredMail) -> SpamReport | None:
        """Return how ``mail`` is judged, for its account. Raises UnavailableError."""
        tokens = (await self.prepared(mail)).tokens or {}
        shared, own = await find_tokens(self._database, mail.account, [MESSAGES, *tokens])
        if not is_enough(_sum(shared, own, MESSAGES, weight=1)):
            return None
        messages = _sum(shared, own, MESSAGES)
        seen = {bucket: _sum(shared, own, bucket) for bucket in tokens}
        score, said = judge(seen, messages)
        return SpamReport(
            score=likelihood(score),
            scorer="classifier",
            reasons=by_weight(
                SpamReason(name=shown(tokens[bucket]), points=round(weight, 3))
                for bucket, weight in said.items()
            ),
            checked=iso_time_from_ms(int(self._reactor.seconds() * 1000)),
        )

    async def _look(self) -> float | None:
        misses_nothing = self._notices is not None and self._notices.listening
        self._shared, self._own = await what_is_learned(self._database)
        return inf if misses_nothing else None


def _sum(
    shared: Mapping[int, Seen], own: Mapping[int, Seen], bucket: int, *, weight: int = OWN_WEIGHT
) -> Seen:
    first, second = shared.get(bucket, _NOTHING), own.get(bucket, _NOTHING)
    return Seen(first.spam + weight * second.spam, first.ham + weight * second.ham)
