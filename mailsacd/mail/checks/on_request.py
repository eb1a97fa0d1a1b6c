"""Checks of a message for who asks: results are kept for a while, since a message never changes."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from mailsacd.core.actor import Actor, account_of
from mailsacd.core.cache import UNKNOWN, Recent
from mailsacd.core.errors import UnauthenticatedError
from mailsacd.core.message import Message, Reads
from mailsacd.core.token import time_of
from mailsacd.mail.checks.check import Check, Result, Subject
from mailsacd.mail.checks.found_links import found_links
from mailsacd.mail.checks.link_result import NAME as LINKS
from mailsacd.mail.checks.links import LinkChecks
from mailsacd.work.sharing import Sharing
from mailsacd.work.threads import Lane
from mailsacd.work.turns import CallerTurns

T = TypeVar("T")

AT_ONCE: Final = 1
"""So many messages are looked at: others who read mail have the lane's other thread."""

MAX_WAITING: Final = 50
MAX_KEPT: Final = 500
"""So many results are kept, of a few kilobytes each."""


class MessageChecks:
    """Checks for whoever may see the message, and raises as `Mailbox` does."""

    def __init__(
        self,
        mailbox: Reads,
        lane: Lane,
        checks: Mapping[str, Check],
        links: LinkChecks | None = None,
    ) -> None:
        """Messages are looked at in ``lane``, by ``checks``. Without ``links`` none are opened."""
        self._mailbox = mailbox
        self._lane = lane
        self._links = links
        self._checks: Final = checks
        self._kept: Recent[tuple[str, str, str], Result] = Recent(MAX_KEPT)
        self._turns = CallerTurns(AT_ONCE, MAX_WAITING)
        self._under_way: Sharing[Any, Mapping[str, Result]] = Sharing()

    @property
    def of_message(self) -> tuple[str, ...]:
        """The names of the checks that look at nothing but the message."""
        return tuple(self._checks)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all checks."""
        return self.of_message if self._links is None else (*self._checks, LINKS)

    async def check(
        self,
        actor: Actor,
        email: str,
        message_id: str,
        names: Sequence[str],
        *,
        follows_all: bool = False,
    ) -> tuple[Result, ...]:
        """Return the results of the checks called ``names``, in that order.

        ``follows_all`` is for links: see `LinkChecks.check`. Raises UnauthenticatedError where an
        actor without an account wants these, OverloadedError when too many messages wait for their
        checks, and what `LinkChecks.check` raises.
        """
        if LINKS in names and actor.account is None:
            raise UnauthenticatedError("An API key is needed to have links opened")
        message = await self._mailbox.get(actor, email, message_id)
        read = partial(self._mailbox.raw, actor, email, message_id)

        def in_turn(work: Callable[[Subject], T]) -> Coroutine[Any, Any, T]:
            return self._turns.run(actor, partial(self._look, message, read, work))

        found = dict(await self._found(message, in_turn, [name for name in names if name != LINKS]))
        if LINKS in names and self._links is not None:
            found[LINKS] = await self._links.check(
                account_of(actor),
                (message.inbox, message.id),
                partial(in_turn, found_links),
                follows_all=follows_all,
            )
        return tuple(found[name] for name in names)

    async def _found(
        self,
        message: Message,
        in_turn: Callable[..., Coroutine[Any, Any, Any]],
        names: Sequence[str],
    ) -> Mapping[str, Result]:
        kept = ((name, self._kept.get((message.inbox, message.id, name))) for name in names)
        known = {name: result for name, result in kept if result is not UNKNOWN}
        missing = tuple(name for name in names if name not in known)
        if not missing:
            return known
        work = partial(_checked, {name: self._checks[name] for name in missing})
        found = await self._under_way.get(
            (message.inbox, message.id, missing), partial(in_turn, work)
        )
        for name, result in found.items():
            self._kept.remember((message.inbox, message.id, name), result)
        return {**known, **found}

    async def _look(
        self,
        message: Message,
        read: Callable[[], Awaitable[bytes]],
        work: Callable[[Subject], T],
    ) -> T:
        """What ``work`` makes of the message, in a thread."""
        raw = await read()  # now, and not before: what waits for its turn is not in memory
        received = time_of(message.id)
        return await self._lane.run_in_thread(lambda: work(Subject(raw, received)), len(raw))


def _checked(checks: Mapping[str, Check], subject: Subject) -> Mapping[str, Result]:
    return {name: check(subject) for name, check in checks.items()}
