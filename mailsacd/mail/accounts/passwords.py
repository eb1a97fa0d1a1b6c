"""Passwords that people choose: argon2id, in threads, and never many at a time.

A check takes 19 MiB and some tens of milliseconds by design (the parameters that OWASP recommends
for argon2id), so what waits is bounded too.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from twisted.internet.defer import DeferredSemaphore
from twisted.internet.threads import deferToThreadPool

from mailsacd.core.errors import ThrottledError

T = TypeVar("T")

MIN_CHARACTERS: Final = 8
MAX_CHARACTERS: Final = 256
AT_ONCE: Final = 2
MAX_WAITING: Final = 40

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Of no password: what an unknown name is checked against, so that it takes as long as a known one
_NOBODYS: Final = f"$argon2id$v=19$m=19456,t=2,p=1${'A' * 22}${'A' * 43}"


class Passwords:
    """Hashes passwords and checks them."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._places = DeferredSemaphore(AT_ONCE)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """The argon2id hash of ``password``, salted, in PHC form. May raise ThrottledError."""
        return await self._in_thread(lambda: _HASHER.hash(password))

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether it is the password of that hash. Takes as long when there is none.

        May raise ThrottledError.
        """
        right = await self._in_thread(lambda: _matches(password, password_hash or _NOBODYS))
        return right and password_hash is not None

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._waiting >= MAX_WAITING:
            raise ThrottledError("Too many passwords are being checked", retry_after_s=2)
        self._waiting += 1
        try:
            result: T = await self._places.run(
                deferToThreadPool, self._reactor, self._reactor.getThreadPool(), work
            )
        finally:
            self._waiting -= 1
        return result


def _matches(password: str, password_hash: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
