"""What nodes tell each other through PostgreSQL: LISTEN on a connection of its own, and NOTIFY.

A notice is given out in the transaction that makes it true, so it arrives when that has committed.
While the connection is down notices are missed: whoever keeps something in memory that a notice
would take out must forget all of it when the connection is lost, and keep nothing until it is back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from mailsacd.core.errors import ConfigurationError
from mailsacd.store.connection import Connection
from mailsacd.store.failures import DriverError
from mailsacd.store.sql import Executor, many
from mailsacd.store.target import Target
from mailsacd.work.loop import Loop
from mailsacd.work.threads import Lane

ACCOUNTS: Final = "mailsacd_accounts"
"""Channel: keys, sessions or standing of the account that the notice names have changed."""

DIRECTORY: Final = "mailsacd_directory"
"""Channel: the owner or settings of the address or domain that the notice names have changed;
an empty notice: of any number of them."""

MAIL: Final = "mailsacd_mail"
"""Channel: mail was stored, a moment ago at most (mail.push.announce); notices are empty."""

DENYLIST: Final = "mailsacd_denylist"
"""Channel: the operator's denylist has changed; notices are empty."""

TRACES: Final = "mailsacd_traces"
"""Channel: the operator follows somebody's mail, or no more; notices are empty."""

TRANSCRIPTS: Final = "mailsacd_transcripts"
"""Channel: an address's owner wants transcripts of its mail, or no more; notices are empty."""

OUTGOING: Final = "mailsacd_outgoing"
"""Channel: a message was queued to be sent, or is due again before its time; notices are empty."""

SPAM: Final = "mailsacd_spam"
"""Channel: something more was learned of spam, or all was forgotten; notices are empty."""

FAULTS: Final = "mailsacd_faults"
"""Channel: the faults of the domain that the notice names (mail.faults) have changed."""

RECONNECT_DELAYS_S: Final = (0.0, 0.1, 0.5, 1.0, 2.0)  # the last one again and again

_log = Logger()
_notify = many(lambda _: None, "select pg_notify(%(channel)s::text, %(notice)s::text)")


async def give_notice(db: Executor, channel: str, notice: str) -> None:
    """Tell all nodes, this one included, once the transaction commits.

    ``notice`` has at most 7,999 bytes.
    """
    await _notify(db, channel=channel, notice=notice)


@dataclass(frozen=True, slots=True)
class _Subscriber:
    came: Callable[[str], None]
    lost: Callable[[], None]


class Notices:
    """Hears the notices of all nodes. Its connection is opened again for as long as it takes."""

    def __init__(self, dsn: str, lookups: Lane, *, reactor: Any) -> None:
        """The host in ``dsn`` is looked up in the lane ``lookups``. Raises ConfigurationError."""
        self._target = Target(dsn, lookups)
        self._reactor = reactor
        self._subscribers: dict[str, list[_Subscriber]] = {}
        self._connection: Connection | None = None
        self._ended: Deferred[None] | None = None
        self._failures = 0  # to connect, in a row
        self._loop = Loop(
            "listen for notices",
            self._listen_once,
            every_s=RECONNECT_DELAYS_S[-1],
            clock=reactor,
        )
        self.listening = False

    def subscribe(
        self, channel: str, came: Callable[[str], None], lost: Callable[[], None]
    ) -> None:
        """Call ``came`` with each notice on ``channel``, and ``lost`` when some may be missed.

        It has to be called before `start`.
        """
        self._subscribers.setdefault(channel, []).append(_Subscriber(came, lost))

    def start(self) -> None:
        """Begin to connect. ``listening`` tells when that has succeeded."""
        self._loop.start(RECONNECT_DELAYS_S[0])

    async def stop(self) -> None:
        """Hang up, and return when nothing goes on any more."""
        self._loop.halt()
        if self._connection is not None:
            self._connection.drop("the daemon stops")  # cancelling its connecting is not safe
        await self._loop.stop()

    async def _listen_once(self) -> float:
        """Listen for as long as the connection lasts; how long to wait before the next one."""
        self._ended = Deferred()
        connection = Connection(self._reactor, self._lost)
        try:
            await self._listen(connection)
        except (*DriverError, OSError, ConfigurationError) as e:
            connection.drop("it does not listen")
            self._failures += 1
            if self._failures == len(RECONNECT_DELAYS_S):
                _log.warn("cannot listen for notices: {why}", why=str(e).strip())
            return RECONNECT_DELAYS_S[min(self._failures, len(RECONNECT_DELAYS_S) - 1)]
        except BaseException:
            connection.drop("it does not listen")
            raise
        self._failures = 0
        if self.listening:
            await self._ended
        return RECONNECT_DELAYS_S[0]

    async def _listen(self, connection: Connection) -> None:
        self._connection = connection
        connection.addNotifyObserver(self._came)
        await connection.open(self._target, channels=self._subscribers)
        self.listening = connection is self._connection  # else it was lost on its last step

    def _came(self, notice: Any) -> None:
        for subscriber in self._subscribers.get(notice.channel, ()):
            _tell(subscriber.came, notice.payload)

    def _lost(self, connection: Connection) -> None:
        if connection is not self._connection:
            return
        self._connection = None
        self.listening = False
        for subscribers in self._subscribers.values():
            for subscriber in subscribers:
                _tell(subscriber.lost)
        if self._ended is not None and not self._ended.called:
            self._ended.callback(None)


def _tell(subscriber: Callable[..., None], *told: str) -> None:
    try:
        subscriber(*told)
    except Exception:  # noqa: BLE001  one subscriber's defect is not the others'
        _log.failure("a subscriber to notices failed")
