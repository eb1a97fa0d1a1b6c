"""From whom mail is taken, to whom, and how fast: what the denylist and the throttle say."""

from collections.abc import Awaitable

from mailsacd.core.account import AccountIdentity
from mailsacd.core.address import parse_address
from mailsacd.core.cache import UNKNOWN
from mailsacd.core.envelope import Recipient
from mailsacd.core.errors import DeniedError
from mailsacd.mail.limits.throttle import Patience, PeerRates, Throttle
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.receiving.denylist import Denylist


class Admission:
    """Admits mail of whoever connects to the receiving port."""

    def __init__(self, denylist: Denylist, throttle: Throttle, directory: Directory) -> None:
        self._denylist = denylist
        self._throttle = throttle
        self._directory = directory

    def of_peer(self, peer_ip: str) -> "PeerAdmission":
        """What decides for the peer at that IP address while it is connected."""
        rates = None if self._denylist.allows(peer_ip) else self._throttle.peer(peer_ip)
        return PeerAdmission(self._denylist, self._throttle, self._directory, peer_ip, rates)


class PeerAdmission:
    """Admits mail of one peer; without ``rates`` as fast as it comes."""

    def __init__(
        self,
        denylist: Denylist,
        throttle: Throttle,
        directory: Directory,
        peer_ip: str,
        rates: PeerRates | None,
    ) -> None:
        self._denylist = denylist
        self._throttle = throttle
        self._directory = directory
        self._peer_ip = peer_ip
        self._rates = rates
        self._patience = Patience()

    def check_connection(self) -> None:
        """Raises DeniedError when it is on the denylist, ThrottledError when it sent too much."""
        if self._denylist.refuses_peer(self._peer_ip):
            raise DeniedError("Mail from you is refused here")
        if self._rates is not None:
            self._throttle.check_peer(self._rates)

    def refuses_sender(self, reverse_path: str) -> bool:
        """Whether mail with that reverse-path is refused, coming from this peer."""
        return self._denylist.refuses(self._peer_ip, reverse_path)

    def recipient(
        self, reverse_path: str, recipient: Recipient, _account: AccountIdentity | None
    ) -> float | Awaitable[float]:
        """How many seconds to wait before mail for ``recipient`` is taken.

        Raises DeniedError, ThrottledError; the awaitable UnavailableError, too.
        """
        if self._denylist.refuses_recipient(recipient.original_inbox, recipient.inbox):
            raise DeniedError("Mail for this recipient is refused here")
        if self._rates is None or recipient.load_test is not None:
            return 0.0
        facts = self._directory.known_domain(recipient.domain)
        if facts is None:
            return self._mail(self._rates, reverse_path, recipient, None)
        if facts is not UNKNOWN and facts.owner is not None and facts.is_private:
            return self._mail(self._rates, reverse_path, recipient, facts.owner)
        return self._looked_up(self._rates, reverse_path, recipient)

    def _mail(
        self, rates: PeerRates, reverse_path: str, recipient: Recipient, owner: str | None
    ) -> float:
        return self._throttle.mail(rates, reverse_path, recipient.inbox, owner, self._patience)

    async def _looked_up(self, rates: PeerRates, reverse_path: str, recipient: Recipient) -> float:
        holding = await self._directory.holder(parse_address(recipient.inbox))
        return self._mail(rates, reverse_path, recipient, holding.owner)


class CaptureAdmission:
    """Admits mail of those who have logged in: each account has a rate, wherever it sends from."""

    def __init__(self, throttle: Throttle) -> None:
        self._throttle = throttle

    def of_peer(self, peer_ip: str) -> "CapturingPeer":
        """What decides for the peer at that IP address while it is connected."""
        return CapturingPeer(self._throttle, is_throttled=self._throttle.peer(peer_ip) is not None)


class CapturingPeer:
    """Admits mail of who has logged in on one connection."""

    def __init__(self, throttle: Throttle, *, is_throttled: bool) -> None:
        self._throttle = throttle
        self._is_throttled = is_throttled
        self._patience = Patience()

    def check_connection(self) -> None:
        """Admit it: who it is will be seen when it logs in."""

    def refuses_sender(self, _reverse_path: str) -> bool:
        """Whether mail with that reverse-path is refused: none is."""
        return False

    def recipient(
        self, _reverse_path: str, recipient: Recipient, account: AccountIdentity | None
    ) -> float:
        """How many seconds to wait before the next recipient. Raises ThrottledError."""
        if account is None or not self._is_throttled or recipient.load_test is not None:
            return 0.0
        return self._throttle.captured(account.name, self._patience)
