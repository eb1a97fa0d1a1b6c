"""Which system user PostgreSQL runs as, and running programs as that user."""

import os
import pwd
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twisted.internet.utils import getProcessOutputAndValue

from mailsacd.core.errors import ConfigurationError

_LAUNCH: Final = str(Path(__file__).with_name("launch.py"))
_UNPRIVILEGED: Final = ("mailsacd", "postgres", "nobody")


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemUser:
    """A user of this machine, with the ids of the user and its group."""

    name: str
    uid: int
    gid: int

    def may_enter(self, directory: Path) -> bool:
        """Return whether the user gets through every directory from the root down to ``directory``.

        Who runs this has been there already, by whatever groups or access lists.
        """
        if self.uid == os.geteuid():
            return True
        return all(self._may_pass(step) for step in (directory, *directory.parents))

    def launcher(self, command: Sequence[str], *, death_signal: int = 0) -> list[str]:
        """Return the argument vector that runs ``command`` as this user."""
        numbers = (self.uid, self.gid, death_signal, os.getpid())
        return [sys.executable, "-I", "-S", _LAUNCH, *map(str, numbers), *command]

    async def run(
        self, command: Sequence[str], reactor: Any, environment: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Run ``command`` to its end, with ``environment`` beside ours.

        Returns its exit status and all that it printed.
        """
        executable, *arguments = self.launcher(command)
        whole = {**os.environ, "LC_ALL": "C", **(environment or {})}
        out, err, status = await getProcessOutputAndValue(
            executable, arguments, env=whole, path="/", reactor=reactor
        )
        return status, (out + err).decode("utf-8", "replace")

    def _may_pass(self, directory: Path) -> bool:
        try:
            found = directory.stat()
        except FileNotFoundError:
            return True  # it will be made, and handed over
        except PermissionError:
            return False
        if found.st_uid == self.uid:
            return bool(found.st_mode & stat.S_IXUSR)
        if found.st_gid == self.gid:
            return bool(found.st_mode & stat.S_IXGRP)
        return bool(found.st_mode & stat.S_IXOTH)


def postgres_user(existing: Path | None = None) -> SystemUser:
    """Return the user that PostgreSQL runs as.

    That is whoever runs this; for root, who may not, the owner of the data that is ``existing``, or
    else the first unprivileged user of this machine.
    """
    uid = os.geteuid()
    if uid != 0:
        return _user(uid, os.getegid())
    if existing is not None and existing.exists():
        owner = existing.stat()
        if owner.st_uid != 0:
            return _user(owner.st_uid, owner.st_gid)
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return SystemUser(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise ConfigurationError(
        "PostgreSQL does not run as root, and there is no user mailsacd, postgres or nobody"
    )


def _user(uid: int, gid: int) -> SystemUser:
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:  # a container's number without a name
        name = str(uid)
    return SystemUser(name=name, uid=uid, gid=gid)
