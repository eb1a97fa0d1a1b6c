"""One who waits: what for, what was found of it so far, and how it ended.

There may be ten thousand of them, so it holds no more than that, and no coroutine waits for it.
"""

from collections.abc import Callable, Sequence
from typing import Final

from twisted.internet.interfaces import IDelayedCall

from mailsacd.core.condition import Condition
from mailsacd.core.errors import Fault, InvalidInputError
from mailsacd.core.pattern import Pattern
from mailsacd.core.peer import network_of
from mailsacd.core.token import time_prefix
from mailsacd.mail.push.listener import Asker
from mailsacd.mail.waiting.bodies import Searched
from mailsacd.mail.waiting.looks import Place, Seen

MAX_SEARCHING_S: Final = 1.0
"""So much of the processor's time may the searches for one who waits take, and what is read for

them."""


class Wait:
    """Made by `mail.waiting.waits.Waits.open`.

    ``ended`` is called once: enough fits, the time is over, or it failed. ``found`` is then what
    fits, newest first, and ``failure`` why it failed.
    """

    __slots__ = (
        "_ended",
        "_in_body",
        "_is_new",
        "_searching_s",
        "account",
        "asker",
        "condition",
        "failure",
        "found",
        "place",
        "time_is_over",
        "timer",
    )

    def __init__(
        self,
        asker: Asker,
        place: Place,
        account: str | None,
        condition: Condition,
        ended: Callable[[], None],
    ) -> None:
        """``condition`` says since when; ``account`` waits for mail in ``place``."""
        self.asker = asker
        self.place = place
        self.account = account
        self.condition = condition
        self.found: Sequence[Seen] | None = None
        self.failure: Exception | None = None
        self.time_is_over = False
        self.timer: IDelayedCall | None = None
        self._ended: Callable[[], None] | None = ended
        self._in_body: dict[str, bool] | None = None  # by message
        self._searching_s = 0.0
        self._is_new = True

    @property
    def from_id(self) -> str:
        """Ids of messages that came since are not below."""
        return time_prefix(self.condition.since_ms or 0)

    @property
    def is_over(self) -> bool:
        """Whether it has come to an end."""
        return self._ended is None

    @property
    def may_search(self) -> bool:
        """Whether it has not taken all its time for searches yet."""
        return self._searching_s <= MAX_SEARCHING_S

    @property
    def whose(self) -> str:
        """Who has one turn for all his searches: the account, or the peer without one."""
        return self.account or network_of(self.asker.peer)

    def is_in_body(self, seen: Seen) -> bool | None:
        """What the search in a body has come to; None: it was not searched."""
        return (self._in_body or {}).get(seen.outline.id)

    def needs_search(self, seen: Seen) -> bool:
        """Whether it depends on the body if a message fits, which was not searched yet."""
        return not self.is_over and self.is_in_body(seen) is None and self._may_fit(seen)

    def searched(self, seen: Seen, result: Searched) -> None:
        """Take note of what the search in a body has come to. It may have been the last one."""
        if self._in_body is None:
            self._in_body = {}
        self._in_body[seen.outline.id] = result.is_found
        self._searching_s += result.took_s
        if not self.may_search:
            problem = "takes too long to search for: make it simpler, or say more of the message"
            fault = Fault(field="bodyMatches", problem=problem)
            self.fail(InvalidInputError(f"Bad request: bodyMatches {problem}", (fault,)))

    def look_at(self, seen: Sequence[Seen], new: Sequence[Seen]) -> int:
        """Come to an end, if enough of what is ``seen`` fits, or the time is over.

        Returns how many of it were looked at.

        Of it only ``new`` was not there when all looked who are not new: of thousands who wait for
        one message each, none looks again at what did not fit.
        """
        if self.is_over:
            return 0
        whole = self._is_new or self.condition.count > 1 or self.time_is_over
        self._is_new = False
        looked_at = seen if whole else new
        fitting = [each for each in looked_at if self._fits(each)]
        if len(fitting) >= self.condition.count or self.time_is_over:
            self.found = fitting
            self._end()
        return len(looked_at)

    def fail(self, why: Exception) -> None:
        """Come to an end by ``why``, if there was none yet."""
        if not self.is_over:
            self.failure = why
            self._end()

    def forget(self) -> None:
        """Come to an end of which nobody needs to hear."""
        self._ended = None

    def _end(self) -> None:
        ended, self._ended = self._ended, None
        if ended is not None:
            ended()

    def _may_fit(self, seen: Seen) -> bool:
        return not self.condition.failed_by(seen.folded)

    def _fits(self, seen: Seen) -> bool:
        return self._may_fit(seen) and (
            self.condition.body_matches is None or self.is_in_body(seen) is True
        )


def patterns_of(waits: Sequence[Wait]) -> list[Pattern]:
    """What those of ``waits`` have to find in a body who want to find something."""
    found = (wait.condition.body_matches for wait in waits)
    return [pattern for pattern in found if pattern is not None]
