"""Has one listener told of mail as it comes: each message once, and one after the other."""

from collections.abc import Awaitable, Callable
from typing import Final

from mailsacd.core.actor import Actor
from mailsacd.core.errors import MailsacdError, NotFoundError
from mailsacd.core.event import Pushed
from mailsacd.core.token import ENVELOPE_ID_LENGTH
from mailsacd.mail.reading.all_mail import AllMail, Mail
from mailsacd.work.tasks import Tasks

REMEMBERED: Final = 100
"""A message to several inboxes is pushed several times: so many of the last are known again."""

Tell = Callable[[Actor, Mail], Awaitable[None]]
"""Tells of a message that came, as it is seen by who listens."""


class Teller:
    """Looks up what was pushed. While it is ``busy`` nothing more may be pushed.

    ``done`` is called when it is no longer, and ``failed`` when a message could not be told of.
    """

    def __init__(
        self,
        all_mail: AllMail,
        tasks: Tasks,
        tell: Tell,
        *,
        done: Callable[[], None],
        failed: Callable[[str], None],
    ) -> None:
        self.busy = False
        self._all_mail = all_mail
        self._tasks = tasks
        self._tell = tell
        self._done = done
        self._failed = failed
        self._told: dict[str, None] = {}

    def push(self, actor: Actor, pushed: Pushed) -> None:
        """Have the listener, who is ``actor``, told of the message, unless that was done."""
        envelope_id = pushed.id[:ENVELOPE_ID_LENGTH]
        if envelope_id in self._told:
            return
        self._told[envelope_id] = None
        if len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]
        self.busy = True
        try:
            self._tasks.run(self._look(actor, envelope_id))
        except MailsacdError as e:
            self._failed(e.public)

    async def _look(self, actor: Actor, envelope_id: str) -> None:
        try:
            mail = await self._all_mail.find(actor, envelope_id)
            await self._tell(actor, mail)
        except NotFoundError:
            pass  # it is gone already, or not for this listener
        except MailsacdError as e:
            self._failed(e.public)
        finally:
            self.busy = False
        self._done()
