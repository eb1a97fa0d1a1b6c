"""`mailsacd migrate`, `backup` and `restore`: the database as a whole."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import click

from mailsacd.cli.backup_file import destination
from mailsacd.cli.command import CONNECTIONS, Common, command, say
from mailsacd.core.errors import InvalidInputError
from mailsacd.data import Data, Opening, open_data, open_database
from mailsacd.embedded.binaries import find_program
from mailsacd.mail.accounts.first_account import remove_dead_key
from mailsacd.mail.upgrading.restoring import Known, recognised, refill
from mailsacd.settings import Settings
from mailsacd.store.archive import (
    BESIDE,
    drop_beside,
    make_beside,
    schema_version,
    server_major,
    take_into_use,
)
from mailsacd.store.distribution import distribute
from mailsacd.store.dump import Dump, write_dump
from mailsacd.store.target import Target, dsn_for_schema


@click.command()
@click.option(
    "--distribute",
    "is_to_be_distributed",
    is_flag=True,
    help="Spread the raw messages over the servers of a cluster of Citus as well. "
    "Every mailsacd on the database must be stopped.",
)
@command
def migrate(common: Common, *, is_to_be_distributed: bool) -> None:
    """Bring the schema up to date; the daemon does so at its start too."""

    async def work(data: Data, _: Settings) -> tuple[int, bool]:
        is_distributed = data.database.is_distributed
        if is_to_be_distributed:
            await distribute(data.database)
            is_distributed = True
        return await schema_version(data.database), is_distributed  # opening it has migrated it

    version, is_distributed = common.run(work, opening=Opening.START)
    common.show(
        {"schema": version, "distributed": is_distributed},
        f"the schema is at number {version}"
        + ("; raw messages are distributed" if is_distributed else ""),
    )


@click.command()
@click.argument("file")
@command
def backup(common: Common, file: str) -> None:
    """Write all that the database holds to FILE, as it is at this moment.

    The daemon may go on meanwhile. FILE is in pg_dump's custom format, readable by its owner
    alone, and takes the place of an older one when it is whole; - is standard output.
    """
    with destination(file) as to:

        async def work(data: Data, settings: Settings) -> None:
            major = await server_major(data.database)
            pg_dump = await find_program("pg_dump", major, wanted=settings.database.bin_dir)
            environment = Target(data.direct_dsn, data.lanes.rest).environment()
            descriptor = None if to is None else to.descriptor
            await data.lanes.rest.run_in_thread(
                lambda: write_dump(pg_dump, environment, descriptor)
            )

        common.run(work, opening=Opening.AS_IT_IS)
        if to is None:
            say("wrote everything to standard output")
            return
        size = to.size()
    common.show({"file": str(to.path), "bytes": size}, f"wrote {size} bytes to {to.path}")


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
    if not file.is_file():
        raise click.ClickException(f"{file} is no regular file")
    if not yes:
        click.confirm("Everything in the database is replaced. Go on?", abort=True)

    async def main(settings: Settings, reactor: Any) -> tuple[int, Sequence[str]]:
        pg_restore = await find_program("pg_restore", 0, wanted=settings.database.bin_dir)
        known = recognised(Dump(file, pg_restore))
        async with AsyncExitStack() as closing:
            data = await open_data(
                settings,
                closing,
                reactor,
                connections=CONNECTIONS,
                opening=Opening.TO_BE_FILLED,
            )
            left_out = await _replace(data, settings, known)
            if not settings.database.dsn and await remove_dead_key(data.database, data.directory):
                say("the key in admin.key is not one of the backup: the file is removed")
            return await schema_version(data.database), left_out

    version, left_out = common.run_unopened(main)
    if left_out:
        say(f"left out, for it is not mailsacd's: {', '.join(left_out)}")
    shown = {"file": str(file), "schema": version, "leftOut": list(left_out)}
    common.show(shown, f"restored {file}; the schema is at number {version}")


async def _replace(data: Data, settings: Settings, known: Known) -> Sequence[str]:
    """Put what is ``known`` into the place of what there is. Returns what is left out of it."""
    await make_beside(data.database)
    try:
        async with AsyncExitStack() as closing:
            dsn = dsn_for_schema(data.direct_dsn, BESIDE, application_name="mailsacd restore")
            beside = await open_database(
                dsn, data.lanes.rest, CONNECTIONS, settings, closing, data.reactor
            )
            parameters = await beside.target.parameters()
            left_out = await refill(known, beside, parameters, data.lanes.rest)
        await take_into_use(data.database)
    except BaseException as e:
        await drop_beside(data.database)
        if isinstance(e, InvalidInputError):
            raise InvalidInputError(
                f"it cannot be restored, and nothing was changed: {e.public}"
            ) from e
        raise
    return left_out
