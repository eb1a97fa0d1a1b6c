"""Mail that the daemon itself sends: links for a new password, warnings, invitations.

It is queued like all mail, signed for the server's domain, and costs nobody anything. Nothing is
ever reported about it: its reverse-path is null (RFC 3834 section 3.3), because a report would
have in it what is for the recipient alone. docs/sending.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import make_msgid
from typing import Any, Final

from twisted.logger import Logger

from mailsacd.core.address import normal_domain, parse_address
from mailsacd.core.allowance import Allowance
from mailsacd.core.errors import BadAddressError, ConfigurationError, ThrottledError
from mailsacd.core.outgoing import NewOutgoing, OutgoingRecipient
from mailsacd.core.ownership import PUBLIC
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.sending.letters import Envelope, Letter, written
from mailsacd.mail.sending.queueing import Queueing
from mailsacd.mail.sending.senders import Senders

A_DAY: Final = 10
"""So many letters of one kind does an account get at once, and as many in a day after that."""

_DAY_S: Final = 86_400
_REMEMBERED: Final = 10_000

_log = Logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMailRules:
    """``sender`` is who writes. ``front`` tells the URL that links begin with, ``server`` how
    people call the server."""

    sender: str
    server: str
    front: Callable[[], str]


class OwnMail:
    """Writes to people. ``reactor`` tells the time."""

    def __init__(
        self,
        queueing: Queueing,
        directory: Directory,
        senders: Senders,
        rules: OwnMailRules,
        *,
        reactor: Any,
    ) -> None:
        self._queueing = queueing
        self._directory = directory
        self._senders = senders
        self._reactor = reactor
        self._allowance = Allowance(
            reactor, at_once=A_DAY, again_s=_DAY_S / A_DAY, remembered=_REMEMBERED
        )
        self.rules = rules

    async def send(self, letter: Letter, recipient: str) -> str:
        """Queue ``letter``. Returns its id. Raises BadAddressError, and UnavailableError."""
        address = str(parse_address(recipient))
        message_id = make_msgid(domain=self.rules.sender.rpartition("@")[2])
        envelope = Envelope(
            sender=self.rules.sender,
            recipient=address,
            date=datetime.fromtimestamp(int(self._reactor.seconds()), UTC),
            message_id=message_id,
        )
        new = NewOutgoing(
            account=None,
            origin="service",
            reverse_path="",
            header_from=self.rules.sender,
            subject=letter.subject,
            message_id=message_id.strip("<>"),
            content=written(letter, envelope),
            recipients=(OutgoingRecipient(address=address),),
            smtputf8=not address.isascii(),
        )
        return await self._queueing.queue(new, charged=False)

    async def is_due(self, kind: str, account: str, recipient: str) -> bool:
        """Return whether an account may be written to once more, and nobody else would read it.

        An address whose mail arrives in a public inbox here gets no mail: anybody would use the
        link in it. ``kind`` names what is written. May raise UnavailableError.
        """
        try:
            address = parse_address(recipient).without_tag()
        except BadAddressError:
            return False
        facts = await self._directory.domain(address.domain)
        is_here = self._senders.is_own(address.domain) or (facts is not None and facts.owner)
        if (is_here or address.domain == self.rules.server) and (
            await self._directory.holder(address) == PUBLIC
        ):
            _log.warn("{account} is not written to: its address is a public inbox", account=account)
            return False
        try:
            self._allowance.spend(f"{kind} {account}", "")
        except ThrottledError:
            _log.debug("{account} has had enough mail today", account=account)
            return False
        return True


def own_sender(setting: str, hostname: str) -> str:
    """Return who writes: the setting ``relay.own_sender``, else ``mailsacd`` at this host.

    Raises ConfigurationError for what is no address.
    """
    try:
        address = parse_address(setting or f"mailsacd@{normal_domain(hostname)}")
    except BadAddressError as e:
        raise ConfigurationError(f"relay.own_sender: {e.public}") from e
    return str(address)
