"""What the classifier learns: the operator's samples, and what accounts move.

What its owner moves to the folder spam is spam, and what is moved to the inbox, or to `all`, is
none. Only an account's own mail is learned so, and for that account alone: public mail may be moved
by anybody.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from mailsacd.core.errors import UnavailableError
from mailsacd.core.figures import Figures
from mailsacd.mail.spam.tokens import tokens_of
from mailsacd.mime.trace import end_of_trace
from mailsacd.store.compression import expand, expanded_bytes
from mailsacd.store.messages import find_raw
from mailsacd.store.pool import Database
from mailsacd.store.spam_tokens import MESSAGES, Seen, add_tokens, mark_learned
from mailsacd.store.transaction import Transaction
from mailsacd.work.tasks import Tasks
from mailsacd.work.threads import Lane

AT_ONCE: Final = 20
"""So many messages are learned at a time; of more that are moved, none is."""

_MEANS_SPAM: Final = {"spam": True, "inbox": False, "all": False}


class MovedMail:
    """Learns of what accounts move; nobody waits for it (core.message.Filing)."""

    def __init__(self, database: Database, lane: Lane, *, reactor: Any) -> None:
        self._database = database
        self._lane = lane
        self._tasks = Tasks("learn what is spam", most=AT_ONCE, clock=reactor)
        self.finish = self._tasks.finish
        self.declare(Figures())

    def declare(self, figures: Figures) -> None:
        """Have ``figures`` tell how many messages that were moved are learned."""
        name, what = "mailsacd_spam_learned_total", "Messages that were moved, and learned by that"
        self._done = figures.counter(name, what, outcome="done")
        self._left = figures.counter(name, what, outcome="left")

    @property
    def under_way(self) -> int:
        """How many messages are being learned."""
        return len(self._tasks)

    def moved(self, account: str | None, inbox: str, message_id: str, folder: str) -> None:
        """``account`` (None: the public) has moved a message, whosever it is, to ``folder``."""
        is_spam = _MEANS_SPAM.get(folder)
        if account is None or is_spam is None:
            return
        try:
            self._tasks.run(self._learn(account, inbox, message_id, is_spam=is_spam))
        except UnavailableError:  # too many at a time, or the daemon stops
            self._left.add()

    async def _learn(self, account: str, inbox: str, message_id: str, *, is_spam: bool) -> None:
        raw = await find_raw(self._database, inbox, message_id, account)
        if raw is None:
            return
        stored = raw
        tokens = await self._lane.run_in_thread(
            lambda: tokens_of_stored(expand(stored)), expanded_bytes(stored)
        )

        async def work(transaction: Transaction) -> bool:
            marked = await mark_learned(transaction, inbox, message_id, account, is_spam=is_spam)
            if marked is None:
                return False
            taken_back = int(marked[0] is not None)
            one = Seen(1, -taken_back) if is_spam else Seen(-taken_back, 1)
            await add_tokens(transaction, account, dict.fromkeys((MESSAGES, *tokens), one))
            return True

        if await self._database.transaction(work):
            self._done.add()


def tokens_of_stored(raw: bytes) -> tuple[int, ...]:
    """Return the buckets of the tokens of ``raw``, a message with its trace headers."""
    return tuple(tokens_of(raw[end_of_trace(raw) :]))


def added_up(messages: Iterable[bytes], *, is_spam: bool) -> dict[int, Seen]:
    """Return what is learned of samples, all of them spam or all of them not."""
    counts: Counter[int] = Counter()
    for message in messages:
        counts.update((MESSAGES, *tokens_of(message)))
    return {
        bucket: Seen(count, 0) if is_spam else Seen(0, count) for bucket, count in counts.items()
    }
