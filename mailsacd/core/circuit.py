"""Whether something outside that fails is to be asked once more, or left alone for a while."""

from typing import Final

FAILURES: Final = 3
"""So many failures in a row, and it rests."""

FIRST_REST_S: Final = 10.0
LONGEST_REST_S: Final = 300.0


class Circuit:
    """Lets everything through until too much has failed; after a rest lets one through, as a trial.

    If the trial fails too, the next rest is twice as long. Times are seconds of one clock.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._rest_s = FIRST_REST_S
        self._until_s: float | None = None
        self._is_trying = False

    def is_open(self, now_s: float) -> bool:
        """Return whether it rests, so that nothing may be asked at ``now_s``."""
        return self._until_s is not None and (self._is_trying or now_s < self._until_s)

    def begin(self, now_s: float) -> bool:
        """Return whether something may be asked at ``now_s``; if so, tell how that ended."""
        if self.is_open(now_s):
            return False
        self._is_trying = self._until_s is not None
        return True

    def succeeded(self) -> bool:
        """Note that an answer came. Returns whether it had rested."""
        had_rested = self._until_s is not None
        self._failures, self._rest_s = 0, FIRST_REST_S
        self._until_s, self._is_trying = None, False
        return had_rested

    def failed(self, now_s: float) -> bool:
        """Note that none came. Returns whether it begins to rest only now."""
        if self._until_s is None:
            self._failures += 1
            if self._failures < FAILURES:
                return False
            self._until_s = now_s + self._rest_s
            return True
        if self._is_trying:  # of those asked before the rest nothing new is learned
            self._is_trying = False
            self._rest_s = min(2 * self._rest_s, LONGEST_REST_S)
            self._until_s = now_s + self._rest_s
        return False

    def given_up(self) -> None:
        """Note that whoever asked did not wait for the answer, which tells nothing."""
        self._is_trying = False
