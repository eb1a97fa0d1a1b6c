"""A line protocol on a Twisted transport: what is between the socket and the handler.

PROXY header, TLS, deadlines, and how much is read from the socket.
"""

from collections.abc import Callable
from typing import Final, cast

from twisted.internet import tcp
from twisted.internet.interfaces import (
    IHalfCloseableProtocol,
    IHandshakeListener,
    IPushProducer,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from mailsacd.core.peer import plain_ip
from mailsacd.sockets.connections import CloseReason
from mailsacd.sockets.handler import Handler
from mailsacd.sockets.listener_options import ListenerOptions
from mailsacd.sockets.proxy import ProxyHeaderError, ProxyReader
from mailsacd.sockets.read_control import ReadControl
from mailsacd.sockets.stage import TIMEOUTS_S, Stage

MAX_UNREAD_BYTES: Final = 4_096
"""While the handler is held up, more input than this waits in the kernel."""
MUCH_BYTES: Final = 65_536
"""More than this is not gathered before it is sent: so it is known whether the peer keeps up."""

_log = Logger()


# To look a member of an enum up costs a call, which each reply would pay twice
_CLOSING: Final = Stage.CLOSING
_GONE: Final = Stage.GONE


@implementer(IPushProducer, IHandshakeListener, IHalfCloseableProtocol)
class Connection(Protocol):
    """One connection of a line protocol; a subclass gives it the handler of what comes in.

    ``peer_ip`` is the textual IP address of the socket's other end, or what a PROXY header says
    instead.
    """

    _handler: Handler
    """Whoever builds a connection gives it one at once."""

    def __init__(self, options: ListenerOptions, peer_ip: str) -> None:
        self.peer_ip = plain_ip(peer_ip)
        self.tls = False
        """Whether what is said is encrypted, or will be as soon as the handshake is done."""
        self._options = options
        self._seconds = options.clock.seconds
        self._proxy: ProxyReader | None = None
        self._proxied_local_ip: str | None = None
        self._stage = Stage.SESSION
        self._since_s = self._seconds()
        self._tcp: tcp.Server
        self._unsent = b""
        self._sends_directly = True
        self.read_control = ReadControl(options.fair_queue)
        self.left = False
        """Whether the peer sends no more."""
        self.when_left: Callable[[], None] = lambda: None
        """Is called when the peer sends no more; whoever waits for that sets it."""

    # What Twisted calls

    def connectionMade(self) -> None:
        """Greet the peer, or wait for the PROXY header that comes first from a listed proxy."""
        self._tcp = cast(tcp.Server, self.transport)
        self.read_control.begin(self._tcp)
        self._options.connections.enter(self)
        if self._options.is_proxy(self.peer_ip):
            self._proxy = ProxyReader()
            self._stage = Stage.PROXY_HEADER
        else:
            self._begin()

    def dataReceived(self, data: bytes) -> None:
        """Hand what the peer has sent to the handler; with TLS, ``data`` is decrypted already."""
        if self._proxy is not None:
            data = self._read_proxy_header(self._proxy, data)
            if not data:
                return
        self.read_control.came(len(data))
        self._handler.receive(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Let go of everything: the connection is gone, for whichever ``reason``."""
        self._options.connections.leave(self)
        self._handler.lost()
        # The handler knows the connection: that circle would keep what both hold, half a message
        # maybe, until the collector of garbage comes by
        del self._handler
        if self._stage is Stage.HANDSHAKE:
            why = reason.getErrorMessage()
            _log.debug("TLS handshake with {peer}: {why}", peer=self.peer_ip, why=why)
        self._stage = Stage.GONE
        self.left = True
        self.when_left()

    def readConnectionLost(self) -> None:  # noqa: N802  Twisted's name
        """Give the answers that are under way: the peer sends no more, but may still read."""
        self.left = True
        self.read_control.end()
        self.when_left()
        self._close_if_finished()

    def writeConnectionLost(self) -> None:  # noqa: N802  Twisted's name
        """Do nothing: this side never closes one direction alone."""

    def handshakeCompleted(self) -> None:  # noqa: N802  Twisted's name
        """Go on with the session: TLS is on."""
        self._stage = Stage.SESSION
        self.progress()
        if self._options.tls_at_once:
            self._handler.begin()

    def pauseProducing(self) -> None:
        """Have no replies made and nothing read: the peer does not read what it was sent."""
        self._handler.pause()

    def resumeProducing(self) -> None:
        """Go on, with the peer's whole time again: it has read what it was sent."""
        self._since_s = self._seconds()
        self._handler.resume()

    def stopProducing(self) -> None:
        """Do nothing: the connection is gone, and `connectionLost` is called too."""

    # What the listener calls

    def check_time(self, now_s: float) -> None:
        """Close the connection if its time is over (RFC 5321 section 4.5.3.2, RFC 1939 section 3).

        ``now_s`` is the clock's time, as in `Member`.
        """
        silent_s = now_s - self._since_s
        if self._stage is Stage.GONE:
            return
        if self._stage in TIMEOUTS_S:
            if silent_s >= TIMEOUTS_S[self._stage]:
                self.abort()
        elif self._handler.waiting:
            self._since_s = now_s
        elif self._handler.is_overdue(silent_s, now_s):
            self._handler.end(CloseReason.IDLE)

    def stop(self, *, at_once: bool) -> None:
        """Say that the server stops, and close; unless ``at_once``, after what is under way."""
        if self._stage is not Stage.SESSION:
            self.abort()
        elif at_once or not self._handler.busy:
            self._handler.end(CloseReason.STOPPING)

    def abort(self) -> None:
        """Close the connection at once; what was written and not sent is lost."""
        self._tcp.abortConnection()

    def flush(self) -> None:
        """Send what was written, as far as the kernel takes it; the transport keeps the rest."""
        data, self._unsent = self._unsent, b""
        if self._stage is _GONE or not data:
            return
        if self._sends_directly:
            sent = self._tcp.writeSomeData(data)
            if sent != len(data):
                self._use_buffers()
                self._tcp.write(data[sent:] if isinstance(sent, int) else data)
        else:
            self._tcp.write(data)
        if self._stage is _CLOSING:
            if self._sends_directly:  # all is sent: no event need say that there is room for it
                self._tcp.connectionLost(connectionDone)
            else:
                self._lose()

    # What the handler calls

    @property
    def local_ip(self) -> str:
        """The textual IP address that the peer connected to."""
        return self._proxied_local_ip or plain_ip(self._tcp.getHost().host)

    def send(self, data: bytes) -> None:
        """Send ``data`` now, after what was written.

        `pauseProducing` has been called by the time this returns if the peer does not keep up.
        """
        self._unsent = self._unsent + data if self._unsent else data
        self.flush()

    def write(self, data: bytes) -> None:
        """Send ``data`` at the end of this turn of the reactor; at once from MUCH_BYTES on."""
        if not self._unsent:
            self._options.write_batch.add(self)
        self._unsent += data
        if len(self._unsent) >= MUCH_BYTES:
            self.flush()

    def start_tls(self) -> None:
        """Send what was written, then begin the handshake as a server."""
        self._use_buffers()
        self.flush()
        self._stage = Stage.HANDSHAKE
        self._since_s = self._seconds()
        self.tls = True
        self._tcp.startTLS(self._options.tls)

    @property
    def tls_handle(self) -> object:
        """OpenSSL's connection, once the handshake is done: a pyOpenSSL SSL.Connection."""
        return self._tcp.getHandle()

    def progress(self) -> None:
        """Begin the peer's time anew: it has got something done.

        Bytes alone are nothing done: who drips a command in has no more time for it than who is
        silent. So it is for the handler to say.
        """
        self._since_s = self._seconds()

    def close(self) -> None:
        """Close the connection, after what was written. The peer has CLOSE_TIMEOUT_S to read it."""
        self._stage = Stage.CLOSING
        self._options.connections.close(self)
        self._since_s = self._seconds()
        if not self._unsent:
            self._lose()

    def worked(self, commands: int, unread_bytes: int) -> None:
        """Take note that the handler has done so many ``commands``, and how much input waits.

        Something that was done gives the peer its time again. While too much input waits no more
        is read from the socket.
        """
        if commands:
            self._since_s = self._seconds()
        self.read_control.worked(commands, keeps_up=unread_bytes <= MAX_UNREAD_BYTES)
        if self.left:
            self._close_if_finished()

    def later(self, go_on: Callable[[], None]) -> None:
        """Call ``go_on`` in one of the next turns, when others have had theirs (see FairQueue)."""
        self._options.fair_queue.wait(go_on)

    # Beginning and end

    def _begin(self) -> None:
        refusal = self._options.connections.admit(self, self.peer_ip)
        if self._options.tls_at_once:
            if refusal is None:
                self.start_tls()
            else:
                self.abort()  # words in the clear would only confuse
        elif refusal is None:
            self._handler.begin()
        else:
            self._handler.end(refusal)

    def _close_if_finished(self) -> None:
        """The peer sends no more: close when it waits for nothing either."""
        if self._stage is Stage.SESSION and not self._handler.held_up:
            self.close()

    def _read_proxy_header(self, reader: ProxyReader, data: bytes) -> bytes:
        """What follows the header: empty while it is not whole."""
        try:
            found = reader.receive(data)
        except ProxyHeaderError as e:
            _log.warn("{peer} is a listed proxy: {why}", peer=self.peer_ip, why=str(e))
            self.abort()
            return b""
        if found is None:
            return b""
        header, rest = found
        self._proxy = None
        self._stage = Stage.SESSION
        self.peer_ip = header.peer_ip or self.peer_ip
        self._proxied_local_ip = header.local_ip
        self._begin()
        return rest

    def _use_buffers(self) -> None:
        """From now on Twisted sends, and says when the peer does not keep up."""
        if self._sends_directly:
            self._sends_directly = False
            self._tcp.registerProducer(self, True)

    def _lose(self) -> None:
        if not self._sends_directly:
            self._tcp.unregisterProducer()  # a transport with a producer does not close
        self._tcp.loseConnection()
