"""What the commands share: their options, the way to the database, how they print.

A command works beside a running daemon as well as without one: it opens the same data, attaching
to the PostgreSQL of the daemon, or starting it for as long as the command takes. Where no server
was ever started it says so: only a command that is there to begin one makes anything.
"""

import functools
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from mailsacd.cli.running import run_to_its_end
from mailsacd.configuration import load_settings
from mailsacd.core.errors import InvalidInputError, MailsacdError
from mailsacd.core.ready import read_ready
from mailsacd.data import Data, Opening, data_directory, open_data
from mailsacd.mail.accounts.first_account import KEY_FILE
from mailsacd.settings import Settings

T = TypeVar("T")

CONNECTIONS: Final = 1
"""So many connections to the database does a command make."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """The options that every command has, as they were given."""

    config: Path | None
    overrides: tuple[str, ...]
    as_json: bool

    def settings(self) -> Settings:
        """The settings in force. Raises ClickException for what is wrong with them."""
        try:
            return load_settings(self.config, overrides=self.overrides)
        except MailsacdError as e:
            raise click.ClickException(e.public) from e

    def run(
        self,
        work: Callable[[Data, Settings], Awaitable[T]],
        *,
        opening: Opening = Opening.EXISTING,
    ) -> T:
        """What ``work`` returns, done with the data open. Raises ClickException for an error."""

        async def main(settings: Settings, reactor: Any) -> T:
            async with AsyncExitStack() as closing:
                data = await open_data(
                    settings, closing, reactor, connections=CONNECTIONS, opening=opening
                )
                if data.new_admin_key is not None:
                    say(f"made the account admin; its key is in {data.directory / KEY_FILE}")
                return await work(data, settings)

        return self.run_unopened(main)

    def run_unopened(self, main: Callable[[Settings, Any], Coroutine[Any, Any, T]]) -> T:
        """What ``main`` returns, given the settings and a reactor; it opens what it needs.

        Raises ClickException for an error.
        """
        settings = self.settings()
        try:
            return run_to_its_end(lambda reactor: main(settings, reactor))
        except MailsacdError as e:
            raise click.ClickException(_told(e)) from e

    def show(self, value: Any, text: str) -> None:
        """Print ``value`` as JSON when that is asked for, else ``text``."""
        print(json.dumps(value, ensure_ascii=False) if self.as_json else text)


def say(text: str) -> None:
    """Print ``text`` where it is not taken for what was asked for: on standard error."""
    print(text, file=sys.stderr)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of Common, and a Common for its first argument."""

    @functools.wraps(function)
    def called(
        config: Path | None,
        data_dir: Path | None,
        overrides: tuple[str, ...],
        *,
        as_json: bool,
        **given: Any,
    ) -> None:
        if data_dir:
            overrides = (*overrides, f"server.data_dir={data_dir}")
        function(Common(config=config, overrides=overrides, as_json=as_json), **given)

    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        click.option("--set", "-s", "overrides", multiple=True, metavar="SECTION.KEY=VALUE"),
        click.option("--data-dir", "-d", type=click.Path(path_type=Path)),
        click.option("--config", "-c", type=click.Path(path_type=Path)),
    ):
        called = option(called)
    return called


def table(rows: list[list[str]]) -> str:
    """``rows`` as lines of text whose columns line up."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def base_url(settings: Settings) -> str:
    """Where people find the server: the setting, else this machine and the port in use."""
    if settings.http.public_url:
        return settings.http.public_url
    ready = read_ready(data_directory(settings))
    port = ready.ports["http"] if ready else settings.http.port
    host = settings.http.host or "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _told(error: MailsacdError) -> str:
    faults = error.faults if isinstance(error, InvalidInputError) else ()
    return "; ".join(f"{f.field} {f.problem}" for f in faults) or error.public
