"""Makes the WebSockets of `/incoming-messages`, and ends them all when the daemon stops."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from autobahn.twisted.websocket import WebSocketServerFactory
from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError

from mailsacd.listening_settings import WebsocketSettings
from mailsacd.mail.push.listeners import Listeners
from mailsacd.ws.feed import Feed, ListenRequest
from mailsacd.ws.protocol import MAX_CLIENT_MESSAGE_BYTES

CLOSE_TIMEOUT_S: Final = 5
"""So long may a client take to answer that it is closed."""
STOP_TIMEOUT_S: Final = 3.0
_WINDOW_BITS: Final = 12  # 4 KB back: enough for JSON, little memory
_MEMORY_LEVEL: Final = 5


class FeedFactory(WebSocketServerFactory):
    """Makes the WebSockets of the daemon, and knows all that are open."""

    def __init__(
        self,
        listeners: Listeners,
        settings: WebsocketSettings,
        reactor: Any,
        make: Callable[[ListenRequest, Listeners], Feed] = Feed,
    ) -> None:
        """``make`` makes the protocol of a connection."""
        super().__init__(server="mailsacd", reactor=reactor)
        self._listeners = listeners
        self._make = make
        self._feeds: set[Feed] = set()
        self._empty: Deferred[None] | None = None
        self.setProtocolOptions(
            webStatus=False,
            versions=[13],
            maxFramePayloadSize=MAX_CLIENT_MESSAGE_BYTES,
            maxMessagePayloadSize=MAX_CLIENT_MESSAGE_BYTES,
            failByDrop=True,
            openHandshakeTimeout=0,  # the handshake is there when a connection comes
            closeHandshakeTimeout=CLOSE_TIMEOUT_S,
            perMessageCompressionAccept=_deflate if settings.compression else None,
        )

    def accept(self, peer: str, key: str | None, query: Mapping[bytes, Sequence[bytes]]) -> Feed:
        """The protocol for a connection whose upgrade is as it should be.

        ``peer`` is the client's IP address, ``key`` the API key, ``query`` the decoded parameters.
        """
        feed = self._make(ListenRequest(peer, key, query), self._listeners)
        feed.factory = self
        self._feeds.add(feed)
        return feed

    @property
    def feeds(self) -> tuple[Feed, ...]:
        """All that are open, in no order."""
        return tuple(self._feeds)

    def gone(self, feed: Feed) -> None:
        """Forget ``feed``, whose connection has ended."""
        self._feeds.discard(feed)
        if self._empty is not None and not self._feeds:
            self._empty.callback(None)

    async def drain(self) -> None:
        """Wait, not for long, until all have gone whom `Listeners.stop` has told to."""
        for feed in tuple(self._feeds):
            feed.stopping()
        if not self._feeds:
            return
        self._empty = Deferred()
        try:
            await self._empty.addTimeout(STOP_TIMEOUT_S, self.reactor)
        except DeferredTimeoutError:
            for feed in tuple(self._feeds):
                feed.abort()
        self._empty = None


def _deflate(offers: Sequence[Any]) -> PerMessageDeflateOfferAccept | None:
    """Each message by itself: nothing is kept in memory between them."""
    for offer in offers:
        if isinstance(offer, PerMessageDeflateOffer):
            most = offer.request_max_window_bits or _WINDOW_BITS
            return PerMessageDeflateOfferAccept(
                offer,
                request_no_context_takeover=True,
                request_max_window_bits=_WINDOW_BITS if offer.accept_max_window_bits else 0,
                no_context_takeover=True,
                window_bits=min(most, _WINDOW_BITS),
                mem_level=_MEMORY_LEVEL,
                max_message_size=MAX_CLIENT_MESSAGE_BYTES,
            )
    return None
