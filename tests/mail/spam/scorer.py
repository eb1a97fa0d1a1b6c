"""A program that speaks rspamd's protocol, on a port of this machine, and answers as told."""

from collections.abc import Callable
from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.protocol import Factory, Protocol

reactor: Any = the_reactor


class Answers:
    """What it answers, and what it was asked.

    While it ``is_silent`` it takes questions and says nothing; ``held`` answers those.
    """

    def __init__(self) -> None:
        self.score = 9.0
        self.is_silent = False
        self.asked: list[bytes] = []
        self.held: list[Callable[[], None]] = []
        self.open = self.most_open = 0
        self._port: Any = None

    def listen(self) -> None:
        """Listen on a free port."""
        self._port = reactor.listenTCP(0, _Conversations(self), interface="127.0.0.1")

    @property
    def number(self) -> int:
        """Where it listens."""
        number: int = self._port.getHost().port
        return number

    async def stop(self) -> None:
        """Listen no more."""
        await self._port.stopListening()

    def answer(self) -> bytes:
        """The answer to the next question."""
        action = "add header" if self.score >= 6 else "no action"
        return (
            b"HTTP/1.1 200 OK\r\n\r\n"
            b'{"score":%.1f,"required_score":15.0,"action":"%b","symbols":{"WORD":{"name":"WORD",'
            b'"score":%.1f,"description":"A word"}}}' % (self.score, action.encode(), self.score)
        )


class _Conversations(Factory):
    noisy = False

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def buildProtocol(self, addr: object) -> Protocol:
        del addr
        return _Conversation(self._answers)


class _Conversation(Protocol):
    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._data = b""

    def connectionMade(self) -> None:
        self._answers.open += 1
        self._answers.most_open = max(self._answers.open, self._answers.most_open)

    def connectionLost(self, reason: object = None) -> None:
        del reason
        self._answers.open -= 1

    def dataReceived(self, data: bytes) -> None:
        self._data += data
        head, end, body = self._data.partition(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0] or 0)
        if not end or len(body) < length:
            return
        self._answers.asked.append(self._data)
        if self._answers.is_silent:
            self._answers.held.append(self._answer)
        else:
            self._answer()

    def _answer(self) -> None:
        if self.transport is not None:
            self.transport.write(self._answers.answer())
            self.transport.loseConnection()
