"""Where what takes long and only reads is read: on a standby, or where everything else is."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from mailsacd.store.sql import Executor

T = TypeVar("T")


class Reader(Protocol):
    """Has statements that only read run by a server that shows what was committed before.

    A Database is one, and so are Replicas. What decides who somebody is or what is allowed, what
    takes locks, and counts that are limits have no business here.
    """

    async def reading(self, work: Callable[[Executor], Awaitable[T]]) -> T:
        """Return what ``work`` returns, whose statements write nothing and take no locks.

        It may be run a second time, when the first did not come to its end. Raises what a Database
        raises.
        """
