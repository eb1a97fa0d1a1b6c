"""`mailsacd deny`: from whom, and to whom, no mail is taken."""

from typing import Any

import click

from mailsacd.cli.command import Common, command, table
from mailsacd.data import Data
from mailsacd.http.calls.operator_mail import denied_json
from mailsacd.mail.receiving.denylist_entry import (
    MAX_REASON_CHARACTERS,
    allow,
    denied,
    deny,
    seconds_of,
)
from mailsacd.settings import Settings

_recipient = click.option(
    "--recipient", is_flag=True, help="ENTRY is whom mail is for: a mail address or a domain."
)


@click.group("deny")
def deny_() -> None:
    """Refuse mail of senders, domains, IP addresses and networks, and mail to recipients."""


@deny_.command()
@click.argument("entry")
@_recipient
@click.option("--for", "lasting", metavar="TIME", help="For so long: 90m, 12h, 7d. Else for ever.")
@click.option("--reason", default="", help=f"At most {MAX_REASON_CHARACTERS} characters.")
@command
def add(common: Common, entry: str, reason: str, lasting: str | None, *, recipient: bool) -> None:
    """Refuse mail from ENTRY.

    It is a mail address, a domain and all below it, an IP address, or a network.
    """

    async def work(data: Data, _: Settings) -> dict[str, Any]:
        for_s = None if lasting is None else seconds_of(lasting)
        added = await deny(data.database, entry, reason, recipient=recipient, for_s=for_s)
        [shown] = [
            denied_json(each)
            for each in await denied(data.database)
            if (each.entry, each.recipient) == (added, recipient)
        ]
        return shown

    added = common.run(work)
    until = f" until {added['expires']}" if added["expires"] else ""
    common.show(added, f"mail {_side(added)} {added['entry']} is refused{until}")


@deny_.command()
@click.argument("entry")
@_recipient
@command
def remove(common: Common, entry: str, *, recipient: bool) -> None:
    """Take mail from ENTRY again."""

    async def work(data: Data, _: Settings) -> str:
        return await allow(data.database, entry, recipient=recipient)

    removed = common.run(work)
    shown = {"removed": removed, "recipient": recipient}
    common.show(shown, f"mail {_side(shown)} {removed} is taken again")


@deny_.command("list")
@command
def list_(common: Common) -> None:
    """Show whose mail is refused, why, and for how long."""

    async def work(data: Data, _: Settings) -> list[dict[str, Any]]:
        return [denied_json(each) for each in await denied(data.database)]

    shown = common.run(work)
    rows = [
        [_side(d), d["entry"], d["created"], d["expires"] or "removed", d["reason"]] for d in shown
    ]
    common.show(shown, table([["MAIL", "ENTRY", "SINCE", "UNTIL", "REASON"], *rows]))


def _side(shown: dict[str, Any]) -> str:
    return "to" if shown["recipient"] else "from"
