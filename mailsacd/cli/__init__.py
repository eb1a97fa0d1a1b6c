"""The operator's command line: `mailsacd`. One module a group of commands."""

import click

from mailsacd import __version__
from mailsacd.cli.account import account
from mailsacd.cli.key import key
from mailsacd.cli.server import config, wait


@click.group()
@click.version_option(__version__, prog_name="mailsacd")
def main() -> None:
    """Look after a mailsacd server. `twistd -n mailsacd` runs it."""


for _command in (account, key, config, wait):
    main.add_command(_command)
