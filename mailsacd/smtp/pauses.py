"""What takes its time on purpose in one session: late and slow answers, and connections that end.

Whoever waits has a place (core.waiting_places), until the time is over or the client sends no more.
"""

from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from mailsacd.core.fault import Phase
from mailsacd.core.peer import network_of
from mailsacd.core.provocation import Provocation, ProvokedError
from mailsacd.core.reply import READY_FOR_TLS, RECIPIENT_OK, SENDER_OK, STORED, THROTTLED, Reply
from mailsacd.core.waiting_places import WaitingPlaces
from mailsacd.sockets.connection import Connection

_TURN_S: Final = 0.05
"""So long do replies that came before have to be on their way."""
_READ_S: Final = 0.5
"""So long has a client to read what is no TLS."""
_NO_TLS: Final = b"This is no TLS\r\n"
_SLOWLY: Final = "Slowly, on purpose"
_TOO_MANY: Final = THROTTLED.saying("Too many sessions wait on purpose, come back later")
_DRIPS: Final[dict[Phase, Reply]] = {"mail": SENDER_OK, "rcpt": RECIPIENT_OK, "end": STORED}


class Pauses:
    """The pauses of one connection."""

    __slots__ = ("_clock", "_connection", "_places")

    def __init__(self, places: WaitingPlaces, connection: Connection, clock: IReactorTime) -> None:
        self._places = places
        self._connection = connection
        self._clock = clock

    async def carry_out(self, found: Provocation, at: Phase) -> None:
        """All but the refusal. A connection that is dropped ends whatever waits for this."""
        await self.wait(found)
        if found.garbles:
            await self._speak_no_tls()
        if found.drops or found.garbles:
            await self.abort()
            await Deferred()
        if found.reply is None:
            await self.drip(found, at)

    async def wait(self, found: Provocation, held_bytes: int = 0) -> None:
        """Wait with so many bytes of mail, but not where those who wait hold too much of it.

        Raises ProvokedError when too many sessions wait already.
        """
        places, who = self._places, self._who(found)
        if found.wait_s <= 0.0 or not places.have_room(held_bytes):
            return
        if not places.are_free(who):
            raise ProvokedError(_TOO_MANY)
        with places.take(who, held_bytes):
            await self._sleep(found.wait_s)

    async def drip(self, found: Provocation, at: Phase) -> None:
        """Say the first line of the answer that follows, in so many seconds."""
        places, who = self._places, self._who(found)
        if found.drip_s <= 0.0 or not places.are_free(who):
            return
        answer = _DRIPS[at]
        line = f"{answer.code}-{answer.enhanced} {_SLOWLY}\r\n".encode()
        with places.take(who):
            for octet in line:
                await self._sleep(found.drip_s / len(line))
                if self._connection.left:
                    return
                self._connection.send(bytes((octet,)))

    def _who(self, found: Provocation) -> tuple[str, ...]:
        """Whose places are taken: an owner's, and a peer's."""
        return f"owner {found.owner}", f"peer {network_of(self._connection.peer_ip)}"

    async def _speak_no_tls(self) -> None:
        await self._sleep(_TURN_S)
        self._connection.send(READY_FOR_TLS.wire)
        await self._sleep(_TURN_S)
        self._connection.send(_NO_TLS)
        await self._sleep(_READ_S)

    async def abort(self) -> None:
        await self._sleep(_TURN_S)
        self._connection.abort()
        await self._sleep(_TURN_S)

    async def _sleep(self, seconds: float) -> None:
        """Returns after so many seconds, or when the client sends no more."""
        connection = self._connection
        if connection.left:
            return
        slept: Deferred[None] = Deferred()
        timer = self._clock.callLater(seconds, slept.callback, None)
        before, connection.when_left = connection.when_left, lambda: slept.callback(None)
        try:
            await slept
        finally:
            connection.when_left = before
            if timer.active():
                timer.cancel()
