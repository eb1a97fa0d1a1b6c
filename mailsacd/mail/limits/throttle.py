"""Has those who come too fast wait, and sends them away when that is not enough.

There are buckets (core.rate) of peers and the networks around them, of senders' domains, of
recipients, and of accounts. What is spent is a recipient of a message, or a call of the API. All
of it that a minute brings may come at once; what goes beyond that waits, and who would have to wait
for too long is told to come back later. Of private mail `private_factor` times as much is let in.
"""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from math import ceil
from typing import Any, Final

from twisted.internet.defer import Deferred

from mailsacd.core.activity import THROTTLED
from mailsacd.core.cache import UNKNOWN, Recent
from mailsacd.core.errors import RateLimitError, ThrottledError
from mailsacd.core.figures import Figures
from mailsacd.core.limit_memory import LimitMemory
from mailsacd.core.networks import networks_of_setting
from mailsacd.core.peer import networks_around
from mailsacd.core.rate import Charge, full_in_s, interval_s_of, places, spend, would_wait
from mailsacd.core.rate_standing import RateStanding
from mailsacd.mail.records.activity import Activity
from mailsacd.throttle_settings import ThrottleSettings

BURST_S: Final = 60.0
WIDER: Final = 4
"""So many times as much as a peer may the next wider network around it do."""
CALLS_WAIT_S: Final = 1.0
"""So long is an answer to a call held back at most: a program would rather know."""

MAX_TOLD: Final = 200
"""Of so many different ones does the activity tell by name within TELL_AFRESH_S."""
TELL_AFRESH_S: Final = 10.0
OTHERS: Final = "others"

_REMEMBERED: Final = 10_000
_MAIL_CODE: Final = 421
_CALL_CODE: Final = 429
_NO_CODE: Final = None


@dataclass(frozen=True, slots=True)
class PeerRates:
    """What a peer that is throttled spends: of its own bucket, then of wider networks around it."""

    public: tuple[Charge, ...]
    private: tuple[Charge, ...]
    calls: tuple[Charge, ...]


@dataclass(slots=True)
class Patience:
    """How long one connection has been kept waiting since it last was not.

    Whoever goes on as fast as he is let comes to the end of it: he is sent away.
    """

    waited_s: float = 0.0


