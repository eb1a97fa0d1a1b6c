"""`mailsacd deny`: whose mail is refused."""

import click

from mailsacd.cli.command import Common, command, table
from mailsacd.core.token import iso_time
from mailsacd.data import Data
from mailsacd.mail.receiving.denylist import MAX_REASON_CHARACTERS, allow, denied, deny
from mailsacd.settings import Settings


@click.group("deny")
def deny_() -> None:
    """Refuse the mail of domains, IP addresses and networks."""


@deny_.command()
@click.argument("entry")
@click.option("--reason", default="", help=f"At most {MAX_REASON_CHARACTERS} characters.")
@command
def add(common: Common, entry: str, reason: str) -> None:
    """Refuse mail from ENTRY: a domain and all below it, an IP address, or a network."""

    async def work(data: Data, _: Settings) -> str:
        return await deny(data.database, entry, reason)

    added = common.run(work)
    common.show({"entry": added, "reason": reason}, f"mail from {added} is refused")


@deny_.command()
@click.argument("entry")
@command
def remove(common: Common, entry: str) -> None:
    """Take mail from ENTRY again."""

    async def work(data: Data, _: Settings) -> str:
        return await allow(data.database, entry)

    removed = common.run(work)
    common.show({"removed": removed}, f"mail from {removed} is taken again")


@deny_.command("list")
@command
def list_(common: Common) -> None:
    """Show whose mail is refused, and why."""

    async def work(data: Data, _: Settings) -> list[dict[str, str]]:
        return [
            {"entry": d.entry, "reason": d.reason, "created": iso_time(d.created)}
            for d in await denied(data.database)
        ]

    shown = common.run(work)
    rows = [[d["entry"], d["created"], d["reason"]] for d in shown]
    common.show(shown, table([["ENTRY", "SINCE", "REASON"], *rows]))
