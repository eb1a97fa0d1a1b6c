"""The directory that holds the embedded database: where it is, and how it is made."""

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twisted.logger import Logger

from mailsacd.core.errors import ConfigurationError
from mailsacd.embedded.account import postgres_user
from mailsacd.embedded.nameless import named

DATABASE_USER: Final = "mailsacd"
PORT: Final = "5432"  # nothing listens there: it is a part of the Unix socket's name

_STATE: Final = Path("/var/lib")
_RECORD_NAME: Final = "postgres.location"
_PROC: Final = Path("/proc")  # of Linux; elsewhere the process id has to do
_SOCKET_NAME: Final = f".s.PGSQL.{PORT}"
_MAX_SOCKET_PATH_BYTES: Final = 103  # sockaddr_un of BSD and macOS; Linux has four more

_log = Logger()


def make_directory(path: Path) -> None:
    """Make ``path``, and what is missing above it, for all to pass: PostgreSQL's user must.

    A daemon's umask is stricter; twistd's is 077. What is there already stays as it is.
    """
    missing = [step for step in (path, *path.parents) if not step.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for made in missing:
        made.chmod(0o755)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmasterFile:
    """What `postmaster.pid` says. ``ready`` is whether connections are taken."""

    pid: int
    ready: bool


class Cluster:
    """A PostgreSQL data directory for the daemon's ``data_dir``.

    ``user`` is whose it is, or who is to have it.
    """

    def __init__(self, data_dir: Path) -> None:
        self.home = _recorded_home(data_dir) or data_dir
        self._record: Path | None = None
        self.user = postgres_user(self.directory)
        if not self.user.may_enter(self.home):
            # Such as below root's home. Opening the parents to others would be worse.
            digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
            self.home = _STATE / f"mailsacd-{digest}"
            self._record = data_dir / _RECORD_NAME
            _log.warn(
                "user {user} cannot enter {data_dir}: the database is kept in {home}",
                user=self.user.name, data_dir=str(data_dir), home=str(self.home),
            )  # fmt: skip
            self.user = postgres_user(self.directory)

    @property
    def directory(self) -> Path:
        """Return PostgreSQL's own data directory, which may be still to be made."""
        return self.home / "postgres"

    def __str__(self) -> str:
        return str(self.directory)

    def make_home(self) -> None:
        """Make the directory that the cluster goes into, such that its user gets there."""
        make_directory(self.home)
        if self._record is not None:
            self._record.parent.mkdir(parents=True, exist_ok=True)
            self._record.write_text(f"{self.home}\n", encoding="utf-8")

    @property
    def major(self) -> int | None:
        """The PostgreSQL major version of the data; None when there is none yet."""
        try:
            return int((self.directory / "PG_VERSION").read_text(encoding="ascii"))
        except FileNotFoundError:
            return None
        except ValueError as e:
            raise ConfigurationError(f"{self.directory / 'PG_VERSION'} holds no number") from e

    async def make(self, initdb: Path, reactor: Any) -> None:
        """Run initdb.

        It makes a directory aside first, so that a half-made cluster is never used.
        """
        if self.directory.is_dir() and any(self.directory.iterdir()):
            raise ConfigurationError(
                f"{self.directory} is no PostgreSQL data directory: move it away, or use another "
                "server.data_dir"
            )
        partial = self.directory.with_name("postgres.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(partial, self.user.uid, self.user.gid)
        options = ("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions")
        command = [str(initdb), "-D", str(partial), "-U", DATABASE_USER, *options]
        with named(self.user, self.home) as environment:
            status, printed = await self.user.run(command, reactor, environment)
        if status != 0:
            shutil.rmtree(partial, ignore_errors=True)
            raise ConfigurationError(f"initdb failed in {self.home}: {printed.strip()}")
        partial.rename(self.directory)

    def socket_directory(self) -> Path:
        """Return where the Unix socket goes.

        It is with the data, or aside where that path is too long.
        """
        if len(os.fsencode(self.directory / _SOCKET_NAME)) <= _MAX_SOCKET_PATH_BYTES:
            return self.directory
        digest = hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:12]
        aside = Path(tempfile.gettempdir()) / f"mailsacd-{digest}"
        if not aside.is_dir():
            aside.mkdir(mode=0o700)
            if os.geteuid() == 0:
                os.chown(aside, self.user.uid, self.user.gid)
        found = aside.lstat()
        if found.st_uid != self.user.uid or found.st_mode & 0o077:
            raise ConfigurationError(f"{aside} is not ours alone, and the socket was to go there")
        return aside

    def postmaster(self) -> PostmasterFile | None:
        """Return the postmaster that says it runs on the data, truly or not.

        None means that none does.
        """
        try:
            lines = (self.directory / "postmaster.pid").read_text(encoding="utf-8").split("\n")
        except OSError:
            return None
        if not lines[0].strip().isdigit():
            return None
        return PostmasterFile(
            pid=int(lines[0]), ready=len(lines) > 7 and lines[7].strip() == "ready"
        )

    def is_served_by(self, pid: int) -> bool:
        """Return whether that process is a server of this very data, not one that reused the id."""
        if _PROC.exists():
            return self._is_ours(_PROC / str(pid))
        try:
            os.kill(pid, 0)
        except OSError:
            return False
        return True

    def server_processes(self) -> list[int]:
        """Return all servers of the data, those included that outlived their postmaster."""
        if _PROC.exists():
            found = [step for step in _PROC.iterdir() if step.name.isdigit()]
            return [int(process.name) for process in found if self._is_ours(process)]
        told = self.postmaster()
        return [told.pid] if told and self.is_served_by(told.pid) else []

    def _is_ours(self, process: Path) -> bool:
        try:
            at_home = Path(os.readlink(process / "cwd")) == self.directory.resolve()
            return at_home and (process / "comm").read_text().strip() == "postgres"
        except OSError:  # it ended, or is somebody else's
            return False

    def remove_stale_postmaster_file(self) -> None:
        """Delete `postmaster.pid`. The process that wrote it is gone, or it never made sense."""
        (self.directory / "postmaster.pid").unlink(missing_ok=True)


def _recorded_home(data_dir: Path) -> Path | None:
    """Where an earlier start had to make the cluster, when that was not in ``data_dir``."""
    try:
        return Path((data_dir / _RECORD_NAME).read_text(encoding="utf-8").rstrip("\n"))
    except FileNotFoundError:
        return None
