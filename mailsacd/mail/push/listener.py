"""One who waits for mail: what an edge has to be able to do, and the place that it is given."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from mailsacd.core.errors import MailsacdError
from mailsacd.core.event import Pushed
from mailsacd.core.peer import network_of
from mailsacd.mail.push.permission import Wanted
from mailsacd.mail.push.stream import Stream


def key_of(account: str) -> str:
    """The name of an account among addresses and domains, none of which looks so."""
    return f"account {account}"


class Listener(Protocol):
    """An edge's side of one who listens."""

    @property
    def full(self) -> bool:
        """Whether what was pushed is not written yet: more has to wait."""

    def push(self, pushed: Pushed) -> None:
        """Send the message on. What cannot be written yet has to wait at the edge."""

    def lost(self, reason: str) -> None:
        """Too slow, or the hub ends: nothing more comes. What was missed can be asked for."""

    def beat(self) -> None:
        """Show a sign of life, and go if the other side shows none."""

    def revoked(self, error: MailsacdError) -> None:
        """Say why the listener may listen no more, and close."""

    def stopping(self) -> None:
        """Say that the daemon stops, and close."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who wants to listen: from which IP address, and with what to prove who it is."""

    peer: str
    key: str | None = None
    session: str | None = None


class Listening:
    """One listener's place, from when it knocks. To be closed when it goes."""

    def __init__(self, listener: Listener, peer: str, leave: Callable[["Listening"], None]) -> None:
        self.wanted: Wanted | None = None
        self.look_again: Callable[[], Awaitable[Wanted]]
        self.listener = listener
        self.account: str | None = None
        self.peer = network_of(peer)
        self.closed = False
        self.refusal: MailsacdError | None = None
        """Why it is to be refused, though it might have listened when it knocked."""
        self._leave = leave
        self._stream: Stream | None = None

    @property
    def sequence(self) -> str:
        """Where the stream stands: what ``since`` goes on from."""
        assert self._stream is not None  # noqa: S101  for mypy: who has a place has a stream
        return self._stream.sequence

    @property
    def concerned_by(self) -> frozenset[str]:
        """The addresses, domains and account on whose rights it rests, the last as by `key_of`."""
        names = frozenset() if self.wanted is None else self.wanted.depends_on
        return names if self.account is None else names | {key_of(self.account)}

    @property
    def is_open(self) -> bool:
        """Whether it was let in, and has not gone."""
        return self._stream is not None and not self.closed

    def close(self) -> None:
        """End the listening. May be called twice."""
        if not self.closed:
            self.closed = True
            self._leave(self)
            if self._stream is not None:
                self._stream.close()

    def resume(self) -> None:
        """The listener is no longer full."""
        if self._stream is not None and not self.closed:
            self._stream.resume()

    def follow(self, stream: Stream) -> None:
        """Be given what comes by ``stream``. Raises what it is to be refused for meanwhile."""
        self._stream = stream
        if self.refusal is not None:
            raise self.refusal
        if self.closed:
            stream.close()

    # What the hub calls

    @property
    def full(self) -> bool:
        """Whether nothing may be pushed now: also before the stream is there."""
        return self._stream is None or self.listener.full

    def push(self, pushed: Pushed) -> None:
        """Send the message on to the listener."""
        self.listener.push(pushed)

    def lost(self, reason: str) -> None:
        """Tell the listener that its stream has ended, and why."""
        self.listener.lost(reason)
