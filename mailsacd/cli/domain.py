"""`mailsacd domain`: the domains of an account."""

from collections.abc import Awaitable, Callable
from typing import Any

import click

from mailsacd.cli.command import Common, command, table
from mailsacd.cli.property import owner, property_of
from mailsacd.core.actor import Actor
from mailsacd.data import Data
from mailsacd.http.calls.domains import domain_json
from mailsacd.mail.ownership.domain_records import DomainView
from mailsacd.mail.ownership.domains import Domains
from mailsacd.settings import Settings


@click.group()
def domain() -> None:
    """Add, show, verify, set up and remove domains."""


@domain.command("list")
@click.argument("account")
@command
def list_(common: Common, account: str) -> None:
    """Show the domains of ACCOUNT."""

    async def work(data: Data, settings: Settings) -> list[dict[str, Any]]:
        _, domains = property_of(data, settings)
        return [domain_json(view) for view in await domains.of_account(await owner(data, account))]

    shown = common.run(work)
    rows = [
        [
            d["_id"],
            "verified" if d["verified"] else "not verified",
            "private" if d["isPrivate"] else "public",
            d["lastVerificationErrors"] or "",
        ]
        for d in shown
    ]
    common.show(shown, table([["DOMAIN", "", "", "AMISS"], *rows]))


@domain.command()
@click.argument("account")
@click.argument("name")
@click.option("--vouched", is_flag=True, help="It is theirs, whatever the DNS says.")
@command
def add(common: Common, account: str, name: str, *, vouched: bool) -> None:
    """Add the domain NAME to ACCOUNT, and show the DNS records to publish."""
    _change(
        common, account, lambda domains, actor: domains.add(actor, name, vouched=vouched), "added"
    )


@domain.command()
@click.argument("account")
@click.argument("name")
@command
def verify(common: Common, account: str, name: str) -> None:
    """Look at the DNS records of NAME now."""
    _change(common, account, lambda domains, actor: domains.verify(actor, name), "looked at")


@domain.command("set")
@click.argument("account")
@click.argument("name")
@click.option("--private/--public", default=None, help="Whether its mail is for the account alone.")
@click.option("--catch-all/--no-catch-all", default=None, help="Whether *@NAME takes its mail.")
@click.option("--default/--no-default", default=None, help="Whether it is the account's first.")
@click.option("--enablews/--no-enablews", default=None, help="Whether WebSocket tells of its mail.")
@command
def set_(common: Common, account: str, name: str, **given: bool | None) -> None:
    """Set up the domain NAME of ACCOUNT."""

    async def change(domains: Domains, actor: Actor) -> DomainView:
        return await domains.change(
            actor,
            name,
            enablews=given["enablews"],
            is_default=given["default"],
            is_private=given["private"],
            catch_all=given["catch_all"],
        )

    _change(common, account, change, "set up")


@domain.command()
@click.argument("account")
@click.argument("name")
@command
def remove(common: Common, account: str, name: str) -> None:
    """Remove the domain NAME from ACCOUNT; its mail stays the account's."""

    async def work(data: Data, settings: Settings) -> str:
        _, domains = property_of(data, settings)
        return await domains.remove(await owner(data, account), name)

    removed = common.run(work)
    common.show({"removed": removed}, f"removed {removed}")


def _change(
    common: Common,
    account: str,
    change: Callable[[Domains, Actor], Awaitable[DomainView]],
    done: str,
) -> None:
    async def work(data: Data, settings: Settings) -> dict[str, Any]:
        _, domains = property_of(data, settings)
        return domain_json(await change(domains, await owner(data, account)))

    shown = common.run(work)
    state = "verified" if shown["verified"] else "not verified"
    lines = [f"{done} {shown['_id']}: {state}"]
    if shown["lastVerificationErrors"]:
        lines.append(f"  amiss: {shown['lastVerificationErrors']}")
    for record in shown["records"]:
        mark = "found" if record["published"] else "to be published"
        lines.append(f"  {record['name']} {record['type']} {record['value']}  ({mark})")
    common.show(shown, "\n".join(lines))
