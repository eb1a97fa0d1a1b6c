"""`mailsacd stats`: how much there is, and who uses what."""

from typing import Any

import click

from mailsacd.cli.command import Common, command, table
from mailsacd.data import Data
from mailsacd.mail.records.operator_totals import operator_totals
from mailsacd.settings import Settings


@click.command()
@command
def stats(common: Common) -> None:
    """Show how much is stored, and the operations of this month by account."""

    async def work(data: Data, _: Settings) -> dict[str, Any]:
        return await operator_totals(data.database)

    shown = common.run(work)
    counts = [[name, str(n)] for name, n in shown["stored"].items()]
    uses = [[u["account"], u["kind"], str(u["count"])] for u in shown["operations"]]
    text = table(counts)
    if uses:
        text += "\n\n" + table([["ACCOUNT", "THIS MONTH", "OPERATIONS"], *uses])
    common.show(shown, text)
