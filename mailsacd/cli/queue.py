"""`mailsacd queue`: mail on its way out, of whichever account."""

from typing import Final

import click

from mailsacd.cli.command import Common, command, table
from mailsacd.cli.suppressed import suppressed
from mailsacd.core.outgoing import OPEN_STATES, Outgoing
from mailsacd.core.outgoing_form import shown
from mailsacd.data import Data
from mailsacd.http.calls.operator_mail import outgoing_json
from mailsacd.mail.sending.outgoing_queue import OutgoingQueue, selected
from mailsacd.mail.sending.own_fields import OwnFields
from mailsacd.settings import Settings
from mailsacd.store.accounts import list_accounts
from mailsacd.store.outgoing_queue import Change

_account = click.option("--account", metavar="NAME", help="What this account sends.")
_domain = click.option("--domain", metavar="NAME", help="What goes to addresses at this domain.")


@click.group()
def queue() -> None:
    """Look after mail on its way out, and at what became of it."""


queue.add_command(suppressed)


@queue.command("list")
@_account
@_domain
@click.option("--ended", is_flag=True, help="Also what no recipient waits for any more.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=1_000, show_default=True)
@command
def list_(
    common: Common, account: str | None, domain: str | None, limit: int, *, ended: bool
) -> None:
    """Show what waits to be sent, the oldest first."""

    async def work(data: Data, settings: Settings) -> list[Outgoing]:
        which = selected(account, domain)
        return await _queue(data, settings).list(which, ended=ended, limit=limit)

    found = common.run(work)
    rows = [
        [one.id, one.account or "", one.reverse_path, r.address, r.state, r.reply or ""]
        for one in found
        for r in one.recipients
        if ended or r.state in OPEN_STATES
    ]
    heads = ["ID", "ACCOUNT", "FROM", "TO", "STATE", "LAST REPLY"]
    common.show([outgoing_json(one) for one in found], table([heads, *rows]))


@queue.command()
@click.argument("outgoing_id", metavar="ID")
@command
def show(common: Common, outgoing_id: str) -> None:
    """Show one message, and what has become of each recipient."""

    async def work(data: Data, settings: Settings) -> Outgoing:
        return await _queue(data, settings).get(outgoing_id)

    found = common.run(work)
    common.show(outgoing_json(found), _told(found))


@queue.command()
@click.argument("reference")
@command
def sender(common: Common, reference: str) -> None:
    """Tell which account REFERENCE stands for: what X-Abuse-Reference of a message says."""

    async def work(data: Data, settings: Settings) -> str | None:
        fields = OwnFields(data.database, settings.sending)
        for one in await list_accounts(data.database):
            if await fields.reference(one.name) == reference.strip().lower():
                return one.name
        return None

    account = common.run(work)
    if account is None:
        raise click.ClickException("it stands for no account that is there")
    common.show({"account": account}, account)


def _changing(change: Change, summary: str, done: str) -> click.Command:
    """Make the command that does ``change`` to one message, or to all that are selected."""

    def changing(
        common: Common,
        outgoing_id: str | None,
        recipient: str | None,
        account: str | None,
        domain: str | None,
        *,
        everything: bool,
    ) -> None:
        several = bool(account or domain or everything)
        if several == bool(outgoing_id) or (recipient and not outgoing_id):
            raise click.UsageError("Name an ID, or --account, --domain or --all")
        if not outgoing_id:
            _change_several(common, change, account, domain, done)
            return

        async def work(data: Data, settings: Settings) -> Outgoing:
            return await _queue(data, settings).change(change, outgoing_id, recipient=recipient)

        changed = common.run(work)
        common.show(outgoing_json(changed), _told(changed))

    named = command(changing)
    for option in (
        click.option("--all", "everything", is_flag=True, help="All that waits."),
        _domain,
        _account,
        click.option("--recipient", metavar="ADDRESS", help="This one of the message's alone."),
        click.argument("outgoing_id", metavar="[ID]", required=False),
    ):
        named = option(named)
    return click.command(change, help=summary)(named)


def _change_several(
    common: Common, change: Change, account: str | None, domain: str | None, done: str
) -> None:
    async def work(data: Data, settings: Settings) -> int:
        return await _queue(data, settings).change_all(change, selected(account, domain))

    count = common.run(work)
    common.show({"recipients": count}, f"{count} recipients are {done}")


_CHANGES: Final[tuple[tuple[Change, str, str], ...]] = (
    ("retry", "Send it at once; a message also to recipients who have failed.", "due now"),
    ("cancel", "Send it no more.", "given up"),
    ("hold", "Keep it until it is released.", "held"),
    ("release", "Send what was held.", "released"),
)
for _change, _summary, _done in _CHANGES:
    queue.add_command(_changing(_change, _summary, _done))


def _queue(data: Data, settings: Settings) -> OutgoingQueue:
    return OutgoingQueue(data.database, kept_days=settings.relay.kept_days, reactor=data.reactor)


def _told(outgoing: Outgoing) -> str:
    heads = ["TO", "STATE", "ATTEMPTS", "NEXT", "LAST REPLY"]
    rows = [
        [
            recipient["address"],
            recipient["state"],
            str(recipient["attempts"]),
            recipient["nextAttempt"] or "",
            " ".join(str(r) for r in map(recipient.get, ("code", "status", "reply")) if r),
        ]
        for recipient in shown(outgoing)["recipients"]
    ]
    sender = f"{outgoing.account or 'the daemon'}, as {outgoing.reverse_path or '<>'}"
    return f"{outgoing.id} of {sender}: {outgoing.subject}\n{table([heads, *rows])}"
