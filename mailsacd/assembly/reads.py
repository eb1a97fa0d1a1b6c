"""Where what takes long and only reads is read."""

from contextlib import AsyncExitStack

from mailsacd.core.figures import Figures
from mailsacd.data import Data
from mailsacd.settings import Settings
from mailsacd.store.reading import Reader
from mailsacd.store.replicas import Replicas
from mailsacd.store.standbys import Standbys


def make_reader(
    data: Data, settings: Settings, figures: Figures, closing: AsyncExitStack
) -> Reader:
    """The standbys that the settings name, else the database itself. ``closing`` closes them.

    The daemon starts without them, and takes them when they come. With raw messages on other
    servers none are read from: one position says nothing of several servers. Raises
    ConfigurationError for a connection string that cannot be read.
    """
    chosen = settings.database
    if not chosen.replica_dsn or data.database.is_distributed:
        return data.database
    standbys = Standbys(
        chosen.replica_dsn,
        data.lanes.rest,
        connections=chosen.connections,
        statement_timeout_s=chosen.statement_timeout_s,
        reactor=data.reactor,
    )
    closing.push_async_callback(standbys.stop)
    standbys.begin()
    replicas = Replicas(data.database, standbys, reactor=data.reactor)
    replicas.declare(figures)
    return replicas
