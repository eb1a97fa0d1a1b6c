"""Statements that tell whether mail for an address may be pushed to those who listen."""

from collections.abc import Sequence

from mailsacd.store.sql import Executor, many

_pushed: many[tuple[str, str, bool]] = many(
    lambda email, owner, enablews: (email, owner, bool(enablews)),
    "select email, owner, enablews from address where email = any(%(emails)s::text[])",
)


async def listened_addresses(db: Executor, emails: Sequence[str]) -> dict[str, tuple[str, bool]]:
    """Return the owner of each of ``emails`` that is reserved, and whether it has enablews."""
    rows = await _pushed(db, emails=list(emails))
    return {email: (owner, enablews) for email, owner, enablews in rows}
