"""Codes that are asked for beside a password: of a device (RFC 6238), or for when that is lost.

A code of the device counts once, and no older one after it; so does each recovery code. Wrong ones
are counted at the login's row, whoever tries and on whatever node. A code is only asked for once
the password is right, so no stranger has an owner's refused.
"""

import hmac
import re
import secrets
from enum import Enum, auto
from typing import Final

import pyotp
from twisted.internet.interfaces import IReactorTime

from mailsacd.core.account import Login
from mailsacd.core.audit import Act, Author
from mailsacd.core.errors import ThrottledError
from mailsacd.mail.accounts.auth import hash_of
from mailsacd.mail.accounts.sealing import Sealer
from mailsacd.mail.records.audit import audit
from mailsacd.store import second_factors as store
from mailsacd.store.alternates import server_secret
from mailsacd.store.second_factors import SecondFactor
from mailsacd.store.sql import Executor
from mailsacd.store.transaction import Transaction

RECOVERY_CODES: Final = 10
"""So many are given out at a time."""

STEP_S: Final = 30
STEPS_OFF: Final = 1
"""A device's clock may be so many steps off (RFC 6238 section 5.2)."""

WRONG_IN_A_ROW: Final = 10
"""After so many wrong codes none of the device is taken for a while, twice as long each time."""
REFUSED_FOR_S: Final = 60
REFUSED_FOR_AT_MOST_S: Final = 3_600

_PURPOSE: Final = b"mailsacd: second factors"
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_RECOVERY_CHARACTERS: Final = 16  # of 31 each: 79 bits, so a fast hash will do
_IGNORED: Final = re.compile(r"[\s-]+")
_DEVICE_FORM: Final = re.compile(r"[0-9]{6}\Z", re.ASCII)
_RECOVERY_FORM: Final = re.compile(rf"[{_ALPHABET}]{{{_RECOVERY_CHARACTERS}}}\Z")


class Proof(Enum):
    """What became of a code: none was needed, one is missing, it is right, or it is wrong.

    OUTDATED is one beside a password that was changed since it was right.
    """

    NOT_NEEDED = auto()
    MISSING = auto()
    RIGHT = auto()
    WRONG = auto()
    OUTDATED = auto()

    @property
    def is_good(self) -> bool:
        """Whether it is who it says."""
        return self in {Proof.NOT_NEEDED, Proof.RIGHT}


class Codes:
    """Checks codes, and counts those that are wrong in a row."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._sealer: Sealer | None = None

    async def prove(
        self, transaction: Transaction, whose: Login, code: str | None, by: Author
    ) -> Proof:
        """Use up the ``code`` that ``by`` gives for the login, where it needs one.

        It is used, and a wrong one counts, if ``transaction`` commits. Raises ThrottledError for a
        code of the device where too many were wrong; a recovery code is beyond guessing, and taken.
        """
        login = whose.name
        factor = await store.lock_factor(transaction, login)
        if factor is None or factor.confirmed is None:
            return Proof.NOT_NEEDED
        if not code:
            return Proof.MISSING
        if not await self._take(transaction, login, factor, code):
            wrong = await _count_wrong(transaction, login, factor)
            if wrong == 1 or wrong >= WRONG_IN_A_ROW:  # so who guesses on does not fill the log
                act = Act("session", "code-refused", login, f"{wrong} in a row")
                await audit(transaction, whose.account, by, act)
            return Proof.WRONG
        if not _DEVICE_FORM.match(_bare(code)):
            left = f"{factor.codes_left - 1} left"
            act = Act("two-factor", "recovery-code-used", login, left)
            await audit(transaction, whose.account, by, act)
        return Proof.RIGHT

    async def confirm(
        self, transaction: Transaction, login: str, factor: SecondFactor, code: str
    ) -> bool:
        """Whether it is a code of the device of ``factor``, which is locked.

        A wrong one counts if ``transaction`` commits. Raises ThrottledError.
        """
        is_right = await self._take_device(transaction, login, factor, _bare(code))
        if not is_right:
            await _count_wrong(transaction, login, factor)
        return is_right

    async def seal(self, db: Executor, login: str, secret: str) -> bytes:
        """Return a login's secret sealed for the database."""
        return (await self._opened(db)).seal(secret.encode("ascii"), login.encode())

    async def _take(
        self, transaction: Transaction, login: str, factor: SecondFactor, code: str
    ) -> bool:
        bare = _bare(code)
        if _RECOVERY_FORM.match(bare):
            if not await store.take_recovery_code(transaction, login, hash_of(bare)):
                return False
            await store.note_right(transaction, login)
            return True
        return await self._take_device(transaction, login, factor, bare)

    async def _take_device(
        self, transaction: Transaction, login: str, factor: SecondFactor, bare: str
    ) -> bool:
        if factor.refused_for_s:
            wait_s = factor.refused_for_s
            raise ThrottledError(
                f"Too many wrong codes, try again in {wait_s} s", retry_after_s=wait_s
            )
        if not _DEVICE_FORM.match(bare):
            return False
        sealer = await self._opened(transaction)
        secret = sealer.unseal(factor.sealed, login.encode()).decode("ascii")
        step = self._step_of(secret, bare, after=factor.last_step)
        if step is None:
            return False
        await store.note_step(transaction, login, step)
        await store.note_right(transaction, login)
        return True

    def _step_of(self, secret: str, bare: str, *, after: int) -> int | None:
        """Of which step about now, ``after`` that one, the code is; None: of none."""
        now = int(self._clock.seconds()) // STEP_S
        otp, found = pyotp.OTP(secret), None
        for step in range(now - STEPS_OFF, now + STEPS_OFF + 1):
            if hmac.compare_digest(otp.generate_otp(step), bare) and step > after:
                found = step
        return found

    async def _opened(self, db: Executor) -> Sealer:
        if self._sealer is None:
            self._sealer = Sealer(await server_secret(db), _PURPOSE)
        return self._sealer


def new_secret() -> str:
    """A new secret for a device, in base 32: 160 bits, as RFC 4226 section 4 recommends."""
    return pyotp.random_base32()


def new_recovery_codes() -> list[str]:
    """New recovery codes, to be shown once."""
    return [_recovery_code() for _ in range(RECOVERY_CODES)]


def recovery_hash(code: str) -> bytes:
    """What is stored of a recovery code."""
    return hash_of(_bare(code))


async def _count_wrong(transaction: Transaction, login: str, factor: SecondFactor) -> int:
    """Count a wrong code. Returns how many there were in a row; 0: none is counted for now."""
    if factor.refused_for_s:
        return 0  # a recovery code, which nobody guesses: it does not shut the device out longer
    wrong = factor.failures + 1
    await store.note_wrong(transaction, login, refused_for_s(wrong))
    return wrong


def refused_for_s(wrong: int) -> int:
    """For how long no code of a device is taken after so many wrong ones in a row, in seconds."""
    if wrong < WRONG_IN_A_ROW:
        return 0
    doublings = min(wrong - WRONG_IN_A_ROW, REFUSED_FOR_AT_MOST_S.bit_length())
    return min(REFUSED_FOR_S << doublings, REFUSED_FOR_AT_MOST_S)


def _recovery_code() -> str:
    text = "".join(secrets.choice(_ALPHABET) for _ in range(_RECOVERY_CHARACTERS))
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _bare(code: str) -> str:
    return _IGNORED.sub("", code).lower()
