"""Why mail that somebody waits for may not have come, in sentences for who writes tests.

They say what whoever sends the mail is told anyway, and what belongs to the caller: never whose
an address is, or where the mail of others goes.
"""

from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mailsacd.core.activity import RECEIVED, REFUSED, STORAGE_FULL, THROTTLED, Event
from mailsacd.core.actor import Actor
from mailsacd.core.address import Address, inbox_of
from mailsacd.core.condition import SINCE
from mailsacd.core.envelope import Recipient
from mailsacd.core.errors import ForbiddenError, UnavailableError
from mailsacd.core.ownership import CATCH_ALL_LOCAL
from mailsacd.core.token import iso_time_from_ms, time_prefix
from mailsacd.mail.limits.throttle import Throttle
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.receiving.accept import RecipientPolicy
from mailsacd.mail.receiving.denylist import Denylist
from mailsacd.mail.records.activity import Activity
from mailsacd.mail.waiting.looks import Place
from mailsacd.mail.waiting.waits import TimeOver
from mailsacd.work.sharing import Sharing

_EVENTS_WITHIN_MS: Final = 600_000
_MAX_EVENTS: Final = 100
_MAX_ELSEWHERE: Final = 3
_TROUBLE: Final = frozenset({REFUSED, THROTTLED, STORAGE_FULL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Who knows what becomes of mail. A public inbox keeps ``public_per_inbox`` messages."""

    policy: RecipientPolicy
    denylist: Denylist
    throttle: Throttle
    directory: Directory
    activity: Activity
    public_per_inbox: int


class Hints:
    """Puts them together when a wait is over."""

    def __init__(self, sources: Sources, *, reactor: Any) -> None:
        self._sources = sources
        self._reactor = reactor
        self._events: Sharing[tuple[str, str | None], Sequence[Event]] = Sharing()

    async def of(self, actor: Actor, place: Place, over: TimeOver, peer: str) -> tuple[str, ...]:
        """What may be why, the likeliest first, for ``actor``, who may look there.

        ``peer`` is the IP address that the actor waits at, and may send from, too.
        """
        if place.kind == "domain":
            return tuple(_of_what_is_there(f"*@{place.name}", over))
        inbox = inbox_of(place.name)
        hints: list[str] = []
        try:
            hints += await self._on_the_way(actor, inbox)
            hints += await self._kept_out(inbox, over, peer)
            hints += _of_what_is_there(str(inbox), over)
            hints += await self._happened(actor, inbox, over)
        except UnavailableError:  # the wait is over all the same
            hints.append("The database is away: more is not known")
        return tuple(dict.fromkeys(hints))

    async def _on_the_way(self, actor: Actor, inbox: Address) -> list[str]:
        """Where mail for the inbox goes, if it does not stay there."""
        if inbox.local == CATCH_ALL_LOCAL:
            return []
        if inbox.is_alternate:
            return [f"{inbox} is an alternate: its mail is delivered to what it stands for"]
        try:
            found = self._sources.policy.recipient(str(inbox))
            recipient = await found if isinstance(found, Awaitable) else found
        except ForbiddenError as e:
            return [f"{e.public}: see the setting message.accepted_domains"]
        return await self._goes_elsewhere(actor, inbox, recipient)

    async def _goes_elsewhere(
        self, actor: Actor, inbox: Address, recipient: Recipient
    ) -> list[str]:
        facts = await self._sources.directory.domain(inbox.domain)
        is_domains = facts is not None and facts.owner is not None and facts.owner == actor.account
        if recipient.load_test is not None and is_domains:
            return [f"{inbox.domain} is under a load test: its mail is counted, and not kept"]
        if recipient.forwarder is not None and recipient.forwarder == actor.account:
            return [f"{inbox} forwards its mail to {recipient.inbox}: wait there"]
        if recipient.inbox != str(inbox) and is_domains:
            return [f"Mail for {inbox} goes to the catch-all: wait for {recipient.inbox}"]
        return []

    async def _kept_out(self, inbox: Address, over: TimeOver, peer: str) -> list[str]:
        """Whether mail for the inbox is refused, comes too fast, or is more than is kept."""
        sources, sender = self._sources, over.condition.sender
        is_private = (await sources.directory.holder(inbox)).owner is not None
        kept = sources.public_per_inbox
        hints = []
        if sources.denylist.names_recipient(str(inbox)):
            hints.append(f"Mail for {inbox} is refused here: it is on the denylist")
        if sender and "@" in sender and sources.denylist.names_sender(sender):
            hints.append(f"Mail from {sender} is refused here: it is on the denylist")
        if sources.throttle.slows(peer, str(inbox), is_private=is_private):
            hints.append(f"Mail for {inbox} is throttled: it comes too fast")
        if not is_private and 0 < kept < over.condition.count:
            hints.append(f"A public inbox keeps its newest {kept} messages: there are never more")
        return hints

    async def _happened(self, actor: Actor, inbox: Address, over: TimeOver) -> list[str]:
        """What the account's activity tells of the time since when mail was waited for."""
        account, since_ms = actor.account, over.condition.since_ms
        if account is None or since_ms is None:
            return []
        domain = actor.scope.domain if actor.scope else None
        events = await self._events.get((account, domain), lambda: self._of_late(account, domain))
        since = [event for event in events if event.id >= time_prefix(since_ms)]
        of_inbox = [event for event in since if event.subject == str(inbox)]
        hints = [
            f"Mail for {inbox} was {event.kind}: {event.detail or event.code}"
            for event in of_inbox
            if event.kind in _TROUBLE
        ]
        others = (e.subject for e in since if e.kind == RECEIVED and e.subject != str(inbox))
        elsewhere = list(dict.fromkeys(others))[:_MAX_ELSEWHERE]
        if elsewhere:
            hints.append(f"Meanwhile mail came to {', '.join(elsewhere)}: is the address right?")
        return hints

    async def _of_late(self, account: str, domain: str | None) -> Sequence[Event]:
        """What happened to the account, or there to a ``domain`` that is all somebody may see."""
        since_ms = int(self._reactor.seconds() * 1000) - _EVENTS_WITHIN_MS
        activity = self._sources.activity
        if domain is not None:
            return await activity.list_about(account, domain, since_ms=since_ms, limit=_MAX_EVENTS)
        return await activity.list(Actor(account=account), since_ms=since_ms, limit=_MAX_EVENTS)


def _of_what_is_there(place: str, over: TimeOver) -> Iterator[str]:
    """What the newest messages of an inbox, or of a whole domain, say."""
    near, since_ms = over.near_misses, over.condition.since_ms
    if not near:
        yield f"{place} has no mail at all: was it sent to this address, and to this server?"
    older = [each.message.received for each in near if each.failed == (SINCE,)]
    if older and since_ms is not None:
        since = iso_time_from_ms(max(since_ms, 0))
        yield f"What came at {older[0]} fits, but is older than since, {since}: give an earlier one"
