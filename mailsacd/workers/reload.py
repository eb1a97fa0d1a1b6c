"""Which settings a running node takes over when they are read again, and which need a restart."""

from typing import Final

import msgspec

from mailsacd.configuration import flatten
from mailsacd.ports import listeners
from mailsacd.settings import Settings

_OF_THE_PARENT: Final = (
    ("server", "data_dir"),
    ("server", "workers"),
    ("database", "dsn"),
    ("database", "direct_dsn"),
    ("database", "replica_dsn"),
    ("database", "bin_dir"),
    ("facades", "host"),
    ("facades", "mailpit_port"),
    ("facades", "mailhog_port"),
)
_OF_A_PORT: Final = ("host", "port", "tls_port")


def taken_over(running: Settings, read: Settings) -> tuple[Settings, list[str]]:
    """Return ``read`` with what needs a restart as it is in ``running``.

    That is what the parent has opened: ports, the data, the number of workers. The list has the
    names of such settings as ``read`` would have changed (``section.key``).
    """
    fixed = [*_OF_THE_PARENT, *((name, key) for name in listeners(running) for key in _OF_A_PORT)]
    refused = []
    for section, key in fixed:
        before = getattr(getattr(running, section), key)
        values = getattr(read, section)
        if getattr(values, key) != before:
            refused.append(f"{section}.{key}")
            kept = msgspec.structs.replace(values, **{key: before})
            read = msgspec.structs.replace(read, **{section: kept})
    return read, refused


def changed_names(running: Settings, read: Settings) -> list[str]:
    """Return the names of the settings in which both differ, in alphabetic order."""
    before, after = flatten(running), flatten(read)
    names = before.keys() | after.keys()
    return sorted(name for name in names if before.get(name) != after.get(name))
