"""One listener: comes in or is refused, gets its mail, and goes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from mailsacd.core.address import split_addresses
from mailsacd.core.errors import MailsacdError
from mailsacd.core.event import Pushed
from mailsacd.mail.push.listener import Asker, Listening
from mailsacd.mail.push.listeners import Listeners
from mailsacd.ws import frames
from mailsacd.ws.protocol import Socket

MAX_COMPRESSED_BYTES: Final = 131_072
"""A larger message is sent as it is: compressing it would hold up everybody else."""

_FRAME: Final = "websocket frame"
_PAYLOAD: Final = "websocket payload"

_log = Logger()


class ListenRequest:
    """What a client asks for in the URL. ``query`` is decoded from it, as bytes."""

    def __init__(self, peer: str, key: str | None, query: Mapping[bytes, Sequence[bytes]]) -> None:
        self.asker = Asker(peer=peer, key=key)
        self.account = _last(query, b"_id")
        self.since = _last(query, b"since")
        self.wants_sequence = b"since" in query  # also an empty one: where does it begin
        self.names = [
            # an unquoted space was a plus, which a query turns into one
            name if name.startswith('"') else name.replace(" ", "+")
            for value in query.get(b"addresses", ())
            for name in split_addresses(value.decode("utf-8", "replace"))
        ]


class Feed(Socket):
    """A WebSocket that listens: a Listener (mail.push.listener), too."""

    def __init__(self, asked: ListenRequest, registry: Listeners) -> None:
        super().__init__()
        self._asked: ListenRequest | None = asked
        self._registry = registry
        self._listening: Listening | None = None
        self._coming: Deferred[None] | None = None

    # What Autobahn calls

    def onOpen(self) -> None:  # noqa: N802
        """Called by Autobahn after the upgrade: let the client in, or refuse it in a frame."""
        coming = self._coming = Deferred.fromCoroutine(self._come_in())
        coming.addErrback(lambda f: _log.failure("cannot let a listener in", f))

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:  # noqa: ARG002, N802, N803
        """Called by Autobahn when the connection is gone: give the place up."""
        if self._coming is not None:
            self._coming.cancel()
        self._leave()
        self.factory.gone(self)

    # What another kind of feed does in its own way

    async def listen(self, asked: ListenRequest, registry: Listeners) -> Listening:
        """Find a place for the client among ``registry``. Raises what refuses it."""
        return await registry.listen_as_account(
            asked.asker, asked.account, asked.names, asked.since, self
        )

    def greet(self, asked: ListenRequest, listening: Listening) -> None:
        """Tell the client what it listens to, before any message."""
        wanted = listening.wanted
        assert wanted is not None  # noqa: S101  for mypy
        sequence = listening.sequence if asked.wants_sequence else None
        self.sendMessage(frames.listening(wanted.addresses, wanted.domains, sequence))
        self.sendMessage(frames.HEARTBEAT)

    # As a Listener

    @property
    def full(self) -> bool:
        """Whether what was pushed is not read yet, so that more has to wait."""
        return self.congested or not self.usable

    def push(self, pushed: Pushed) -> None:
        """Send a message as a frame, which is encoded once for all who listen."""
        if not self.usable:
            return
        assert pushed.json is not None  # noqa: S101  for mypy: it is there once it is pushed
        if self._perMessageCompress is not None and len(pushed.json) <= MAX_COMPRESSED_BYTES:
            payload = pushed.encoded.get(_PAYLOAD)
            if payload is None:
                payload = pushed.encoded[_PAYLOAD] = frames.message(pushed.json)
            self.sendMessage(payload)
            return
        frame = pushed.encoded.get(_FRAME)
        if frame is None:
            payload = frames.message(pushed.json)
            frame = self.factory.prepareMessage(payload, doNotCompress=True).payloadHybi
            pushed.encoded[_FRAME] = frame
        self.sendData(frame)

    def lost(self, reason: str) -> None:
        """Close for ``reason``: the client reads too slowly, or the hub ends."""
        self._turn_away(frames.TRY_AGAIN_LATER, reason)

    def beat(self) -> None:
        """Send a heartbeat and a ping, and drop a client that shows no life."""
        if self._listening is not None and self.usable and not self.congested:
            self.sendMessage(frames.HEARTBEAT)
        self.check_life()

    def revoked(self, error: MailsacdError) -> None:
        """Close, as the client may not listen any more, for what ``error`` says."""
        self._refuse(error)

    def stopping(self) -> None:
        """Close, as the daemon stops."""
        self._turn_away(frames.GOING_AWAY, "The server is stopping, come back later")

    def drained(self) -> None:
        """Have more pushed: the client has read what was sent."""
        if self._listening is not None:
            self._listening.resume()

    async def _come_in(self) -> None:
        asked, self._asked = self._asked, None
        assert asked is not None  # noqa: S101  for mypy: a connection is opened once
        try:
            listening = await self.listen(asked, self._registry)
        except MailsacdError as e:
            self._refuse(e)
            return
        except CancelledError:
            return  # it has gone
        except Exception as e:
            self._refuse(e)
            raise
        if not self.usable:  # it has gone meanwhile
            listening.close()
            return
        self.greet(asked, listening)
        self._listening = listening
        listening.resume()

    def _refuse(self, error: Exception) -> None:
        frame, code, reason = frames.refusal(error)
        self._leave()
        if self.usable:
            self.forget_unsent()
            self.sendMessage(frame)
            self.say_goodbye(code, reason)

    def _turn_away(self, code: int, reason: str) -> None:
        self._leave()
        self.forget_unsent()
        self.say_goodbye(code, reason)

    def _leave(self) -> None:
        if self._listening is not None:
            self._listening.close()


def _last(query: Mapping[bytes, Sequence[bytes]], name: bytes) -> str:
    values: Any = query.get(name)
    return values[-1].decode("utf-8", "replace") if values else ""
