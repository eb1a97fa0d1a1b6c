"""An address of one test, and what came to it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Final, Unpack

from mailsacd_client import Client, Conditions, Message, WaitTimeoutError

_EVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LEAST: Final = timedelta(milliseconds=1)
_USUAL_TIMEOUT_S: Final = 30
_SETTLING_S: Final = 1  # to store what was received before the newest that is stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """An ``address`` that no other test has; ``client`` reads it, and does all else the API does.

    Nothing came to it before the test, so whatever came counts in every wait, however long ago.
    """

    address: str
    client: Client
    _given: set[str] = field(default_factory=set, init=False, repr=False, compare=False)

    def __str__(self) -> str:
        """Give the address, as it goes into forms and messages."""
        return self.address

    def wait_for(self, **conditions: Unpack[Conditions]) -> Message:
        """The oldest message that fits and that this inbox has not given yet, as soon as it comes.

        Who waits twice gets the next one. Raises WaitTimeoutError, which tells what came instead.
        """
        conditions.setdefault("since", _EVER)
        deadline = time.monotonic() + conditions.get("timeout", _USUAL_TIMEOUT_S)
        is_settling = True
        while True:
            left_s = max(0, ceil(deadline - time.monotonic()))
            conditions["timeout"] = left_s
            fitting = self.client.wait_for_several(self.address, 1, **conditions)
            for message in reversed(fitting):
                if message.id not in self._given:
                    self._given.add(message.id)
                    return message
            self._wait_for_newer(fitting, conditions, left_s, is_settling=is_settling)
            is_settling = False

    def _wait_for_newer(
        self, given: Sequence[Message], conditions: Conditions, left_s: int, *, is_settling: bool
    ) -> None:
        """Wait for what is newer than all that was given.

        That is for a moment first, in which something may be stored that is not newer.
        """
        newer = conditions.copy()
        newer["since"] = max(message.received for message in given) + _LEAST
        newer["timeout"] = min(left_s, _SETTLING_S) if is_settling else left_s
        try:
            self.client.wait(self.address, **newer)
        except WaitTimeoutError:
            if not is_settling or not left_s:
                raise

    def wait_for_several(self, count: int, **conditions: Unpack[Conditions]) -> list[Message]:
        """The messages that fit, newest first, as soon as there are ``count``.

        It does not matter which of them were given, nor does that give them.
        """
        conditions.setdefault("since", _EVER)
        return self.client.wait_for_several(self.address, count, **conditions)

    def wait_for_code(self, **conditions: Unpack[Conditions]) -> str:
        """The one-time code of the next message that fits. Raises LookupError without one."""
        message = self.wait_for(**conditions)
        for code in self.client.codes(message).codes:
            return code
        raise LookupError(f"No code is told by {message.subject!r}: {self.client.text(message)}")

    def wait_for_link(self, **conditions: Unpack[Conditions]) -> str:
        """The link of the next message that fits by which one confirms something.

        Raises LookupError without one.
        """
        message = self.wait_for(**conditions)
        for link in self.client.codes(message).links:
            return link.url
        raise LookupError(f"Nothing is confirmed by the links of {message.subject!r}")

    def messages(self) -> list[Message]:
        """What has come, newest first."""
        return self.client.messages(self.address)


MakeInbox = Callable[..., Inbox]
"""Makes an inbox; a name may be given, with which its address begins."""
