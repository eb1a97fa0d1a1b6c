"""What the daemon's parts stand on, and what it asks of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from twisted.internet.interfaces import IOpenSSLServerConnectionCreator

from mailsacd.core.limit_memory import LimitMemory
from mailsacd.data import Data
from mailsacd.mail.records.telemetry import Telemetry
from mailsacd.settings import Settings
from mailsacd.store.pool import Database
from mailsacd.store.reading import Reader
from mailsacd.work.threads import Lanes


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What is there before any part is.

    ``intake`` is the database for taking mail in, by connections that nothing else waits for, and
    ``reads`` has read what takes long, on a standby if there is one;
    ``tls`` has the server's certificate. ``reactor`` is many interfaces; each object says which of
    them it needs. ``limits`` is shared with the other workers of the node. With ``telemetry`` they
    tell how they do.
    """

    settings: Settings
    hostname: str
    data: Data
    intake: Database
    reads: Reader
    tls: IOpenSSLServerConnectionCreator
    reactor: Any
    limits: LimitMemory
    telemetry: Telemetry

    @property
    def database(self) -> Database:
        """The database for everything but taking mail in."""
        return self.data.database

    @property
    def lanes(self) -> Lanes:
        """Where work that takes long is done."""
        return self.data.lanes

    @property
    def self_signed(self) -> bool:
        """Whether the certificate is one that the daemon made for itself."""
        return not self.settings.tls.certificate

    def host_of(self, host: str) -> str:
        """The name by which others find what listens on ``host``, a setting."""
        chosen = host or ("" if self.settings.database.dsn else "127.0.0.1")
        everywhere = chosen in {"", "0.0.0.0", "::"}  # noqa: S104  it is only compared
        return self.hostname if everywhere else chosen

    def front(self, ports: Mapping[str, int]) -> str:
        """Where people find the server: as the setting says, else this machine.

        ``ports`` tells where it listens; it is empty, and so is the answer, before it does.
        """
        chosen = self.settings.http
        if chosen.public_url or "http" not in ports:
            return chosen.public_url
        host = self.host_of(chosen.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{ports['http']}"


class Part(Protocol):
    """Built, started and ended as one. Parts are started in the order in which they were built,
    once all of them are, and ended in the reverse order."""

    async def start(self) -> None:
        """Begin what the part does by itself."""

    async def finish(self) -> None:
        """End the part; nothing that was promised is lost."""


P = TypeVar("P", bound=Part)


class AddsParts(Protocol):
    """Sees to it that parts are started and ended."""

    def __call__(self, part: P) -> P:
        """Return ``part``, which was just built."""


class Edge(Protocol):
    """A part that others come in by."""

    async def drain(self) -> None:
        """End the sessions, in bounded time: its ports are closed. Comes before any `finish`."""
