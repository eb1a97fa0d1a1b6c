"""`mailsacd doctor` and `mailsacd status`: is the server well, and what is it doing."""

import sys
from dataclasses import asdict
from typing import Any

import click

from mailsacd.cli.command import Common, command, table
from mailsacd.core.ready import read_ready
from mailsacd.data import Data, data_directory
from mailsacd.doctor.examination import examine
from mailsacd.doctor.finding import FAULT, Finding
from mailsacd.mail.records.operator_totals import operator_totals
from mailsacd.settings import Settings


@click.command()
@click.option(
    "--reach",
    metavar="DOMAIN",
    default="gmail.com",
    show_default=True,
    help="Whose mail host is tried on port 25, to see whether mail gets out; empty: nobody's.",
)
@command
def doctor(common: Common, reach: str) -> None:
    """Look at the server and what it stands on; exit status 1 when something does not work."""

    async def work(settings: Settings, reactor: Any) -> list[Finding]:
        return await examine(settings, reactor, reach=reach)

    found = common.run_unopened(work)
    rows = [
        [each.area, each.verdict.upper(), f"{each.told}{f': {each.advice}' if each.advice else ''}"]
        for each in found
    ]
    common.show([asdict(each) for each in found], table(rows))
    if any(each.verdict == FAULT for each in found):
        sys.exit(1)


@click.command()
@command
def status(common: Common) -> None:
    """Show whether the server runs, on which ports, and how much it holds."""
    settings = common.settings()
    directory = data_directory(settings)
    ready = read_ready(directory)

    async def work(data: Data, _: Settings) -> dict[str, Any]:
        return await operator_totals(data.database)

    stored = common.run(work)["stored"]
    shown = {
        "running": ready is not None,
        "pid": ready and ready.pid,
        "version": ready and ready.version,
        "ports": ready.ports if ready else {},
        "data": str(directory),
        "stored": stored,
    }
    rows = [["running", f"version {ready.version}, process {ready.pid}" if ready else "no"]]
    if ready:
        rows.append(["ports", " ".join(f"{name}={port}" for name, port in ready.ports.items())])
    rows += [["data", str(directory)], *([name, str(n)] for name, n in stored.items())]
    common.show(shown, table(rows))
    if ready is None:
        sys.exit(3)  # as `systemctl status` does
