"""An address of one test, and what came to it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Unpack

from mailsacd_client import Client, Conditions, Message

_EVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LEAST: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """An ``address`` that no other test has; ``client`` reads it, and does all else the API does.

    Nothing came to it before the test, so whatever came counts in every wait, however long ago.
    """

    address: str
    client: Client

    def __str__(self) -> str:
        """Give the address, as it goes into forms and messages."""
        return self.address

    def wait_for(
        self, *, after: Message | None = None, **conditions: Unpack[Conditions]
    ) -> Message:
        """The newest message that fits, as soon as there is one, which came ``after`` another.

        Raises WaitTimeoutError, which tells what came instead.
        """
        if after is not None:
            conditions["since"] = after.received + _LEAST
        conditions.setdefault("since", _EVER)
        return self.client.wait(self.address, **conditions)

    def wait_for_several(self, count: int, **conditions: Unpack[Conditions]) -> list[Message]:
        """The messages that fit, newest first, as soon as there are ``count``."""
        conditions.setdefault("since", _EVER)
        return self.client.wait_for_several(self.address, count, **conditions)

    def wait_for_code(self, **conditions: Unpack[Conditions]) -> str:
        """The one-time code of the newest message that fits. Raises LookupError without one."""
        message = self.wait_for(**conditions)
        for code in self.client.codes(message).codes:
            return code
        raise LookupError(f"No code is told by {message.subject!r}: {self.client.text(message)}")

    def wait_for_link(self, **conditions: Unpack[Conditions]) -> str:
        """The link of the newest message that fits by which one confirms something.

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
