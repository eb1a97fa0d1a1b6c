"""Which senders mail is answered to on purpose, so that no stranger is sent any.

They are in domains that the same account has proved to be its own, or that the operator allows.
Those may be anybody's: there a message has to be of its sender's domain by SPF or DKIM, as whoever
names somebody else would have him get the answer.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from mailsacd.core.address import parse_address
from mailsacd.core.authentication import Authentication
from mailsacd.core.domain_names import EVERY_DOMAIN, DomainNames
from mailsacd.core.envelope import Envelope
from mailsacd.core.errors import BadAddressError
from mailsacd.core.peer import is_loopback
from mailsacd.fault_settings import FaultSettings
from mailsacd.mail.ownership.directory import Directory

Examines = Callable[[Envelope], Awaitable[Authentication]]
"""Finds out who sent a message (mail.authentication.examination)."""

_STRANGER: Final = "the sender is in no domain of the account's"
_FORGED: Final = "neither SPF nor DKIM says that the sender has sent it"


class AnsweredSenders:
    """Decides on the sender of each message that is to be answered."""

    def __init__(
        self, directory: Directory, settings: FaultSettings, examine: Examines | None
    ) -> None:
        """Without ``examine`` nobody looks at who sent mail. Raises ConfigurationError."""
        self._directory = directory
        self._examine = examine
        self._everywhere = EVERY_DOMAIN in settings.answer_domains
        self._allowed = DomainNames(settings.answer_domains, setting="faults.answer_domains")

    async def why_not(self, owner: str, envelope: Envelope) -> str:
        """Return why the sender is not answered for the account ``owner``; empty if it is.

        Raises UnavailableError when that cannot be found out.
        """
        try:
            domain = parse_address(envelope.reverse_path).domain
        except BadAddressError:
            return _STRANGER
        facts = await self._directory.domain(domain)
        if facts is not None and facts.owner == owner:
            return ""
        if not self._everywhere and domain not in self._allowed:
            return _STRANGER
        if self._examine is None or is_loopback(envelope.reception.peer_ip):
            return ""
        found = envelope.authentication or await self._examine(envelope)
        return "" if _is_from(domain, found) else _FORGED


def _is_from(domain: str, found: Authentication) -> bool:
    """Whether a message is of that domain: its host may send so, or it is signed by the domain or
    one above."""
    spf = found.spf
    if spf.result == "pass" and spf.identity == "mailfrom" and spf.domain.lower() == domain:
        return True
    return any(
        each.result == "pass" and f".{domain}".endswith(f".{each.domain.lower()}")
        for each in found.dkim
    )
