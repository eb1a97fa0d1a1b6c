"""The file that a backup is written to: beside its place, and renamed into it when it is whole."""

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

STANDARD_OUTPUT: Final = "-"


@dataclass(frozen=True, slots=True)
class Destination:
    """An open file, and what its path will be."""

    descriptor: int
    path: Path

    def size(self) -> int:
        """Return how many bytes are in it so far."""
        return os.fstat(self.descriptor).st_size


@contextmanager
def destination(name: str) -> Iterator[Destination | None]:
    """Yield the file to write to, which has the name once the context ends well.

    For STANDARD_OUTPUT that is None. A link is followed. Only a regular file is ever replaced.
    Raises ClickException.
    """
    if name == STANDARD_OUTPUT:
        _check_standard_output()
        yield None
        return
    try:
        path = _place(Path(name))
        descriptor, partial = tempfile.mkstemp(".partial", ".mailsacd-backup-", path.parent)
    except OSError as e:
        raise _unwritable(name, e) from e
    try:
        yield Destination(descriptor, path)
        os.fsync(descriptor)
        _place(path)  # once more: something else may be there by now
        Path(partial).replace(path)
        _sync_directory(path.parent)
    except OSError as e:
        raise _unwritable(name, e) from e
    finally:
        Path(partial).unlink(missing_ok=True)
        os.close(descriptor)


def _place(path: Path) -> Path:
    """Where the file goes. Raises OSError, and ClickException when that is no place for a file."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        pass
    else:
        if stat.S_ISDIR(mode):
            raise click.ClickException(f"{path} is a directory: name a file in it")
        if not stat.S_ISREG(mode):
            raise click.ClickException(
                f"{path} is no regular file, and is not replaced; - is standard output"
            )
    place = path.resolve()
    if not place.parent.is_dir():
        raise click.ClickException(f"there is no directory {place.parent} to write to")
    return place


def _check_standard_output() -> None:
    if sys.stdout is None or sys.stdout.isatty():  # it is None when the shell has closed it
        raise click.ClickException("standard output has to be a file or a pipe")


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(name: str, error: OSError) -> click.ClickException:
    return click.ClickException(f"cannot write to {name}: {error.strerror or error}")
