"""MailHog's `/api/v1/events`: messages as they come, as server-sent events (HTML standard, 9.2)."""

from typing import Final, NamedTuple

from mailsacd.core.actor import Actor, Scope
from mailsacd.core.cache import UNKNOWN, Recent
from mailsacd.core.errors import MailsacdError
from mailsacd.core.event import Pushed
from mailsacd.facades.feed import Frames as MakesFrames
from mailsacd.facades.mailhog.forms import message_json
from mailsacd.facades.routes import route
from mailsacd.facades.teller import Teller
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.calls.events import EVENT_STREAM, SLOW_BEATS
from mailsacd.http.server.answer import Streamed, Writer
from mailsacd.mail.push.listener import Asker, Listening
from mailsacd.mail.push.listeners import Listeners
from mailsacd.mail.reading.all_mail import AllMail, Mail
from mailsacd.work.sharing import Sharing
from mailsacd.work.tasks import Tasks

PATH: Final = "/api/v1/events"


REMEMBERED: Final = 16
REMEMBERED_BYTES: Final = 262_144
"""So many of the last frames are kept, each of so many bytes at most: listeners come one by one."""


class _Seen(NamedTuple):
    account: str | None
    scope: Scope | None
    mail: Mail


class Frames:
    """Makes what tells of mail that comes, by WebSocket or as an event: the message itself."""

    def __init__(self, all_mail: AllMail) -> None:
        self._all_mail = all_mail
        self._making: Sharing[_Seen, bytes] = Sharing()
        self._made: Recent[_Seen, bytes] = Recent(REMEMBERED)

    async def of_mail(self, actor: Actor, mail: Mail) -> tuple[bytes, ...]:
        """The message in JSON, as calls answer it: made once for all who see the same."""
        seen = _Seen(actor.account, actor.scope, mail)
        made = self._made.get(seen)
        if made is UNKNOWN:
            made = await self._making.get(
                seen, lambda: self._all_mail.with_raw(actor, mail, message_json)
            )
            if len(made) <= REMEMBERED_BYTES:
                self._made.remember(seen, made)
        return (made,)

    async def totals(self, actor: Actor) -> tuple[bytes, ...]:  # noqa: ARG002  what Frames are asked
        """None: MailHog does not tell how much there is."""
        return ()


class EventCalls:
    """The handler of the call, and its declaration."""

    def __init__(
        self, listeners: Listeners, all_mail: AllMail, tasks: Tasks, frames: MakesFrames
    ) -> None:
        """``frames`` makes what listeners are told."""
        self._listeners = listeners
        self._all_mail = all_mail
        self._tasks = tasks
        self._frames = frames

    def operations(self) -> tuple[Operation, ...]:
        """Declare the call that listens."""
        return (route("GET", PATH, self.listen),)

    async def listen(self, call: Call) -> Streamed:
        """Answer with events as they come, until the client goes or the daemon stops."""
        events = _Events(call.actor, self._all_mail, self._tasks, self._frames)
        asker = Asker(peer=call.peer, key=call.key)
        events.listening = await self._listeners.listen_to_all(
            asker, self._all_mail.sees_public, events
        )
        return Streamed(EVENT_STREAM, events)


class _Events:
    """A Listener (mail.push.listener) that is the Source of an answer."""

    listening: Listening

    def __init__(self, actor: Actor, all_mail: AllMail, tasks: Tasks, frames: MakesFrames) -> None:
        self._actor = actor
        self._frames = frames
        self._teller = Teller(all_mail, tasks, self._tell, done=self.drained, failed=self.lost)
        self._writer: Writer | None = None
        self._slow_beats = 0

    # What the answer calls

    def begin(self, writer: Writer) -> None:
        """Say that the stream has begun."""
        self._writer = writer
        writer.write(b": listening\n\n")
        self.drained()

    def drained(self) -> None:
        """Have more pushed: the client has read what was written."""
        self._slow_beats = 0
        if self._writer is not None and not self._teller.busy:
            self.listening.resume()

    def ended(self) -> None:
        """Give the place up: the client has gone."""
        self._writer = None
        self.listening.close()

    # As a Listener

    @property
    def full(self) -> bool:
        """Whether a message is still being looked up, or not read yet."""
        return self._writer is None or self._writer.full or self._teller.busy

    def push(self, pushed: Pushed) -> None:
        """Look the message up, and write what tells of it."""
        self._teller.push(self._actor, pushed)

    async def _tell(self, actor: Actor, mail: Mail) -> None:
        for frame in await self._frames.of_mail(actor, mail):
            if self._writer is not None:
                self._writer.write(b"data: %b\n\n" % frame)

    def beat(self) -> None:
        """Write a comment, which a client passes over; drop a client that does not read."""
        if self._writer is None:
            return
        if not self._writer.full:
            self._writer.write(b": ok\n\n")
            return
        self._slow_beats += 1
        if self._slow_beats >= SLOW_BEATS:
            self._writer.abort()

    def lost(self, reason: str) -> None:  # noqa: ARG002  what a Listener is told
        """End the answer; the client comes back by itself."""
        self._end()

    def revoked(self, error: MailsacdError) -> None:  # noqa: ARG002  as above
        """End the answer: the client may not listen any more."""
        self._end()

    def stopping(self) -> None:
        """End the answer, for the daemon stops."""
        self._end()

    def _end(self) -> None:
        self.listening.close()
        if self._writer is not None:
            self._writer.finish()
