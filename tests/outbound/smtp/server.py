"""An SMTP server on the loopback that behaves as a test says, mostly badly."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure


class Do(Enum):
    """What a server does instead of answering."""

    DROP = "drop"
    HANG = "hang"
    DRIP = "drip"  # an answer without an end, a byte at a time
    NO_TLS = "no tls"  # says that TLS may begin, and answers in plain text
    DROP_TLS = "drop tls"  # says that TLS may begin, and drops the connection at its first byte
    DEAF = "deaf"  # reads no more
    STAY = "stay"  # says what is usual, and reads no more


Answer = bytes | Do


@dataclass
class Behaviour:
    """``answers`` by verb, ``CONTENT`` for the end of a message; each may be a list, one a time."""

    offers: tuple[str, ...] = ()
    answers: dict[str, Answer | list[Answer]] = field(default_factory=dict)
    tls: Any = None
    tls_first: bool = False
    name: str = "mx.example"

    def answer(self, verb: str) -> Answer | None:
        """What is to be said, if it is not what is usual."""
        answer = self.answers.get(verb)
        if isinstance(answer, list):
            return answer.pop(0) if answer else None
        return answer


class Server:
    """Listens; ``messages`` are as they came, ``lines`` the commands of all connections."""

    def __init__(
        self, reactor: Any, behaviour: Behaviour, *, interface: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.behaviour = behaviour
        self.reactor = reactor
        self.lines: list[str] = []
        self.messages: list[bytes] = []
        self.connections: list[Dialogue] = []
        self._listening = reactor.listenTCP(port, _Factory(self), interface=interface)
        self.port: int = self._listening.getHost().port

    @property
    def verbs(self) -> list[str]:
        """The first words of the commands."""
        return [line.split(" ")[0].upper() for line in self.lines]

    async def stop(self) -> None:
        """Hang up, and listen no more."""
        await maybeDeferred(self._listening.stopListening)
        for connection in self.connections:
            if not connection.lost:
                connection.hang_up()


class Dialogue(Protocol):
    """One connection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._data = b""
        self._in_content = False
        self._chunk = 0
        self._text = b""
        self._instead_of_tls: Answer | None = None
        self.lost = False
        self.encrypted = False

    def connectionMade(self) -> None:
        self._server.connections.append(self)
        if self._server.behaviour.tls_first:
            self.encrypted = True
            transport: Any = self.transport
            transport.startTLS(self._server.behaviour.tls)
        self._say("GREETING", f"220 {self._server.behaviour.name} ESMTP\r\n".encode())

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002
        self.lost = True

    def hang_up(self) -> None:
        """Go away."""
        transport: Any = self.transport
        transport.abortConnection()

    def say(self, data: bytes) -> None:
        """Bytes, as they are."""
        transport: Any = self.transport
        transport.write(data)

    def dataReceived(self, data: bytes) -> None:
        if self._instead_of_tls is Do.DROP_TLS:
            self.hang_up()
            return
        if self._instead_of_tls is Do.NO_TLS:
            self.say(b"500 5.5.1 What?\r\n")
            return
        self._data += data
        if "BLOCK" in self._server.behaviour.answers and (self._in_content or self._chunk):
            self._say("BLOCK", b"")
            return
        while self._data and self._step():
            pass

    def _step(self) -> bool:
        """Take a command, or a piece of a message; whether there may be more."""
        if self._chunk:
            taken, self._data = self._data[: self._chunk], self._data[self._chunk :]
            self._text += taken
            self._chunk -= len(taken)
            if not self._chunk:
                self._finish()
            return not self._chunk
        if self._in_content:
            text, end, rest = (b"\r\n" + self._data).partition(b"\r\n.\r\n")
            if end:
                self._text, self._data, self._in_content = text[2:] + b"\r\n", rest, False
                self._finish()
            return bool(end)
        line, end, rest = self._data.partition(b"\r\n")
        if end:
            self._data = rest
            self._command(line.decode("utf-8", "replace"))
        return bool(end)

    def _command(self, line: str) -> None:
        self._server.lines.append(line)
        verb, _, argument = line.partition(" ")
        verb = verb.upper()
        usual = {"EHLO": self._ehlo(), "DATA": b"354 go on\r\n", "STARTTLS": b"220 go on\r\n",
                 "QUIT": b"221 bye\r\n"}  # fmt: skip
        if verb == "BDAT":
            self._chunk = int(argument.split(" ")[0])
            return
        said = self._say(verb, usual.get(verb, b"250 2.0.0 ok\r\n"))
        transport: Any = self.transport
        if verb == "DATA" and said.startswith(b"354"):
            self._in_content = True
        elif verb == "STARTTLS" and said.startswith(b"220") and self._server.behaviour.tls:
            self.encrypted = True
            transport.startTLS(self._server.behaviour.tls)
        elif verb == "QUIT" and said:
            transport.loseConnection()

    def _ehlo(self) -> bytes:
        behaviour = self._server.behaviour
        offers = [o for o in behaviour.offers if not (o == "STARTTLS" and self.encrypted)]
        lines = [behaviour.name, *offers]
        return "".join(
            f"250{' ' if line is lines[-1] else '-'}{line}\r\n" for line in lines
        ).encode()

    def _finish(self) -> None:
        self._server.messages.append(self._text)
        self._text = b""
        self._say("CONTENT", b"250 2.6.0 taken\r\n")

    def _say(self, verb: str, usual: bytes) -> bytes:
        transport: Any = self.transport
        answer = self._server.behaviour.answer(verb)
        if answer is Do.DROP:
            transport.abortConnection()
        elif answer is Do.DRIP:
            self._drip()
        elif answer is Do.DEAF:
            transport.pauseProducing()
        elif answer is Do.STAY:
            self.say(usual)
            transport.pauseProducing()
        elif answer in {Do.NO_TLS, Do.DROP_TLS}:
            self._instead_of_tls = answer
            self.say(b"220 go on\r\n")
        elif isinstance(answer, bytes):
            self.say(answer)
            return answer
        elif answer is None:
            self.say(usual)
            return usual
        return b""

    def _drip(self) -> None:
        if not self.lost:
            self.say(b"2")
            self._server.reactor.callLater(0.01, self._drip)


class _Factory(Factory):
    noisy = False

    def __init__(self, server: Server) -> None:
        self._server = server

    def buildProtocol(self, addr: Any) -> Dialogue:  # noqa: ARG002
        return Dialogue(self._server)
