"""`mailsacd address`: the private addresses of an account."""

from typing import Any

import click

from mailsacd.cli.command import Common, command, table
from mailsacd.cli.property import owner, property_of
from mailsacd.data import Data
from mailsacd.http.calls.addresses import address_json
from mailsacd.mail.ownership.address_settings import checked_settings
from mailsacd.settings import Settings

_OPTIONS = {
    "info": "A note.",
    "forward": "Another address of the account, which its mail goes to.",
    "webhook": "Where its mail is posted to.",
    "webhook_slack": "A webhook of Slack.",
    "password": "A password of its own, for POP3.",
}
_NAMES = {"webhook_slack": "webhookSlack", "slack_to_from": "webhookSlackToFrom"}


@click.group()
def address() -> None:
    """Reserve, show, set up and release private addresses."""


@address.command("list")
@click.argument("account")
@command
def list_(common: Common, account: str) -> None:
    """Show the private addresses of ACCOUNT."""

    async def work(data: Data, settings: Settings) -> list[dict[str, Any]]:
        addresses, _ = property_of(data, settings)
        found = await addresses.of_account(await owner(data, account))
        return [address_json(view) for view in found]

    shown = common.run(work)
    rows = [[a["_id"], a["forward"] or "", a["created"], a["info"] or ""] for a in shown]
    common.show(shown, table([["ADDRESS", "FORWARD", "CREATED", "INFO"], *rows]))


@address.command()
@click.argument("account")
@click.argument("emails", nargs=-1, required=True)
@command
def add(common: Common, account: str, emails: tuple[str, ...]) -> None:
    """Reserve EMAILS for ACCOUNT: all of them, or none."""

    async def work(data: Data, settings: Settings) -> list[dict[str, Any]]:
        addresses, _ = property_of(data, settings)
        made = await addresses.reserve_all(await owner(data, account), emails)
        return [address_json(view) for view in made]

    shown = common.run(work)
    common.show(shown, f"reserved {', '.join(a['_id'] for a in shown)}")


@address.command()
@click.argument("account")
@click.argument("email")
@click.option("--delete-messages", is_flag=True, help="Delete its mail too, starred as well.")
@command
def remove(common: Common, account: str, email: str, *, delete_messages: bool) -> None:
    """Release EMAIL: its later mail is public."""

    async def work(data: Data, settings: Settings) -> str:
        addresses, _ = property_of(data, settings)
        actor = await owner(data, account)
        return (await addresses.release(actor, email, delete_messages=delete_messages)).email

    removed = common.run(work)
    common.show({"removed": removed}, f"released {removed}")


@click.argument("account")
@click.argument("email")
@click.option("--enablews/--no-enablews", default=None, help="Whether WebSocket tells of its mail.")
@click.option(
    "--transcript/--no-transcript", default=None, help="Whether what is said by SMTP is kept."
)
@click.option("--slack-to-from/--no-slack-to-from", default=None, help="Whether Slack is told who.")
@command
def _set(common: Common, account: str, email: str, **given: Any) -> None:
    """Set up EMAIL of ACCOUNT; an empty text clears."""

    async def work(data: Data, settings: Settings) -> dict[str, Any]:
        addresses, _ = property_of(data, settings)
        values = {_NAMES.get(n, n): value for n, value in given.items() if value is not None}
        actor = await owner(data, account)
        return address_json(await addresses.change(actor, email, checked_settings(**values)))

    shown = common.run(work)
    common.show(shown, f"set up {shown['_id']}")


for _name, _help in _OPTIONS.items():
    _set = click.option(f"--{_name.replace('_', '-')}", _name, help=_help)(_set)
address.command("set")(_set)
