"""`mailsacd account`: who has an account, and what it may use."""

from typing import Any, Final

import click

from mailsacd.cli.command import Common, base_url, command, table
from mailsacd.cli.own_mail import own_mail_of
from mailsacd.cli.usage_text import usage_text
from mailsacd.core.account import Account
from mailsacd.data import Data, Opening
from mailsacd.http.calls.operator_accounts import account_json
from mailsacd.http.calls.usage import inbound_json, report_json
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.mail.accounts.plans import Plans
from mailsacd.mail.accounts.reset_links import invitation_token, reset_token
from mailsacd.mail.accounts.second_factor import take_factor_away
from mailsacd.mail.limits.usage_report import DEFAULT_MONTHS, MAX_MONTHS, UsageReports
from mailsacd.mail.sending.letters import invitation_letter
from mailsacd.settings import Settings

DAYS_SHOWN: Final = 14
_SWITCHES: Final = {"true": True, "false": False}


@click.group()
def account() -> None:
    """Make, show, change and remove accounts."""


@account.command()
@click.argument("name")
@click.option("--email", required=True, help="Where its owner reads mail.")
@click.option("--plan", help="A plan of the settings; else accounts.default_plan.")
@command
def add(common: Common, name: str, email: str, plan: str | None) -> None:
    """Make an account. `mailsacd account reset-link` lets its owner set a password."""

    async def work(data: Data, settings: Settings) -> dict[str, Any]:
        accounts = accounts_of(data, settings)
        return _shown(await accounts.add(name, email, plan=plan), accounts)

    shown = common.run(work, opening=Opening.START)  # which may be how a server begins
    common.show(shown, f"made the account {shown['name']}")


@account.command("list")
@command
def list_(common: Common) -> None:
    """Show all accounts, a line each."""

    async def work(data: Data, settings: Settings) -> list[dict[str, Any]]:
        accounts = accounts_of(data, settings)
        return [_shown(found, accounts) for found in await accounts.list()]

    shown = common.run(work)
    rows = [[a["name"], a["email"], a["plan"], a["created"], _marks(a)] for a in shown]
    common.show(shown, table([["NAME", "EMAIL", "PLAN", "CREATED", ""], *rows]))


@account.command("set")
@click.argument("name")
@click.option("--email")
@click.option("--plan")
@click.option(
    "--limit", "limits", multiple=True, metavar="LIMIT=NUMBER",
    help="A limit of this account alone (firehose=true, too); LIMIT= takes it away again.",
)  # fmt: skip
@click.option("--suspend/--resume", "suspended", default=None, help="Whether it may do anything.")
@click.option(
    "--operator/--no-operator",
    default=None,
    help="Whether its own login may see and change by a session what is everybody's.",
)
@click.option("--capture-private/--no-capture-private", default=None, help="Star what it captures.")
@click.option("--disable-spam/--no-disable-spam", default=None, help="Do not rate its mail.")
@click.option(
    "--no-totp",
    is_flag=True,
    help="Take the second factor away: the device is lost. NAME may be a team user's.",
)
@command
def set_(
    common: Common, name: str, limits: tuple[str, ...], *, no_totp: bool, **given: Any
) -> None:
    """Change the settings or limits of an account."""
    changes = {option: value for option, value in given.items() if value is not None}
    if limits:
        changes["overrides"] = dict(_limit(text) for text in limits)

    async def work(data: Data, settings: Settings) -> dict[str, Any]:
        if no_totp:
            await take_factor_away(data.database, name)
            if not changes:
                return {"name": name.lower()}
        accounts = accounts_of(data, settings)
        return _shown(await accounts.change(name, changes), accounts)

    shown = common.run(work)
    common.show(shown, f"changed the account {shown['name']}")


@account.command()
@click.argument("name")
@command
def remove(common: Common, name: str) -> None:
    """Delete an account with all that it owns: keys, addresses, domains, messages."""

    async def work(data: Data, settings: Settings) -> None:
        await accounts_of(data, settings).remove(name, whole=True)

    common.run(work)
    common.show({"removed": name.lower()}, f"removed the account {name.lower()}")


@account.command()
@click.argument("name")
@click.option("--months", default=DEFAULT_MONTHS, type=click.IntRange(1, MAX_MONTHS))
@command
def usage(common: Common, name: str, months: int) -> None:
    """Show what an account used, by month, kind and API key, and the mail that came in for it."""

    async def work(data: Data, settings: Settings) -> dict[str, Any]:
        accounts = accounts_of(data, settings)
        owner = (await accounts.get(name)).name
        reports = UsageReports(accounts, reactor=data.reactor)
        inbound = await reports.inbound_by_month(owner, months=months, domain=None)
        daily = await reports.inbound_by_day(owner, days=DAYS_SHOWN, domain=None)
        return {
            "account": owner,
            **report_json(await reports.of(owner, months=months)),
            "inboundByMonth": inbound_json(inbound),
            "inboundByDay": inbound_json(daily),
        }

    shown = common.run(work)
    common.show(shown, usage_text(shown))


@account.command("reset-link")
@click.argument("name")
@command
def reset_link(common: Common, name: str) -> None:
    """Print a link by which somebody sets the password of an account or a team user, once."""

    async def work(data: Data, settings: Settings) -> str:
        token = await reset_token(data.database, name, settings.accounts.reset_hours)
        return f"{base_url(settings)}/reset-password?token={token}"

    link = common.run(work)
    common.show({"link": link}, link)


@account.command()
@click.option("--email", help="Mail the link there, rather than print it.")
@command
def invite(common: Common, email: str | None) -> None:
    """Print a link by which one person signs up, once, or have it mailed."""

    async def work(data: Data, settings: Settings) -> dict[str, str]:
        days = settings.accounts.invitation_days
        mail = own_mail_of(data, settings) if email else None  # before there is a link
        token = await invitation_token(data.database, days)
        link = f"{base_url(settings)}/sign-up?invitation={token}"
        if mail is None or email is None:
            return {"link": link}
        letter = invitation_letter(link, server=mail.rules.server, days=days)
        return {"_id": await mail.send(letter, email), "to": email}

    shown = common.run(work)
    common.show(shown, shown.get("link") or f"queued for {shown['to']}: {shown['_id']}")


def accounts_of(data: Data, settings: Settings) -> Accounts:
    """The accounts of ``data``, with the plans of the settings."""
    return Accounts(data.database, Plans(settings.plans, settings.accounts.default_plan))


def _limit(text: str) -> tuple[str, Any]:
    name, equals, number = text.partition("=")
    if number in _SWITCHES:
        return name, _SWITCHES[number]
    if not equals or not (number.isdecimal() or not number):
        raise click.BadParameter(f"{text}: write it as LIMIT=NUMBER", param_hint="--limit")
    return name, int(number) if number else None


def _shown(found: Account, accounts: Accounts) -> dict[str, Any]:
    return account_json(found, accounts.plans.limits_of(found))


def _marks(shown: dict[str, Any]) -> str:
    return ", ".join(mark for mark in ("operator", "suspended") if shown[mark])
