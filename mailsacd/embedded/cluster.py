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
from mailsacd.embedded.account import SystemUser

DATABASE_USER: Final = "mailsacd"
PORT: Final = "5432"  # nothing listens there: it is a part of the Unix socket's name

_STATE: Final = Path("/var/lib")
_SOCKET_NAME: Final = f".s.PGSQL.{PORT}"
_MAX_SOCKET_PATH_BYTES: Final = 103  # sockaddr_un of BSD and macOS; Linux has four more

_log = Logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmasterFile:
    """What `postmaster.pid` says. ``ready`` is whether connections are taken."""

    pid: int
    ready: bool


class Cluster:
    """A PostgreSQL data directory that belongs to ``user``, for the daemon's ``data_dir``."""

    def __init__(self, data_dir: Path, user: SystemUser) -> None:
        self.user = user
        self.home = data_dir
        if not user.may_enter(data_dir):
            # Such as below root's home. Opening the parents to others would be worse.
            digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
            self.home = _STATE / f"mailsacd-{digest}"
            _log.warn(
                "user {user} cannot enter {data_dir}: the database is kept in {home}",
                user=user.name, data_dir=str(data_dir), home=str(self.home),
            )  # fmt: skip
        self.directory = self.home / "postgres"

    def __str__(self) -> str:
        return str(self.directory)

    def make_home(self) -> None:
        """Make the directory that the cluster goes into, such that its user gets there."""
        missing = [step for step in (self.home, *self.home.parents) if not step.exists()]
        self.home.mkdir(parents=True, exist_ok=True)
        for made in missing:
            made.chmod(0o755)  # a daemon's umask may be stricter

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
        """Run initdb, aside first, so that a half-made cluster is never used."""
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
        status, printed = await self.user.run(command, reactor)
        if status != 0:
            shutil.rmtree(partial, ignore_errors=True)
            raise ConfigurationError(f"initdb failed in {self.home}: {printed.strip()}")
        partial.rename(self.directory)

    def socket_directory(self) -> Path:
        """Where the Unix socket goes: with the data, or where that path is too long, aside."""
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
        """The postmaster that says it runs on the data, truly or not."""
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
        """Whether that process is a postmaster on this very data, not one that reused the id."""
        proc = Path(f"/proc/{pid}/cwd")
        try:
            if Path("/proc/self").exists():
                return proc.resolve(strict=True) == self.directory.resolve()
            os.kill(pid, 0)
        except OSError:
            return False
        return True

    def remove_stale_postmaster_file(self) -> None:
        """The process that wrote it is gone, or never wrote anything that makes sense."""
        (self.directory / "postmaster.pid").unlink(missing_ok=True)
