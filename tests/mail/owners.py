"""What accounts own, put straight into the tables."""

from mailsacd.store.accounts import add_account
from mailsacd.store.pool import Database


async def add_owner(
    database: Database,
    account: str,
    *addresses: str,
    domains: tuple[str, ...] = (),
    is_private: bool = True,
) -> None:
    """An account with reserved addresses and verified domains."""
    assert await add_account(database, account, f"{account}@owner.example", "free", None)
    for email in addresses:
        await reserve(database, account, email)
    for name in domains:
        await database.run(
            "insert into domain (name, owner, verified, is_private, verification_txt)"
            " values (%s, %s, true, %s, '')",
            (name, account, is_private),
        )


async def reserve(database: Database, account: str, email: str, **hooks: str) -> None:
    """Make an address the account's; ``hooks`` are its webhook and webhook_slack."""
    await database.run(
        "insert into address (email, domain, owner, webhook, webhook_slack)"
        " values (%s, %s, %s, %s, %s)",
        (
            email,
            email.rpartition("@")[2],
            account,
            hooks.get("webhook"),
            hooks.get("webhook_slack"),
        ),
    )
