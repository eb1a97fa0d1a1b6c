"""A real POP3 port on the loopback, with maildrops that a test can steer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import zstandard
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator

from mailsacd.core.budget import ByteBudget
from mailsacd.core.errors import NotFoundError, UnauthenticatedError
from mailsacd.core.maildrop import Listing, StoredMessage, octets_on_the_wire
from mailsacd.pop3.factory import Pop3Factory
from mailsacd.pop3.services import Pop3Services
from mailsacd.settings import Pop3Settings
from tests.lanes import LANES
from tests.sockets.loopback import LoopbackPort, StepClock, Wire

T = TypeVar("T")
reactor: Any = the_reactor

NAME, SECRET = "box@me.example", "right"
LOGIN = f"USER {NAME}\r\nPASS {SECRET}\r\n".encode()


@dataclass
class MemoryMaildrop:
    """A maildrop in memory. ``hold`` keeps back what is asked until it fires."""

    messages: list[bytes]
    hold: Deferred[None] | None = None
    problem: Exception | None = None
    removed: list[int] = field(default_factory=list)
    closed: int = 0

    @property
    def listing(self) -> Listing:
        return Listing(
            ids=tuple(f"id-{n}" for n in range(len(self.messages))),
            sizes=tuple(map(octets_on_the_wire, self.messages)),
        )

    def peek(self, place: int) -> StoredMessage | None:  # noqa: ARG002  nothing is at hand
        return None

    take = peek

    async def read(self, place: int) -> StoredMessage:
        await self._held()
        if not self.messages[place]:
            raise NotFoundError("gone")
        return StoredMessage(zstandard.compress(self.messages[place], 1), plain=False)

    async def remove(self, places: Sequence[int]) -> None:
        await self._held()
        self.removed += places

    def close(self) -> None:
        self.closed += 1

    async def run(self, size: int, work: Callable[[], T]) -> T:
        return await LANES.readers.run(size, work)

    async def _held(self) -> None:
        if self.hold is not None:
            await self.hold
        if self.problem is not None:
            raise self.problem


@dataclass
class MemoryMaildrops:
    """Lets in who knows the secret, to ``maildrop``; or fails with ``problem``."""

    maildrop: MemoryMaildrop
    hold: Deferred[None] | None = None
    problem: Exception | None = None
    peers: list[str] = field(default_factory=list)

    async def open(self, name: str, secret: str, peer: str) -> MemoryMaildrop:
        self.peers.append(peer)
        if self.hold is not None:
            await self.hold
        if self.problem is not None:
            raise self.problem
        if (name, secret) != (NAME, SECRET):
            raise UnauthenticatedError("The name, or the password or key, is wrong")
        return self.maildrop


class Pop3Listener(LoopbackPort):
    """The port, its parts, and its clients."""

    factory: Pop3Factory

    def __init__(
        self,
        *messages: bytes,
        settings: Pop3Settings | None = None,
        tls: IOpenSSLServerConnectionCreator | None = None,
        tls_at_once: bool = False,
        self_signed: bool = False,
    ) -> None:
        clock = StepClock()
        self.maildrop = MemoryMaildrop(list(messages or (b"Subject: x\r\n\r\n.hi\r\n",)))
        self.maildrops = MemoryMaildrops(self.maildrop)
        chosen = settings or Pop3Settings()
        self.budget = ByteBudget(chosen.buffer_bytes)
        self.listings = ByteBudget(1_000_000)
        given = Pop3Services(
            hostname="pop.example",
            version="1",
            settings=chosen,
            maildrops=self.maildrops,
            budget=self.budget,
            listings=self.listings,
            tls=tls,
            tls_at_once=tls_at_once,
            self_signed=self_signed,
            clock=clock,
        )
        super().__init__(Pop3Factory(given), clock)

    async def connect(self, *, greeted: bool = True) -> Wire:
        """A client, which was greeted."""
        wire = await self.dial()
        if greeted:
            await answered(wire, b"+OK pop.example mailsacd POP3 is ready\r\n")
        return wire

    async def logged_in(self) -> Wire:
        """A client that has logged in."""
        wire = await self.connect()
        wire.send(LOGIN)
        await wire.until(lambda: wire.received.count(b"\r\n") == 2)
        assert b"-ERR" not in wire.received
        wire.received = b""
        return wire


async def answered(wire: Wire, expected: bytes) -> None:
    """Exactly that has come since the last time."""
    await wire.until(lambda: len(wire.received) >= len(expected) or wire.lost)
    received, wire.received = wire.received, b""
    assert received == expected
