"""A scorer outside: it is asked for so long and no longer, and left alone while it is dead."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.error import ConnectError
from twisted.logger import Logger

from mailsacd.core.circuit import Circuit
from mailsacd.core.errors import LookupFailedError, UnavailableError
from mailsacd.core.spam import ScoredMail, SpamReport
from mailsacd.core.token import iso_time_from_ms

_log = Logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a scorer called ``name`` is asked, and its answer read, which raises ValueError."""

    name: str
    port: int
    question: Callable[[ScoredMail], bytes]
    read_answer: Callable[[bytes, str], SpamReport]


class OutsideScorer:
    """See mail.spam.scorer. ``ask`` asks the program."""

    is_personal: Final = False

    def __init__(
        self,
        dialect: Dialect,
        ask: Callable[[bytes], Awaitable[bytes]],
        *,
        timeout_s: float,
        reactor: Any,
    ) -> None:
        """An answer may take ``timeout_s`` seconds."""
        self._dialect = dialect
        self._ask = ask
        self._timeout_s = timeout_s
        self._reactor = reactor
        self._circuit = Circuit()

    def is_ready(self, *, owned: bool) -> bool:
        """Return whether it may be asked: it does not rest."""
        del owned  # it is the same for all
        return not self._circuit.is_open(self._reactor.seconds())

    async def prepared(self, mail: ScoredMail) -> ScoredMail:
        """Return ``mail`` as it is."""
        return mail

    async def score(self, mail: ScoredMail) -> SpamReport | None:
        """Return what the program says of ``mail``. Raises UnavailableError."""
        name = self._dialect.name
        if not self._circuit.begin(self._reactor.seconds()):
            raise UnavailableError(f"{name} did not answer, and is left alone for a while")
        try:
            report = await self._asked(mail)
        except (CancelledError, GeneratorExit):  # whoever asked does not wait for it
            self._circuit.given_up()
            raise
        except BaseException as e:
            self._failed(e)
            if isinstance(e, _FAILURES):
                raise UnavailableError(f"{name} does not answer") from e
            raise
        if self._circuit.succeeded():
            _log.info("{scorer}: answers again", scorer=name)
        return report

    async def _asked(self, mail: ScoredMail) -> SpamReport:
        question = self._dialect.question(mail)
        asking = Deferred.fromCoroutine(self._answer(question))
        answer = await asking.addTimeout(self._timeout_s, self._reactor)
        now_ms = int(self._reactor.seconds() * 1000)
        return self._dialect.read_answer(answer, iso_time_from_ms(now_ms))

    async def _answer(self, question: bytes) -> bytes:
        return await self._ask(question)

    def _failed(self, error: BaseException) -> None:
        if self._circuit.failed(self._reactor.seconds()):
            why = str(error) or type(error).__name__
            _log.warn("{scorer}: left alone for a while: {why}", scorer=self._dialect.name, why=why)


_FAILURES: Final = (
    DeferredTimeoutError, ConnectError, OSError, LookupFailedError, ValueError,
)  # fmt: skip
