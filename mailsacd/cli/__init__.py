"""The operator's command line: `mailsacd`. One module a group of commands."""

import click

from mailsacd import __version__
from mailsacd.cli.account import account
from mailsacd.cli.address import address
from mailsacd.cli.archive import backup, migrate, restore
from mailsacd.cli.deny import deny_
from mailsacd.cli.dkim import dkim
from mailsacd.cli.doctor import doctor, status
from mailsacd.cli.domain import domain
from mailsacd.cli.key import key
from mailsacd.cli.queue import queue
from mailsacd.cli.server import config, wait
from mailsacd.cli.spam import spam
from mailsacd.cli.stats import stats
from mailsacd.cli.throttle import throttle
from mailsacd.cli.trace import trace


@click.group()
@click.version_option(__version__, prog_name="mailsacd")
def main() -> None:
    """Look after a mailsacd server. `twistd -n mailsacd` runs it."""


for _command in (
    account, key, address, domain, dkim, queue, deny_, spam, throttle, trace, stats, migrate,
    backup, restore, config, wait, doctor, status,
):  # fmt: skip
    main.add_command(_command)
