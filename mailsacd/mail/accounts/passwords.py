"""Passwords that people choose: argon2id, in a lane of threads of their own.

A check takes 19 MiB and some tens of milliseconds by design (the parameters that OWASP recommends
for argon2id), so few are done at a time, and what waits is bounded too.
"""

from functools import partial
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mailsacd.work.threads import Lane

MIN_CHARACTERS: Final = 8
MAX_CHARACTERS: Final = 256

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Of no password: what an unknown name is checked against, so that it takes as long as a known one
_NOBODYS: Final = f"$argon2id$v=19$m=19456,t=2,p=1${'A' * 22}${'A' * 43}"


class Passwords:
    """Hashes passwords and checks them, in ``lane``, which is for what takes long at signing in."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane

    async def hash(self, password: str) -> str:
        """The argon2id hash of ``password``, salted, in PHC form. May raise OverloadedError."""
        return await self.lane.run_in_thread(partial(_HASHER.hash, password))

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether it is the password of that hash. Takes as long when there is none.

        May raise OverloadedError.
        """
        check = partial(_matches, password, password_hash or _NOBODYS)
        return await self.lane.run_in_thread(check) and password_hash is not None


def _matches(password: str, password_hash: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
