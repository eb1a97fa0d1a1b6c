"""How many workers there are, and what each is given of the limits that are for all."""

import os
from pathlib import Path
from typing import Final

import msgspec

from mailsacd.core.errors import ConfigurationError
from mailsacd.embedded.server import MAX_CONNECTIONS
from mailsacd.ports import listeners
from mailsacd.settings import Settings

MAX_AUTOMATIC: Final = 8
"""So many workers at most when the number of cores decides."""

_LISTENING_CONNECTIONS: Final = 1  # of each process, beside its pool
_OTHERS_CONNECTIONS: Final = 15  # the parent, the operator's tools, PostgreSQL's own reserve


def with_workers_counted(settings: Settings) -> Settings:
    """The settings with the number of workers that 0 stands for: one for each core."""
    count = settings.server.workers or min(_cores(), MAX_AUTOMATIC)
    server = msgspec.structs.replace(settings.server, workers=count)
    return msgspec.structs.replace(settings, server=server)


def check_connections(settings: Settings) -> None:
    """Raises ConfigurationError when the embedded database has not enough for all workers."""
    each = settings.database.connections + _LISTENING_CONNECTIONS
    most = (MAX_CONNECTIONS - _OTHERS_CONNECTIONS) // each
    if not settings.database.dsn and settings.server.workers > most:
        raise ConfigurationError(
            f"server.workers: the embedded PostgreSQL has connections for {most} workers with "
            f"database.connections = {settings.database.connections}"
        )


def share(settings: Settings, *, dsn: str, data_dir: Path) -> Settings:
    """The settings of one worker, whose database is at ``dsn``.

    Memory and connections are shared out. No share of the memory is too small for a message.
    """
    count = settings.server.workers
    message = settings.message
    changes: dict[str, msgspec.Struct] = {
        "server": msgspec.structs.replace(settings.server, data_dir=str(data_dir)),
        "database": msgspec.structs.replace(settings.database, dsn=dsn),
        "message": msgspec.structs.replace(
            message,
            buffer_bytes=max(
                _part(message.buffer_bytes, count), min(message.buffer_bytes, message.max_bytes)
            ),
        ),
    }
    for name, listener in listeners(settings).items():
        changes[name] = msgspec.structs.replace(
            listener, max_connections=_part(listener.max_connections, count)
        )
    changes["websocket"] = msgspec.structs.replace(
        settings.websocket, max_listeners=_part(settings.websocket.max_listeners, count)
    )
    for name, whole in (("pop3", settings.pop3), ("http", settings.http)):
        changes[name] = msgspec.structs.replace(
            changes[name], buffer_bytes=_part(whole.buffer_bytes, count)
        )
    return msgspec.structs.replace(settings, **changes)


def _part(whole: int, count: int) -> int:
    return -(-whole // count)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
