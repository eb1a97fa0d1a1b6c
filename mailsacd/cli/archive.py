"""`mailsacd migrate`, `backup` and `restore`: the database as a whole."""

import os
from pathlib import Path
from typing import Any

import click
from twisted.internet.utils import getProcessOutputAndValue

from mailsacd.cli.command import Common, command
from mailsacd.core.errors import ConfigurationError, InvalidInputError
from mailsacd.data import Data
from mailsacd.embedded.binaries import find_program
from mailsacd.mail.upgrading.schema import bring_up_to_date
from mailsacd.settings import Settings
from mailsacd.store.archive import drop_aside, put_back, schema_version, server_major, set_aside
from mailsacd.store.events import forget_transactions
from mailsacd.store.target import Target


@click.command()
@command
def migrate(common: Common) -> None:
    """Bring the schema up to date; the daemon does so at its start too."""

    async def work(data: Data, _: Settings) -> int:
        return await schema_version(data.database)  # opening the data has migrated it

    version = common.run(work)
    common.show({"schema": version}, f"the schema is at number {version}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, resolve_path=True))
@command
def backup(common: Common, file: Path) -> None:
    """Write all that the database holds to FILE, as it is at this moment.

    The daemon may go on meanwhile. FILE is in pg_dump's custom format, readable by its owner alone.
    """

    partial = file.with_name(f"{file.name}.partial")
    os.close(os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))

    async def work(data: Data, settings: Settings) -> None:
        options = ("--format=custom", "--schema=public", "--no-owner", "--no-privileges")
        await _run(data, settings, "pg_dump", *options, "--file", str(partial))

    try:
        common.run(work)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    size = file.stat().st_size
    common.show({"file": str(file), "bytes": size}, f"wrote {size} bytes to {file}")


@click.command()
@click.argument(
    "file", type=click.Path(path_type=Path, dir_okay=False, exists=True, resolve_path=True)
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@command
def restore(common: Common, file: Path, *, yes: bool) -> None:
    """Replace all that the database holds by what FILE, a backup, holds.

    Every mailsacd on the database must be stopped. When FILE cannot be restored, everything stays.
    """
    if not yes:
        click.confirm("Everything in the database is replaced. Go on?", abort=True)

    async def work(data: Data, settings: Settings) -> int:
        await set_aside(data.database)
        try:
            options = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
            await _run(data, settings, "pg_restore", *options, "--dbname", "", str(file))
        except BaseException:
            await put_back(data.database)
            raise
        await drop_aside(data.database)
        await bring_up_to_date(data.database)  # it may be the backup of an older version
        await data.database.transaction(forget_transactions)
        return await schema_version(data.database)

    version = common.run(work)
    shown = {"file": str(file), "schema": version}
    common.show(shown, f"restored {file}; the schema is at number {version}")


async def _run(data: Data, settings: Settings, program: str, *options: str) -> None:
    """Run a program of PostgreSQL's. How to connect goes by the environment: others see options."""
    major = await server_major(data.database)
    path = await find_program(program, major, wanted=settings.database.bin_dir)
    target = Target(data.direct_dsn, data.lanes.rest)
    environment: dict[str, Any] = {**os.environ, **target.environment(), "LC_ALL": "C"}
    given = [environment["PGDATABASE"] if option == "" else option for option in options]
    out, err, status = await getProcessOutputAndValue(
        str(path), given, env=environment, reactor=data.reactor
    )
    if status != 0:
        said = " ".join((out + err).decode("utf-8", "replace").split())[-500:]
        if program == "pg_restore":
            raise InvalidInputError(f"it cannot be restored, and nothing was changed: {said}")
        raise ConfigurationError(f"{program} failed: {said}")
