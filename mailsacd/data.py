"""Opens what is kept: the data directory, PostgreSQL, the schema, the first account.

The daemon and the operator's commands both begin with this, together or apart: commands attach to
the PostgreSQL of a running daemon, and start it themselves when there is none. Where nothing is
kept yet the daemon begins; most commands refuse to.
"""

import os
import re
import socket
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

from mailsacd.configuration import default_data_dir
from mailsacd.core.errors import ConfigurationError
from mailsacd.embedded.cluster import make_directory
from mailsacd.embedded.postgres import EmbeddedPostgres
from mailsacd.mail.accounts.first_account import make_first_account
from mailsacd.mail.upgrading.schema import bring_up_to_date
from mailsacd.settings import Settings
from mailsacd.store.archive import has_schema
from mailsacd.store.direct import check_direct
from mailsacd.store.pool import Database
from mailsacd.work.threads import Lane, Lanes, make_lanes

_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")  # RFC 1123 section 2.1
_MAX_HOST_NAME: Final = 253
_NOTHING_THERE: Final = (
    "there is no mailsacd in {0}: are --data-dir and the other settings right? "
    "The daemon makes one at its first start, `mailsacd migrate` without starting it"
)


class Opening(Enum):
    """What becomes of what is there, and where nothing is yet."""

    START = "start"
    """It is brought up to date, and made with a first account where there is none."""

    EXISTING = "existing"
    """It is brought up to date. Where there is none, nothing is made, and that is an error."""

    AS_IT_IS = "as it is"
    """As EXISTING, but nothing in it is changed, be it of an older version or a newer one."""

    TO_BE_FILLED = "to be filled"
    """Nothing in it is changed. Where there is none, an empty database is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """What was opened.

    ``dsn`` is how libpq reaches the database, ``direct_dsn`` the same past any connection pooler.
    ``new_admin_key`` is the key of the first account, if it was made now.
    """

    directory: Path
    dsn: str
    direct_dsn: str
    database: Database
    lanes: Lanes
    reactor: Any
    new_admin_key: str | None


async def open_data(
    settings: Settings,
    closing: AsyncExitStack,
    reactor: Any,
    *,
    connections: int | None = None,
    opening: Opening = Opening.START,
) -> Data:
    """Open what the settings name, with at most so many ``connections`` (None: as they say).

    ``closing`` closes it again. Raises ConfigurationError.
    """
    is_to_be_there = opening in {Opening.EXISTING, Opening.AS_IT_IS}
    directory = data_directory(settings) if is_to_be_there else make_data_dir(settings)
    lanes = make_lanes(reactor)
    closing.push_async_callback(lanes.stop)
    chosen = settings.database
    dsn = chosen.dsn or await _embedded(
        directory, chosen.bin_dir, closing, reactor, is_to_be_there=is_to_be_there
    )
    database = await open_database(
        dsn, lanes.rest, connections or chosen.connections, settings, closing, reactor
    )
    direct_dsn = chosen.direct_dsn or dsn
    await check_direct(database, direct_dsn, lanes.rest, reactor)
    if is_to_be_there and not await has_schema(database):
        raise ConfigurationError(
            _NOTHING_THERE.format(f"the {database.target}" if chosen.dsn else directory)
        )
    if opening in {Opening.START, Opening.EXISTING}:
        await bring_up_to_date(database)
    key = None
    if opening is Opening.START and not chosen.dsn:
        key = await make_first_account(database, settings.accounts.default_plan, directory)
    return Data(
        directory=directory,
        dsn=dsn,
        direct_dsn=direct_dsn,
        database=database,
        lanes=lanes,
        reactor=reactor,
        new_admin_key=key,
    )


async def open_database(
    dsn: str,
    lookups: Lane,
    connections: int,
    settings: Settings,
    closing: AsyncExitStack,
    reactor: Any,
) -> Database:
    """Open the database at ``dsn`` by at most so many ``connections`` that nobody else has.

    Its host is looked up in the lane ``lookups``. ``closing`` closes the connections again. Raises
    ConfigurationError.
    """
    database = Database(
        dsn,
        lookups,
        connections=connections,
        statement_timeout_s=settings.database.statement_timeout_s,
        reactor=reactor,
    )
    closing.push_async_callback(database.stop)
    await database.start()
    return database


async def _embedded(
    directory: Path, bin_dir: str, closing: AsyncExitStack, reactor: Any, *, is_to_be_there: bool
) -> str:
    try:
        postgres = EmbeddedPostgres(directory, bin_dir=bin_dir, reactor=reactor)
        is_made = postgres.is_made
    except OSError as e:  # it is a file, or somebody else's
        raise _unusable(directory, e) from e
    if is_to_be_there and not is_made:
        raise ConfigurationError(_NOTHING_THERE.format(directory))
    closing.push_async_callback(postgres.stop)
    await postgres.start()
    return postgres.dsn


def hostname_of(settings: Settings) -> str:
    """Return what the server calls itself.

    Raises ConfigurationError for what is no name of a host.
    """
    name = settings.server.hostname or socket.gethostname()
    if not _HOST_NAME.fullmatch(name) or len(name) > _MAX_HOST_NAME:
        if settings.server.hostname:
            raise ConfigurationError(f"server.hostname: {name!r} is not a host name")
        return "localhost"
    return name.lower()


def data_directory(settings: Settings) -> Path:
    """Return where the data directory is, or would be."""
    chosen = settings.server.data_dir
    return Path(chosen).expanduser().absolute() if chosen else default_data_dir()


def make_data_dir(settings: Settings) -> Path:
    """Return the data directory, which is made if it is not there. Raises ConfigurationError."""
    directory = data_directory(settings)
    try:
        make_directory(directory)
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError("it may not be written")
    except OSError as e:
        raise _unusable(directory, e) from e
    return directory


def _unusable(directory: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"the data directory {directory} cannot be used: {error}")
