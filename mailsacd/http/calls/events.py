"""Server-sent events: an inbox's mail as it comes, for browsers and curl (HTML standard, 9.2).

Whoever may list an inbox may listen to it; an address needs no enablews for it.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from mailsacd.core.actor import Actor
from mailsacd.core.errors import MailsacdError
from mailsacd.core.event import Pushed
from mailsacd.http.api.operation import Answer, Call, Operation
from mailsacd.http.api.parameters import EMAIL, Parameter, text_up_to
from mailsacd.http.server.answer import Streamed, Writer
from mailsacd.mail.push.listener import Asker, Listening
from mailsacd.mail.push.listeners import Listeners
from mailsacd.mail.push.permission import Wanted

EVENT_STREAM: Final = b"text/event-stream; charset=utf-8"
RETRY_MS: Final = 3_000
SLOW_BEATS: Final = 2
"""A client that has read nothing for so many heartbeats is too slow."""
MAX_SEQUENCE_CHARACTERS: Final = 2_000

_ENCODED: Final = "event stream"
_HEADERS: Final = ((b"X-Accel-Buffering", b"no"),)  # nginx would hold events back
_SEQUENCE_SCHEMA: Final = {
    "type": "string",
    "pattern": "^[A-Za-z0-9_-]*$",
    "maxLength": MAX_SEQUENCE_CHARACTERS,
}

_sequence = text_up_to(MAX_SEQUENCE_CHARACTERS)

SINCE_SEQUENCE: Final = Parameter(
    name="since",
    where="query",
    description="The `sequence` of the last message that was seen: what came after it comes first.",
    schema=_SEQUENCE_SCHEMA,
    convert=_sequence,
    default="",
)
LAST_EVENT_ID: Final = Parameter(
    name="Last-Event-ID",
    where="header",
    description="The same, as browsers send it when they connect again; goes before `since`.",
    schema=_SEQUENCE_SCHEMA,
    convert=_sequence,
    default="",
)


EVENTS: Final = Answer(
    status=200,
    description="Events, without an end",
    schemas={"text/event-stream": {"type": "string"}},
)


class EventCalls:
    """The handler of the call that listens to an inbox, and its declaration."""

    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners

    def operations(self) -> tuple[Operation, ...]:
        """Declare the one call that listens to an inbox."""
        return (
            Operation(
                method="GET",
                path="/api/addresses/{email}/events",
                id="listenToInbox",
                tag="Messages",
                summary="The mail of an inbox as it comes, as server-sent events",
                description="An endless answer. Each event `message` has a message in the pushed "
                "form as its data, and its `sequence` as its id.",
                parameters=(EMAIL, SINCE_SEQUENCE, LAST_EVENT_ID),
                answers=(EVENTS,),
                refusals=(400, 401, 403, 429, 503),
                handler=self.listen,
                within_scope=True,
            ),
        )

    async def listen(self, call: Call) -> Streamed:
        """Answer with events as they come, until the client goes or the daemon stops.

        A place is found before the answer begins: a refusal is an answer as of any other call.
        """
        email = call["email"]
        rules = self._listeners.rules
        return await events_of(call, self._listeners, lambda actor: rules.of_inbox(actor, email))


async def events_of(
    call: Call, listeners: Listeners, wanted: Callable[[Actor], Awaitable[Wanted]]
) -> Streamed:
    """The answer that has what is ``wanted`` as it comes. Raises as `Listeners.listen` does."""
    events = _Events()
    asker = Asker(peer=call.peer, key=call.key, session=call.session)
    since = call[LAST_EVENT_ID.name] or call[SINCE_SEQUENCE.name]
    events.listening = await listeners.listen(asker, call.actor, wanted, since, events)
    return Streamed(EVENT_STREAM, events, _HEADERS)


class _Events:
    """A Listener (mail.push.listeners) that is the Source of an answer (http.api.codec)."""

    listening: Listening

    def __init__(self) -> None:
        self._writer: Writer | None = None
        self._slow_beats = 0

    # What the answer calls

    def begin(self, writer: Writer) -> None:
        """Say from where on: a client that has seen no event yet sends that id, too."""
        self._writer = writer
        opening = f"retry: {RETRY_MS}\nid: {self.listening.sequence}\n: listening\n\n"
        writer.write(opening.encode())
        self.drained()

    def drained(self) -> None:
        """Have more pushed: the client has read what was written."""
        self._slow_beats = 0
        if self._writer is not None:
            self.listening.resume()

    def ended(self) -> None:
        """Give the place up: the client has gone."""
        self.listening.close()

    # As a Listener

    @property
    def full(self) -> bool:
        """Whether what was pushed is not read yet, so that more has to wait."""
        return self._writer is None or self._writer.full

    def push(self, pushed: Pushed) -> None:
        """Write a message as an event, which is encoded once for all who listen."""
        event = pushed.encoded.get(_ENCODED)
        if event is None:
            event = pushed.encoded[_ENCODED] = _event(pushed)
        if self._writer is not None:
            self._writer.write(event)

    def lost(self, reason: str) -> None:
        """End the answer for ``reason``; the client comes back by itself and goes on there."""
        self._end(reason)

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

    def revoked(self, error: MailsacdError) -> None:
        """End the answer: the client may not listen any more, for what ``error`` says."""
        self._end(error.public)

    def stopping(self) -> None:
        """End the answer, for the daemon stops."""
        self._end("The server is stopping")

    def _end(self, why: str) -> None:
        self.listening.close()
        if self._writer is None:
            return
        if self._writer.full:  # it would not read that either
            self._writer.abort()
        else:
            said = msgspec.json.encode({"message": why}).decode()
            self._writer.write(f"event: closed\ndata: {said}\n\n".encode())
            self._writer.finish()


def _event(pushed: Pushed) -> bytes:
    """The form is JSON in one line: nothing in it ends a line of the stream."""
    assert pushed.json is not None  # noqa: S101  for mypy: it is there once it is pushed
    return b"id: %b\nevent: message\ndata: %b\n\n" % (pushed.sequence.encode(), pushed.json)
