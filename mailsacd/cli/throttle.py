"""`mailsacd throttle`: who came too fast of late."""

from typing import Any

import click

from mailsacd.cli.command import Common, command, table
from mailsacd.data import Data
from mailsacd.http.calls.operator_figures import MAX_HOURS, throttled_json
from mailsacd.mail.records.throttled import throttled_of_late
from mailsacd.settings import Settings


@click.group()
def throttle() -> None:
    """See who is slowed or sent away for coming too fast."""


@throttle.command("list")
@click.option("--hours", default=1, type=click.IntRange(1, MAX_HOURS), show_default=True)
@command
def list_(common: Common, hours: int) -> None:
    """Show who was slowed or sent away within the last hours, the most often first."""

    async def work(data: Data, _: Settings) -> list[dict[str, Any]]:
        found = await throttled_of_late(data.database, hours=hours)
        return [throttled_json(each) for each in found]

    shown = common.run(work)
    rows = [
        [d["who"], d["account"] or "", str(d["slowed"]), str(d["sentAway"]), d["last"]]
        for d in shown
    ]
    common.show(shown, table([["WHO", "ACCOUNT", "SLOWED", "SENT AWAY", "LAST"], *rows]))
