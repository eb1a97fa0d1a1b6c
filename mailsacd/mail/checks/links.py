"""Opens the links of a message for who asks: five at a time, in bounded time, at a bounded pace.

Only accounts have it done, since it makes the server ask others, who see its address.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
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

MAX_OF_ACCOUNT: Final = 2
"""So many of these may be opened for one account."""

LINK_TIMEOUT_S: Final = 10.0
TOTAL_S: Final = 30.0
"""So long takes all of a message; what was not opened by then is told as such."""

KEPT_S: Final = 600.0
MAX_KEPT: Final = 50
"""So many results are kept, of up to 200 KB each where URLs are long, for KEPT_S.

These are results of which each link was opened that was to be, and answered: it may be otherwise
the next time for one that was too late.
"""

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
        self._opening: Counter[str] = Counter()
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
        return await self._under_way.get(key, partial(self._check, account, key, find))

    async def _check(self, account: str, key: tuple[str, str, bool], find: Find) -> Result:
        follows_all = key[2]
        links = await find()
        wanted = [link for link in links if follows_all or link.left_out is None]
        with self._place(account):
            self._pace.links(account, min(len(wanted), MAX_OPENED))
            opened = await self._open(wanted[:MAX_OPENED], follows_all=follows_all)
        beyond = {link.url: Outcome(link, left_out="limit") for link in wanted[MAX_OPENED:]}
        found = {**beyond, **opened}
        result = links_result(
            [found.get(each.url, Outcome(each, left_out=each.left_out)) for each in links]
        )
        if all(map(_is_final, opened.values())):
            self._kept.remember(key, (self._reactor.seconds(), result))
        return result

    @contextmanager
    def _place(self, account: str) -> Iterator[None]:
        """Have one of the places for messages taken, as long as the context lasts."""
        if self._opening[account] >= MAX_OF_ACCOUNT or self._opening.total() >= MAX_MESSAGES:
            raise OverloadedError("Too many links are being opened, try again later")
        self._opening[account] += 1
        try:
            yield
        finally:
            self._opening[account] -= 1
            if not self._opening[account]:
                del self._opening[account]

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


def _is_final(outcome: Outcome) -> bool:
    """Whether it would be the same the next time, as far as one can tell."""
    visit = outcome.visit
    if visit is None:
        return outcome.left_out != "time"
    return visit.status is not None or visit.forbidden
