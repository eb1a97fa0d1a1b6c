"""Opens the links of a message for who asks: five at a time, in bounded time, at a bounded pace.

Only accounts have it done, since it makes the server ask others, who see its address.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, Protocol

from twisted.internet.defer import ensureDeferred, gatherResults

from mailsacd.core.cache import UNKNOWN, Recent
from mailsacd.core.errors import OverloadedError
from mailsacd.mail.checks.check import Result
from mailsacd.mail.checks.found_links import Link
from mailsacd.mail.checks.link_result import Outcome, links_result
from mailsacd.mail.checks.one_time import acts_once, leaves_a_list
from mailsacd.outbound.follow import Follower
from mailsacd.work.sharing import Sharing

MAX_OPENED: Final = 50
"""So many links of a message are opened at most: the first ones."""

AT_ONCE: Final = 5
MAX_MESSAGES: Final = 10
"""The links of so many messages are opened at the same time."""

LINK_TIMEOUT_S: Final = 10.0
TOTAL_S: Final = 30.0
"""So long takes all of a message; what was not opened by then is told as such."""

KEPT_S: Final = 600.0
MAX_KEPT: Final = 50
"""So many results are kept, of up to 200 KB each where URLs are long, for KEPT_S."""

Find = Callable[[], Awaitable[Sequence[Link]]]


class Pace(Protocol):
    """Bounds how much an account has opened (mail.limits.throttle)."""

    def links(self, account: str, count: int) -> None:
        """Count so many links. Raises ThrottledError."""


class LinkChecks:
    """Checks links by a ``follower``, at the accounts' ``pace``."""

    def __init__(self, follower: Follower, pace: Pace, reactor: Any) -> None:
        self._follower = follower
        self._pace = pace
        self._reactor = reactor
        self._messages = 0
        self._kept: Recent[tuple[str, str, bool], tuple[float, Result]] = Recent(MAX_KEPT)
        self._under_way: Sharing[tuple[str, str, bool], Result] = Sharing()

    async def check(
        self, account: str, message: tuple[str, str], find: Find, *, follows_all: bool
    ) -> Result:
        """Return the result for a ``message``, by its inbox and id, the links of which ``find``
        returns.

        With ``follows_all`` those are opened, too, that look as if that did something. Raises
        ThrottledError, and OverloadedError while the links of too many messages are being opened.
        """
        key = (*message, follows_all)
        kept = self._kept.get(key)
        if kept is not UNKNOWN and self._reactor.seconds() - kept[0] < KEPT_S:
            return kept[1]
        opening = partial(self._check, account, find, follows_all=follows_all)
        result = await self._under_way.get(key, opening)
        self._kept.remember(key, (self._reactor.seconds(), result))
        return result

    async def _check(self, account: str, find: Find, *, follows_all: bool) -> Result:
        if self._messages >= MAX_MESSAGES:
            raise OverloadedError("Too many links are being opened, try again later")
        self._messages += 1
        try:
            links = await find()
            wanted = [link for link in links if follows_all or link.left_out is None]
            self._pace.links(account, min(len(wanted), MAX_OPENED))
            found = await self._open(wanted[:MAX_OPENED], follows_all=follows_all)
        finally:
            self._messages -= 1
        beyond = {link.url: Outcome(link, left_out="limit") for link in wanted[MAX_OPENED:]}
        found = {**beyond, **found}
        return links_result(
            [found.get(each.url, Outcome(each, left_out=each.left_out)) for each in links]
        )

    async def _open(self, links: Sequence[Link], *, follows_all: bool) -> dict[str, Outcome]:
        found: dict[str, Outcome] = {}
        waiting = iter(links)
        until_s = self._reactor.seconds() + TOTAL_S
        opening = partial(self._open_each, waiting, found, until_s, follows_all=follows_all)
        each = [ensureDeferred(opening()) for _ in range(AT_ONCE)]
        await gatherResults(each, consumeErrors=True)
        return found

    async def _open_each(
        self,
        waiting: Iterator[Link],
        found: dict[str, Outcome],
        until_s: float,
        *,
        follows_all: bool,
    ) -> None:
        def may_ask(url: str) -> bool:
            return follows_all or not (leaves_a_list(url) or acts_once(url))

        for link in waiting:
            left_s = until_s - self._reactor.seconds()
            if left_s <= 0:
                found[link.url] = Outcome(link, left_out="time")
                continue
            visit = await self._follower.follow(
                link.url, may_ask, timeout_s=min(left_s, LINK_TIMEOUT_S)
            )
            found[link.url] = Outcome(link, visit)
