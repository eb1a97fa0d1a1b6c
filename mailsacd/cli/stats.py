"""`mailsacd stats`: how much there is, and who uses what."""

import sys
from dataclasses import asdict
from typing import Any

import click

from mailsacd.cli.command import Common, command, table
from mailsacd.data import Data
from mailsacd.mail.records.operator_totals import operator_totals
from mailsacd.settings import Settings
from mailsacd.store.counts import differences


@click.command()
@click.option("--check", is_flag=True, help="Count all messages, and compare with what is kept.")
@command
def stats(common: Common, check: bool) -> None:
    """Show how much is stored, and the operations of this month by account."""
    if check:
        _check(common)
        return

    async def work(data: Data, _: Settings) -> dict[str, Any]:
        return await operator_totals(data.database)

    shown = common.run(work)
    counts = [[name, str(n)] for name, n in shown["stored"].items()]
    uses = [[u["account"], u["kind"], str(u["count"])] for u in shown["operations"]]
    text = table(counts)
    if uses:
        text += "\n\n" + table([["ACCOUNT", "THIS MONTH", "OPERATIONS"], *uses])
    common.show(shown, text)


def _check(common: Common) -> None:
    async def work(data: Data, _: Settings) -> list[dict[str, Any]]:
        return [asdict(each) for each in await differences(data.database)]

    wrong = common.run(work)
    rows = [
        [d["account"], d["domain"], *(f"{d['kept'][n]}/{d['counted'][n]}" for n in d["kept"])]
        for d in wrong
    ]
    if rows:
        names = ["ACCOUNT", "DOMAIN", *(f"{name} KEPT/COUNTED" for name in wrong[0]["kept"])]
        common.show({"wrong": wrong}, table([names, *rows]))
        sys.exit(1)
    common.show({"wrong": []}, "all counts are true")
