"""Accounts as the operator and the sign-up page make, change and remove them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

from mailsacd.core.account import NAME_FORM, Account
from mailsacd.core.address import parse_address
from mailsacd.core.audit import OPERATOR, Act, Author
from mailsacd.core.errors import (
    BadAddressError,
    ConflictError,
    Fault,
    InvalidInputError,
    NotFoundError,
)
from mailsacd.mail.accounts.plans import Plans
from mailsacd.mail.records.audit import audit
from mailsacd.plan_settings import PlanSettings
from mailsacd.store import accounts, removal
from mailsacd.store.notices import ACCOUNTS, DIRECTORY, give_notice
from mailsacd.store.outgoing_queue import hold_account
from mailsacd.store.pool import Database
from mailsacd.store.reading import Reader
from mailsacd.store.transaction import Transaction

T = TypeVar("T")

REMOVAL_LEASE_S: Final = 120
REMOVED_AT_ONCE: Final = 20
"""Steps of the removal of an account that its owner waits for: thousands of rows."""
REMOVED_IN_A_TURN: Final = 200

_TOLD_NOBODY: Final = frozenset({"labels", "recents"})  # no node keeps them in memory


class Accounts:
    """``forget`` is called with the name of an account whose standing changed, before the answer:

    other nodes are told by a notice.
    """

    def __init__(
        self,
        database: Database,
        plans: Plans,
        forget: Callable[[str], None] = lambda _: None,
        reads: Reader | None = None,
    ) -> None:
        """``reads`` is where statistics are read; None: in ``database``."""
        self.database = database
        self.reads: Final[Reader] = reads or database
        self.plans = plans
        self.forget = forget

    async def add(
        self,
        name: str,
        email: str,
        *,
        plan: str | None = None,
        password_hash: str | None = None,
        first: Callable[[Transaction], Awaitable[None]] | None = None,
        by: Author = OPERATOR,
    ) -> Account:
        """Make an account. Raises InvalidInputError, and ConflictError for what is taken.

        What ``first`` does and the account are made together or not at all.
        """
        faults: list[Fault] = []
        name = _checked(faults, "name", normal_name, name)
        email = _checked(faults, "email", normal_email, email)
        if faults:
            raise InvalidInputError(
                "; ".join(f"{f.field} {f.problem}" for f in faults), tuple(faults)
            )
        plan = self.plans.check(plan or self.plans.default)

        async def work(transaction: Transaction) -> None:
            if first is not None:
                await first(transaction)
            await _claim_email(transaction, email, name)
            if not await accounts.add_account(transaction, name, email, plan, password_hash):
                raise ConflictError(f"There is an account or a user named {name} already")
            await audit(transaction, name, by, Act("account", "created", name, email))

        await self.database.transaction(work)
        return await self.get(name)

    async def get(self, name: str) -> Account:
        """Return the account called ``name``. Raises NotFoundError."""
        account = await accounts.find_account(self.database, _possible_name(name))
        if account is None:
            raise _not_there(name)
        return account

    async def list(self) -> list[Account]:
        """Return all accounts, in the order of their names."""
        return await accounts.list_accounts(self.database)

    async def limits(self, name: str) -> PlanSettings:
        """What the account of that name may use. Raises NotFoundError."""
        return self.plans.limits_of(await self.get(name))

    async def minutes_of(self, name: str) -> int:
        """For how many minutes the account of that name is told what happened; 0: it is gone."""
        try:
            return (await self.limits(name)).activity_minutes
        except NotFoundError:
            return 0

    async def longest_minutes(self) -> int:
        """For how many minutes the account is told what happened that is told for longest."""
        own = await accounts.largest_override(self.database, "activity_minutes")
        return max(own, self.plans.longest_activity_minutes)

    async def changing(self, name: str, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Do ``work``, which changes who may act for the account, in a transaction.

        Every node forgets what it knew of that, this one before the answer. Returns what ``work``
        does.
        """

        async def told(transaction: Transaction) -> T:
            done = await work(transaction)
            await give_notice(transaction, ACCOUNTS, name)
            return done

        done = await self.database.transaction(told)
        self.forget(name)
        return done

    async def change(
        self,
        name: str,
        changes: Mapping[str, Any],
        by: Author = OPERATOR,
        first: Callable[[Transaction], Awaitable[None]] | None = None,
    ) -> Account:
        """Change ``email``, ``plan``, ``overrides``, ``labels``, ``recents``, ``capture_private``,
        ``disable_spam``, ``operator`` or ``suspended``, which also holds what it has queued to be
        sent. Overrides are added to those there are; None takes one away. What ``first`` does is
        done with it, or not at all. Raises NotFoundError, InvalidInputError and ConflictError.
        """
        changes = dict(changes)
        name = _possible_name(name)
        if "email" in changes:
            changes["email"] = _fault_named("email", normal_email, changes["email"])
        if "plan" in changes:
            changes["plan"] = self.plans.check(changes["plan"])

        async def work(transaction: Transaction) -> None:
            if "email" in changes:
                await _claim_email(transaction, changes["email"], name)
            if first is not None:
                await first(transaction)
            account = await accounts.lock_account(transaction, name)
            if account is None:
                raise _not_there(name)
            written = changes | self._merged_overrides(account, changes)
            await accounts.update_account(transaction, name, written)
            if changes.get("suspended"):
                await hold_account(transaction, name)
            if told := _told(account, changes):
                await audit(transaction, name, by, Act("account", "changed", name, told))
                await give_notice(transaction, ACCOUNTS, name)

        await self.database.transaction(work)
        self.forget(name)
        return await self.get(name)

    def _merged_overrides(self, account: Account, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The overrides as they are to be, if they are to be changed."""
        if "overrides" not in changes:
            return {}
        added = dict(account.overrides) | changes["overrides"]
        kept = {limit: value for limit, value in added.items() if value is not None}
        return {"overrides": self.plans.check_overrides(kept)}

    async def remove(self, name: str, *, whole: bool = False) -> None:
        """Delete an account with everything that it owns. Raises NotFoundError.

        Everything is gone at once. Not all of the rows are, if there are very many of them, but
        with ``whole``: `go_on_with_removals` has the rest, and until then nobody gets the name.
        """
        name = (await self.get(name)).name

        async def work(transaction: Transaction) -> None:
            if not await removal.begin_removal(transaction, name):
                raise _not_there(name)
            await give_notice(transaction, DIRECTORY, "")

        await self.changing(name, work)
        await removal.finish_removal(self.database, name, None if whole else REMOVED_AT_ONCE)

    async def go_on_with_removals(self) -> bool:
        """Do some of what is left of the removal of an account, and return whether there was any.

        There is when it was too much for who removed the account, or was broken off by a crash.
        """
        name = await removal.claim_removal(self.database, REMOVAL_LEASE_S)
        if name is None:
            return False
        await removal.finish_removal(self.database, name, REMOVED_IN_A_TURN)
        await removal.release_removal(self.database, name)
        return True


def _told(before: Account, changes: Mapping[str, Any]) -> str:
    """``changes`` as the audit log has them, with what they change; empty: nothing."""
    told = []
    for setting, value in changes.items():
        if setting == "overrides":
            told += [
                f"{limit}: {number}"
                for limit, number in value.items()
                if number != before.overrides.get(limit)
            ]
        elif setting not in _TOLD_NOBODY and value != (was := getattr(before, setting)):
            told.append(f"{setting}: {was} -> {value}")
    return ", ".join(told)


def _possible_name(name: str) -> str:
    if not NAME_FORM.match(name.lower()):
        raise _not_there(name)
    return name.lower()


def _not_there(name: str) -> NotFoundError:
    return NotFoundError(f"There is no account {name}")


async def _claim_email(transaction: Transaction, email: str, name: str) -> None:
    """Raises ConflictError when another account than ``name`` has the mail address.

    Until the transaction ends nobody else claims one.
    """
    await accounts.lock_accounts(transaction)
    if await accounts.email_taken(transaction, email, but_by=name):
        raise ConflictError("There is an account with this mail address already")


def normal_name(text: str) -> str:
    """``text`` as the name of an account or a user. Raises ValueError saying what is wrong."""
    name = text.lower()
    if not NAME_FORM.match(name):
        raise ValueError(
            "has to be 1 to 63 letters, digits, dots, dashes and underscores, "
            "with a letter or digit at both ends"
        )
    return name


def normal_email(text: str) -> str:
    """``text`` as a mail address. Raises ValueError saying what is wrong."""
    try:
        return str(parse_address(text))
    except BadAddressError as e:
        raise ValueError(f"is no mail address: {e.public}") from e


def _checked(faults: list[Fault], field: str, check: Callable[[str], str], given: str) -> str:
    try:
        return check(given)
    except ValueError as e:
        faults.append(Fault(field=field, problem=str(e)))
        return given


def _fault_named(field: str, check: Callable[[str], str], given: str) -> str:
    faults: list[Fault] = []
    checked = _checked(faults, field, check, given)
    if faults:
        raise InvalidInputError(f"{field} {faults[0].problem}", tuple(faults))
    return checked
