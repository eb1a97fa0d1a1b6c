"""What the classifier learns: the operator's samples, and what accounts move.

What its owner moves to the folder spam is spam, and what is moved to the inbox, or to `all`, is
none. Only an account's own mail is learned so, and for that account alone: public mail may be moved
by anybody.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
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
from mailsacd.work.later import Later
from mailsacd.work.threads import Lane

AT_ONCE: Final = 2
"""So many messages are read at a time, and one is written down: mail has the other connections."""

_MEANS_SPAM: Final = {"spam": True, "inbox": False, "all": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A message that ``account`` has moved, and the buckets of its tokens."""

    account: str
    inbox: str
    id: str
    is_spam: bool
    tokens: tuple[int, ...]


class MovedMail:
    """Learns of what accounts move; nobody waits for it (core.message.Filing).

    Of what comes faster than it can be learned some waits (see `Later`), and the rest is left out.
    """

    def __init__(self, database: Database, lane: Lane, *, reactor: Any) -> None:
        self._database = database
        self._lane = lane
        self._later = Later("learn what is spam", self._keep, at_once=AT_ONCE, clock=reactor)
        self.start = self._later.start
        self.finish = self._later.finish
        self.declare(Figures())

    def declare(self, figures: Figures) -> None:
        """Have ``figures`` tell how many messages that were moved are learned."""
        name, what = "mailsacd_spam_learned_total", "Messages that were moved, and learned by that"
        self._done = figures.counter(name, what, outcome="done")
        self._left = figures.counter(name, what, outcome="left")

    @property
    def is_idle(self) -> bool:
        """Whether all that was moved is learned, or left out."""
        return self._later.is_idle

    def moved(self, account: str | None, inbox: str, message_id: str, folder: str) -> None:
        """``account`` (None: the public) has moved a message, whosever it is, to ``folder``."""
        is_spam = _MEANS_SPAM.get(folder)
        if account is None or is_spam is None:
            return
        if not self._later.put(0, partial(self._read, account, inbox, message_id, is_spam=is_spam)):
            self._left.add()

    async def _read(
        self, account: str, inbox: str, message_id: str, *, is_spam: bool
    ) -> Sequence[Lesson]:
        try:
            raw = await find_raw(self._database, inbox, message_id, account)
            if raw is None:
                return ()
            stored = raw
            tokens = await self._lane.run_in_thread(
                lambda: tokens_of_stored(expand(stored)), expanded_bytes(stored)
            )
        except UnavailableError:
            self._left.add()
            return ()
        return (
            Lesson(account=account, inbox=inbox, id=message_id, is_spam=is_spam, tokens=tokens),
        )

    async def _keep(self, lessons: Sequence[Lesson]) -> None:
        for lesson in lessons:  # what is learned once more, after a failure, is as before
            if await self._database.transaction(partial(_learn, lesson)):
                self._done.add()


async def _learn(lesson: Lesson, transaction: Transaction) -> bool:
    """Learn it, unless it is learned so already, or was moved on; return whether it was learned."""
    folders = [folder for folder, is_spam in _MEANS_SPAM.items() if is_spam == lesson.is_spam]
    marked = await mark_learned(
        transaction,
        lesson.inbox,
        lesson.id,
        lesson.account,
        is_spam=lesson.is_spam,
        folders=folders,
    )
    if marked is None:
        return False
    taken_back = int(marked[0] is not None)
    one = Seen(1, -taken_back) if lesson.is_spam else Seen(-taken_back, 1)
    await add_tokens(transaction, lesson.account, dict.fromkeys((MESSAGES, *lesson.tokens), one))
    return True


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
