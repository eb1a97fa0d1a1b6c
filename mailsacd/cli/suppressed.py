"""`mailsacd queue suppressed`: addresses that nothing is sent to, because mail to them failed."""

from typing import Any

import click

from mailsacd.cli.command import Common, command, table
from mailsacd.data import Data
from mailsacd.http.calls.suppressions import suppression_json
from mailsacd.mail.sending.suppressions import Suppressions
from mailsacd.settings import Settings

_account = click.option("--account", metavar="NAME", help="Of this account's mail alone.")


@click.group()
def suppressed() -> None:
    """Look after the addresses that nothing is sent to, because mail to them failed for good."""


@suppressed.command("list")
@_account
@command
def list_(common: Common, account: str | None) -> None:
    """Show the addresses, whose mail is not sent there, and why."""

    async def work(data: Data, _: Settings) -> list[dict[str, Any]]:
        return [
            {"account": one.account, **suppression_json(one)}
            for one in await Suppressions(data.database).list_all(account)
        ]

    shown = common.run(work)
    rows = [[s["account"], s["address"], s["created"], s["expires"], s["reason"]] for s in shown]
    common.show(shown, table([["ACCOUNT", "ADDRESS", "SINCE", "UNTIL", "REASON"], *rows]))


@suppressed.command()
@click.argument("address")
@_account
@command
def remove(common: Common, address: str, account: str | None) -> None:
    """Send mail to ADDRESS again."""

    async def work(data: Data, _: Settings) -> int:
        return await Suppressions(data.database).remove_for(account, address)

    count = common.run(work)
    if not count:
        raise click.ClickException(f"mail is sent to {address}")
    common.show({"address": address, "removed": count}, f"mail is sent to {address} again")
