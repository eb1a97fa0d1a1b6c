"""The settings of a private address: what may be written, and where mail may be forwarded."""

from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from mailsacd.core.address import Address, inbox_of, parse_address
from mailsacd.core.errors import BadAddressError, Fault, InvalidInputError
from mailsacd.core.http_url import parse_http_url
from mailsacd.core.ownership import CATCH_ALL_LOCAL, MAX_FORWARDS, PrivateAddress
from mailsacd.store.addresses import find_address, length_behind
from mailsacd.store.ownership import domain_facts
from mailsacd.store.sql import Executor

MAX_INFO_CHARACTERS: Final = 2_000
MAX_PASSWORD_CHARACTERS: Final = 256


class AddressSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What to write: UNSET leaves a setting as it is, None clears it.

    Made by `checked_settings`, which has every value in its normal form.
    """

    info: str | UnsetType | None = UNSET
    forward: str | UnsetType | None = UNSET
    enablews: bool | UnsetType = UNSET
    webhook: str | UnsetType | None = UNSET
    webhook_slack: str | UnsetType | None = UNSET
    webhook_slack_to_from: bool | UnsetType = UNSET
    transcript: bool | UnsetType = UNSET
    password: str | UnsetType | None = UNSET

    @property
    def sets_password(self) -> bool:
        """Whether the password is set or cleared."""
        return self.password is not UNSET

    def names(self) -> list[str]:
        """Return the names of what is written, by the API's spelling."""
        given = [n for n in self.__struct_fields__ if getattr(self, n) is not UNSET]
        return [_NAMES.get(name, name) for name in given]

    def columns(self) -> dict[str, Any]:
        """What is written beside the password."""
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        return {n: v for n, v in values.items() if n != "password" and v is not UNSET}


def checked_settings(**given: Any) -> AddressSettings:
    """Settings out of what a caller gave by the API's names; ``""`` and None clear.

    Raises InvalidInputError with a fault for each bad value.
    """
    faults: list[Fault] = []
    values: dict[str, Any] = {}
    for name, value in given.items():
        if value is UNSET:
            continue
        try:
            values[_COLUMNS.get(name, name)] = _CHECKS[name](value)
        except ValueError as e:
            faults.append(Fault(field=name, problem=str(e)))
        except BadAddressError as e:
            faults.append(Fault(field=name, problem=e.public))
    if faults:
        told = "; ".join(f"{fault.field}: {fault.problem}" for fault in faults)
        raise InvalidInputError(f"Bad settings: {told}", tuple(faults))
    return AddressSettings(**values)


async def check_forward(db: Executor, source: PrivateAddress, forward: str) -> None:
    """Raises InvalidInputError unless mail for ``source`` may be handed on to ``forward``.

    It may when the same account owns both, and when no chain of forwards through ``source``
    comes back, or has more than MAX_FORWARDS addresses.
    """
    behind = await length_behind(db, source.owner, source.email, MAX_FORWARDS)
    seen = {source.email}
    step: str | None = forward
    while step is not None:
        target = await _inbox_at(db, parse_address(step))
        if step == forward and not await _owns(db, source.owner, parse_address(step), target):
            raise _bad_forward("is not an address that the account owns")
        email = target.email if target else step
        if email in seen:
            raise _bad_forward("makes a loop of forwards")
        seen.add(email)
        if behind - 1 + len(seen) > MAX_FORWARDS:
            raise _bad_forward(f"makes a chain of more than {MAX_FORWARDS} addresses")
        step = target.forward if target else None


async def _inbox_at(db: Executor, address: Address) -> PrivateAddress | None:
    """The private address at which mail for ``address`` arrives, with the catch-all's help."""
    found = await find_address(db, str(address))
    if found is None:
        facts = await domain_facts(db, address.domain)
        if facts is not None and facts.catch_all:
            found = await find_address(db, f"{CATCH_ALL_LOCAL}@{address.domain}")
    return found


async def _owns(
    db: Executor, account: str, address: Address, target: PrivateAddress | None
) -> bool:
    if target is not None:
        return target.owner == account
    facts = await domain_facts(db, address.domain)
    return facts is not None and facts.owner == account


def _bad_forward(problem: str) -> InvalidInputError:
    return InvalidInputError(f"forward {problem}", (Fault(field="forward", problem=problem),))


def _text(most: int) -> Any:
    def check(value: str | None) -> str | None:
        if value and len(value) > most:
            raise ValueError(f"is longer than {most} characters")
        return value or None

    return check


def _forward(value: str | None) -> str | None:
    if not value:
        return None
    inbox = inbox_of(value)
    if inbox.is_alternate:  # what it stands for is told nobody, so not whether it may be
        raise ValueError("is an address that stands for another one")
    return str(inbox)


def _url(value: str | None) -> str | None:
    if value:
        parse_http_url(value)
    return value or None


_COLUMNS: Final = {
    "webhookSlack": "webhook_slack",
    "webhookSlackToFrom": "webhook_slack_to_from",
}
_NAMES: Final = {column: name for name, column in _COLUMNS.items()}
_CHECKS: Final = {
    "info": _text(MAX_INFO_CHARACTERS),
    "forward": _forward,
    "enablews": bool,
    "webhook": _url,
    "webhookSlack": _url,
    "webhookSlackToFrom": lambda value: True if value in {None, ""} else bool(value),
    "transcript": bool,
    "password": _text(MAX_PASSWORD_CHARACTERS),
}