class Throttle:
    """``seconds`` is a clock that is never set back, the same in all processes of the node.

    Places and charges are worked out once for whoever comes often; what is spent is in ``memory``.
    """

    def __init__(
        self,
        settings: ThrottleSettings,
        memory: LimitMemory,
        activity: Activity,
        *,
        reactor: Any,
        seconds: Any,
    ) -> None:
        """Raises ConfigurationError for a network that is none."""
        self._settings = settings
        self._tables = memory.tables
        self._activity = activity
        self._reactor = reactor
        self._seconds = seconds
        self._exempt = networks_of_setting(settings.exempt_networks, "throttle.exempt_networks")
        self._peers: Recent[str, PeerRates | None] = Recent(_REMEMBERED)
        self._secret = memory.secret
        self._charge = lru_cache(_REMEMBERED)(self._new_charge)
        limits = (settings.sender_domain_per_minute, settings.recipient_per_minute)
        self._public_s = tuple(map(interval_s_of, limits))
        self._private_s = tuple(interval_s_of(n * settings.private_factor) for n in limits)
        self._account_s = interval_s_of(settings.account_per_minute)
        self._told: set[tuple[str, int | None]] = set()
        self._tell_afresh_s = 0.0
        self.declare(Figures())

    def declare(self, figures: Figures) -> None:
        """Have ``figures`` tell how much was slowed and refused."""
        self._counts = {
            (what, done): figures.counter(
                "mailsacd_throttled_total",
                "Recipients of mail, and calls, that came too fast: made to wait, or refused",
                what=what,
                done=done,
            )
            for what in ("mail", "call")
            for done in ("slowed", "refused")
        }

    def peer(self, ip: str) -> PeerRates | None:
        """Return the peer at a textual IP address; None when it is never throttled."""
        known = self._peers.get(ip)
        if known is UNKNOWN:
            known = self._look_at(ip)
            self._peers.remember(ip, known)
        return known

    def check_peer(self, peer: PeerRates) -> None:
        """Raises ThrottledError when not even private mail of ``peer`` would be taken now."""
        wait_s, worst = would_wait(peer.private, self._seconds(), burst_s=BURST_S)
        if wait_s > self._settings.slow_s:
            raise self._too_much(peer.private[worst].name, None, wait_s, _MAIL_CODE)

    def mail(
        self,
        peer: PeerRates,
        reverse_path: str,
        inbox: str,
        owner: str | None,
        patience: Patience,
    ) -> float:
        """One recipient: how many seconds to wait before it is taken. Raises ThrottledError.

        ``inbox`` is where the mail goes, ``owner`` the account whose it will be; None: public.
        ``patience`` is that with the connection.
        """
        domain = reverse_path.rpartition("@")[2]
        if owner is None:
            sender_s, recipient_s = self._public_s
            charges = [*peer.public]
        else:
            sender_s, recipient_s = self._private_s
            charges = [*peer.private]
            if self._account_s:
                charges.append(self._charge("account", owner, self._account_s))
        if domain and sender_s:
            charges.append(self._charge("sender", domain, sender_s))
        if recipient_s:
            charges.append(self._charge("recipient", inbox, recipient_s))
        return self._spend_on_mail(charges, owner, patience)

    def captured(self, account: str, patience: Patience) -> float:
        """One recipient of mail that ``account`` has sent itself; as `mail`."""
        if not self._account_s:
            return 0.0
        charge = self._charge("account", account, self._account_s)
        return self._spend_on_mail([charge], account, patience)

    def sent(self, account: str, recipients: int) -> None:
        """Count so many ``recipients`` of a message that ``account`` sends, or none of them.

        Raises ThrottledError.
        """
        self._spend_at_once("sending-account", account, self._settings.sends_per_minute, recipients)

    def links(self, account: str, count: int) -> None:
        """Count so many links that ``account`` has opened, or none; as `sent`."""
        self._spend_at_once("link-account", account, self._settings.links_per_minute, count)

    async def call(self, ip: str, account: str | None) -> RateStanding | None:
        """A call of the API, by an account or else a peer: return when it may be answered.

        What it stands at is returned, None without a limit. Raises RateLimitError.
        """
        peer = self.peer(ip)
        if peer is None:
            return None
        per_minute, charges = self._settings.calls_per_minute, peer.calls
        if account is not None:
            per_minute = self._settings.account_calls_per_minute
            interval_s = interval_s_of(per_minute)
            charges = (self._charge("calling-account", account, interval_s),) if interval_s else ()
        if not charges:
            return None
        now_s = self._seconds()
        wait_s, worst = spend(charges, now_s, burst_s=BURST_S, patience_s=CALLS_WAIT_S)
        standing = _standing(charges[0], now_s, account, per_minute, wait_s)
        if wait_s > CALLS_WAIT_S:
            error = self._too_much(charges[worst].name, account, wait_s, _CALL_CODE)
            raise RateLimitError(error.public, standing)
        if wait_s:
            self._counts["call", "slowed"].add()
            self._tell(charges[worst].name, account, _NO_CODE)
            await self.wait(wait_s)
        return standing

    def slows(self, ip: str, inbox: str, *, is_private: bool) -> bool:
        """Whether mail for ``inbox`` would have to wait now, from that peer or from anybody."""
        peer = self.peer(ip)
        charges = [] if peer is None else [*(peer.private if is_private else peer.public)]
        _, interval_s = self._private_s if is_private else self._public_s
        if interval_s:
            charges.append(self._charge("recipient", inbox, interval_s))
        return would_wait(charges, self._seconds(), burst_s=BURST_S)[0] > 0.0

    def wait(self, wait_s: float) -> Deferred[None]:
        """Return what fires after so many seconds, unless it is cancelled before."""
        waited: Deferred[None] = Deferred(lambda _: timer.cancel())
        timer = self._reactor.callLater(wait_s, waited.callback, None)
        return waited

    def _look_at(self, ip: str) -> PeerRates | None:
        try:
            address = ip_address(ip)
        except ValueError:  # a socket of another kind
            return None
        settings = self._settings
        mapped = getattr(address, "ipv4_mapped", None)
        if not settings.enabled or (mapped or address) in self._exempt:
            return None
        networks = networks_around(ip)
        return PeerRates(
            self._around("peer", networks, settings.peer_per_minute),
            self._around("peer", networks, settings.peer_per_minute * settings.private_factor),
            self._around("calling-peer", networks, settings.calls_per_minute),
        )

    def _around(self, table: str, networks: tuple[str, ...], per_minute: int) -> tuple[Charge, ...]:
        if not per_minute:
            return ()
        return tuple(
            self._charge(table, network, interval_s_of(per_minute) / WIDER**level)
            for level, network in enumerate(networks)
        )

    def _new_charge(self, table: str, key: str, interval_s: float) -> Charge:
        name = key.lower()
        return Charge(self._tables[table], *places(name, self._secret), interval_s, name)

    def _spend_at_once(self, table: str, account: str, per_minute: int, count: int) -> None:
        interval_s = interval_s_of(per_minute)
        if not interval_s or not self._settings.enabled:
            return
        # What a minute brings may go at once, as one message too
        charge = self._charge(table, account, min(interval_s * count, BURST_S))
        wait_s, _ = spend([charge], self._seconds(), burst_s=BURST_S, patience_s=0.0)
        if wait_s:
            raise self._too_much(charge.name, account, wait_s, _CALL_CODE)

    def _spend_on_mail(self, charges: list[Charge], owner: str | None, patience: Patience) -> float:
        left_s = self._settings.slow_s - patience.waited_s
        wait_s, worst = spend(charges, self._seconds(), burst_s=BURST_S, patience_s=left_s)
        if wait_s == 0.0:
            patience.waited_s = 0.0
            return wait_s
        if wait_s > left_s:
            raise self._too_much(charges[worst].name, owner, wait_s, _MAIL_CODE)
        patience.waited_s += wait_s
        self._counts["mail", "slowed"].add()
        self._tell(charges[worst].name, owner, _NO_CODE)
        return wait_s

    def _too_much(self, name: str, owner: str | None, wait_s: float, code: int) -> ThrottledError:
        self._counts["mail" if code == _MAIL_CODE else "call", "refused"].add()
        self._tell(name, owner, code)
        again_s = ceil(wait_s)
        whose = "you" if name == owner else name  # who sends need not know whose an address is
        return ThrottledError(
            f"Too much, too fast for {whose}, come back in {again_s} s", retry_after_s=again_s
        )

    def _tell(self, name: str, account: str | None, code: int | None) -> None:
        """Record who waits, or (with a ``code``) is sent away. Of many names some stand for all."""
        now_s = self._seconds()
        if now_s >= self._tell_afresh_s:
            self._told.clear()
            self._tell_afresh_s = now_s + TELL_AFRESH_S
        if (name, code) not in self._told:
            if len(self._told) >= MAX_TOLD:
                name, account = OTHERS, None
            self._told.add((name, code))
        detail = "slowed" if code is None else "sent away"
        self._activity.record(THROTTLED, account=account, subject=name, code=code, detail=detail)


def _standing(
    charge: Charge, now_s: float, account: str | None, per_minute: int, wait_s: float
) -> RateStanding:
    full_s = full_in_s(charge, now_s)
    return RateStanding(
        policy="peer" if account is None else "account",
        quota=per_minute,
        window_s=int(BURST_S),
        remaining=max(int((BURST_S - full_s) / charge.interval_s), 0),
        reset_s=ceil(full_s),
        retry_after_s=ceil(wait_s),
    )
