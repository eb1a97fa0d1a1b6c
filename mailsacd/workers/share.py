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

_SHARED_LIMITS: Final = ("max_connections", "max_listeners", "max_open")
_LISTENING_CONNECTIONS: Final = 1  # of each process, beside its pools
_TAKING_OVER: Final = 1  # worker more, while one is replaced at SIGHUP
_OTHERS_CONNECTIONS: Final = 15  # the parent, the operator's tools, PostgreSQL's own reserve


def with_workers_counted(settings: Settings) -> Settings:
    """The settings with the number of workers that 0 stands for: one for each core."""
    count = settings.server.workers or min(_cores(), MAX_AUTOMATIC)
    server = msgspec.structs.replace(settings.server, workers=count)
    return msgspec.structs.replace(settings, server=server)


def check_connections(settings: Settings) -> None:
    """Raises ConfigurationError when the embedded database has not enough for all workers."""
    chosen = settings.database
    each = chosen.connections + chosen.mail_connections + _LISTENING_CONNECTIONS
    most = (MAX_CONNECTIONS - _OTHERS_CONNECTIONS) // each - _TAKING_OVER
    if not chosen.dsn and settings.server.workers > most:
        raise ConfigurationError(
            f"server.workers: the embedded PostgreSQL has connections for {most} workers with "
            f"database.connections = {chosen.connections} and "
            f"database.mail_connections = {chosen.mail_connections}"
        )


def share(settings: Settings, *, dsn: str, data_dir: Path) -> Settings:
    """The settings of one worker, whose database is at ``dsn``.

    Memory and connections are shared out, and no share of the memory is too small for a message.
    What one peer or account may have is counted together by all of them.
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
        changes[name] = _limits_shared(listener, count)
    changes["websocket"] = _limits_shared(settings.websocket, count)
    changes["wait"] = _limits_shared(settings.wait, count)
    for name, whole in (("pop3", settings.pop3), ("http", settings.http)):
        changes[name] = msgspec.structs.replace(
            changes[name], buffer_bytes=_part(whole.buffer_bytes, count)
        )
    return msgspec.structs.replace(settings, **changes)


def _limits_shared(section: msgspec.Struct, count: int) -> msgspec.Struct:
    """``section`` with a worker's part of its limits on connections, listeners or waits."""
    limits = {
        name: _part(getattr(section, name), count)
        for name in section.__struct_fields__
        if name in _SHARED_LIMITS
    }
    return msgspec.structs.replace(section, **limits)


def _part(whole: int, count: int) -> int:
    return -(-whole // count)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
