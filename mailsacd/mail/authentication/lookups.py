"""Answers of the DNS, remembered for a minute, and asked for once by all who ask at once."""

from typing import Any, Final, Literal, Protocol

from twisted.internet.interfaces import IReactorTime

from mailsacd.core.address import is_domain
from mailsacd.core.cache import UNKNOWN, Recent
from mailsacd.core.dns import Found, MailHost
from mailsacd.core.errors import LookupFailedError
from mailsacd.mail.authentication.evaluation import Question
from mailsacd.work.sharing import Sharing

REMEMBERED: Final = 2_000
MAX_REMEMBERED_RECORDS: Final = 100
MAX_REMEMBERED_CHARACTERS: Final = 4_096
"""A longer answer is not remembered."""

KEPT_S: Final = 60.0
FAILURE_KEPT_S: Final = 10.0


class AsksDns(Protocol):
    """What is asked of the resolver (outbound.dns): see core.dns.Dns. Raises LookupFailedError."""

    async def texts(self, name: str) -> Found[str]:
        """The TXT records of a name, each joined from its pieces."""

    async def mail_hosts(self, name: str) -> Found[MailHost]:
        """The hosts of a domain's MX records, most preferred first."""

    async def addresses_of(self, name: str, version: Literal[4, 6]) -> Found[str]:
        """The addresses of a host of one version of IP."""

    async def names(self, address: str) -> Found[str]:
        """The host names of an IP address."""


class Lookups:
    """Answers questions, as evaluations ask them."""

    def __init__(self, dns: AsksDns, clock: IReactorTime) -> None:
        self._dns = dns
        self._clock = clock
        self._known: Recent[Question, tuple[float, Found[Any] | None]] = Recent(REMEMBERED)
        self._asking: Sharing[Question, Found[Any]] = Sharing()

    async def ask(self, question: Question) -> Found[Any]:
        """Return the answer. Raises LookupFailedError where there is none.

        A name that cannot be in the DNS does not exist.
        """
        known = self._known.get(question)
        if known is not UNKNOWN and self._clock.seconds() < known[0]:
            if known[1] is None:
                raise LookupFailedError(f"The name servers did not answer for {question.name}")
            return known[1]
        if question.kind != "PTR" and not is_domain(question.name):
            return Found((), exists=False)
        return await self._asking.get(question, lambda: self._look_up(question))

    async def _look_up(self, question: Question) -> Found[Any]:
        try:
            found = await self._found(question)
        except LookupFailedError:
            self._remember(question, None, FAILURE_KEPT_S)
            raise
        if _is_short(found):
            self._remember(question, found, KEPT_S)
        return found

    def _remember(self, question: Question, found: Found[Any] | None, kept_s: float) -> None:
        self._known.remember(question, (self._clock.seconds() + kept_s, found))

    async def _found(self, question: Question) -> Found[Any]:
        match question.kind:
            case "TXT":
                return await self._dns.texts(question.name)
            case "MX":
                return await self._dns.mail_hosts(question.name)
            case "PTR":
                return await self._dns.names(question.name)
        return await self._dns.addresses_of(question.name, 4 if question.kind == "A" else 6)


def _is_short(found: Found[Any]) -> bool:
    return (
        len(found.records) <= MAX_REMEMBERED_RECORDS
        and sum(len(str(record)) for record in found.records) <= MAX_REMEMBERED_CHARACTERS
    )
