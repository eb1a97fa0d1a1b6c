"""One who waits: what for, what was found of it so far, and when it is over."""

from collections.abc import Sequence
from typing import Final

from twisted.internet.defer import Deferred

from mailsacd.core.condition import Condition
from mailsacd.core.errors import Fault, InvalidInputError
from mailsacd.core.pattern import Pattern
from mailsacd.core.token import time_prefix
from mailsacd.mail.waiting.bodies import Searched
from mailsacd.mail.waiting.looks import Seen

MAX_SEARCHING_S: Final = 0.5
"""So much of the processor's time may the searches for one who waits take."""


class Wait:
    """``done`` fires with what fits, newest first, or with too few once the time is over."""

    def __init__(self, condition: Condition, from_ms: int) -> None:
        self.from_id = time_prefix(from_ms)
        self.done: Deferred[Sequence[Seen]] = Deferred()
        self.time_is_over = False
        self._condition = condition
        self._in_body: dict[str, bool] = {}  # by message
        self._searching_s = 0.0

    @property
    def pattern(self) -> Pattern | None:
        """What has to be found in the body."""
        return self._condition.body_matches

    def needs_search(self, seen: Seen) -> bool:
        """Whether it depends on the body if a message fits, which was not searched yet."""
        return not self.done.called and seen.outline.id not in self._in_body and self._may_fit(seen)

    def searched(self, seen: Seen, result: Searched) -> None:
        """Take note of what the search in a body has come to. It may have been the last one."""
        self._in_body[seen.outline.id] = result.is_found
        self._searching_s += result.took_s
        if self._searching_s > MAX_SEARCHING_S and not self.done.called:
            problem = "takes too long to search for: make it simpler"
            fault = Fault(field="bodyMatches", problem=problem)
            self.done.errback(InvalidInputError(f"Bad request: bodyMatches {problem}", (fault,)))

    def look_at(self, seen: Sequence[Seen]) -> None:
        """Come to an end, if enough of what is there fits, or the time is over."""
        if self.done.called:
            return
        fitting = [each for each in seen if self._fits(each)]
        if len(fitting) >= self._condition.count or self.time_is_over:
            self.done.callback(fitting)

    def fail(self, why: Exception) -> None:
        """Come to an end by ``why``, if there was none yet."""
        if not self.done.called:
            self.done.errback(why)

    def _may_fit(self, seen: Seen) -> bool:
        return seen.outline.id >= self.from_id and not self._condition.failed_by(seen.outline)

    def _fits(self, seen: Seen) -> bool:
        return self._may_fit(seen) and (
            self.pattern is None or self._in_body.get(seen.outline.id, False)
        )
