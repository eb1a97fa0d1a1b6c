"""`mailsacd key`: the API keys of an account."""

from typing import Any

import click

from mailsacd.cli.account import accounts_of
from mailsacd.cli.command import Common, command, table
from mailsacd.core.account import ApiKey
from mailsacd.core.actor import by_command
from mailsacd.data import Data
from mailsacd.http.calls.keys import key_json
from mailsacd.mail.accounts.keys import Keys
from mailsacd.settings import Settings


@click.group()
def key() -> None:
    """Make, show and take back API keys."""


@key.command()
@click.argument("account")
@click.option("--name", help="What to call it.")
@command
def add(common: Common, account: str, name: str | None) -> None:
    """Make an API key for ACCOUNT and print it: it is not kept, and cannot be shown again."""

    async def work(data: Data, settings: Settings) -> tuple[ApiKey, str]:
        return await Keys(accounts_of(data, settings)).add(by_command(account.lower()), name)

    made, value = common.run(work)
    common.show({"key": value, **_shown(made)}, value)


@key.command("list")
@click.argument("account")
@command
def list_(common: Common, account: str) -> None:
    """Show the API keys of ACCOUNT, without their values."""

    async def work(data: Data, settings: Settings) -> list[dict[str, Any]]:
        found = await Keys(accounts_of(data, settings)).list(by_command(account.lower()))
        return [_shown(key) for key in found]

    shown = common.run(work)
    rows = [[k["_id"], k["name"], k["created"], k["lastUsed"] or "never"] for k in shown]
    common.show(shown, table([["ID", "NAME", "CREATED", "LAST USED"], *rows]))


@key.command()
@click.argument("account")
@click.argument("id_or_name")
@command
def remove(common: Common, account: str, id_or_name: str) -> None:
    """Take an API key of ACCOUNT back: it is good for nothing at once."""

    async def work(data: Data, settings: Settings) -> None:
        keys, owner = Keys(accounts_of(data, settings)), by_command(account.lower())
        ids = [k.id for k in await keys.list(owner) if k.name == id_or_name]
        await keys.remove(owner, ids[0] if ids else id_or_name)

    common.run(work)
    common.show({"removed": id_or_name}, f"took back the key {id_or_name}")


def _shown(found: ApiKey) -> dict[str, Any]:
    return {"account": found.account, **key_json(found)}
