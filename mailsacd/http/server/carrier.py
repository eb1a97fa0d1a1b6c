"""What a request asks of the connection that it came by, and of the resource that answers it."""

from typing import Any
from typing import Protocol as TypingProtocol

from twisted.internet.protocol import Protocol

from mailsacd.http.server.bounds import Bounds


class Root(TypingProtocol):
    """The one resource that a site serves (http.api.routes)."""

    def render(self, request: Any) -> int:
        """Have ``request`` answered, sooner or later. Returns NOT_DONE_YET."""

    def max_body_bytes(self, method: bytes, segments: list[bytes]) -> int:
        """How long the body of a request for that path, still encoded, may be at most."""


class Carrier(TypingProtocol):
    """The connection that a request came by (http.server.channel)."""

    bounds: Bounds
    site: Any
    persistent: bool

    def send(self, data: bytes) -> None:
        """Send a whole answer, head and body in ``data``."""

    def send_large(self, head: bytes, body: bytes) -> None:
        """Send a whole answer piece by piece, as its client reads."""

    def body_came(self, count: int, in_all: int) -> None:
        """Note that ``count`` bytes of a body have come, ``in_all`` with those before."""

    def refuse_body(self, limit: int) -> None:
        """Answer that the body has more than ``limit`` bytes, and drop what comes of it."""

    def settle(self) -> None:
        """Note that no answer is owed any more that has an end."""

    def hand_over(self, successor: Protocol, opening: bytes) -> None:
        """Have ``successor`` go on with the connection, which is given ``opening`` first."""

    def loseConnection(self) -> None:  # noqa: N802  Twisted's
        """Close the connection once all that was written is sent."""
