"""Dumps of the database: pg_dump writes them, and pg_restore reads the rows of a table out of them.

A dump is a program for PostgreSQL: it may hold functions, triggers and commands of whoever made it.
Nothing of that is ever run. pg_restore is not connected to any database, it prints what it finds;
of that the rows are taken, and what is done with them is said by our own statements
(docs/adr/0018-restoring-rows.md).

All here blocks: it is to be called in a thread.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from mailsacd.core.errors import ConfigurationError, InvalidInputError

MAX_CONTENTS_BYTES: Final = 16_777_216
"""A dump whose list of contents is longer than that is not read."""

_MAX_LINE_BYTES: Final = 65_536  # of what pg_restore prints before the rows
_CHUNK_BYTES: Final = 65_536
_TOLD_CHARACTERS: Final = 500
_END_OF_ROWS: Final = b"\n\\.\n"

_ENTRY: Final = re.compile(
    r"\d+; \d+ \d+ (?P<kind>[A-Z][A-Z ]*[A-Z]) (?P<schema>\S+) (?P<name>\S+)( .*)?"
)
_COPY: Final = re.compile(rb"COPY public\.(\S+) \(([^()]*)\) FROM stdin;\n")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in a dump: such as of the kind ``TABLE DATA``, in ``schema``, of that name."""

    kind: str
    schema: str
    name: str


class Rows:
    """The rows of one table, in the text form of PostgreSQL's COPY, to be read like a file.

    ``columns`` are those that the rows have, in their order.
    """

    def __init__(self, columns: Sequence[str], printed: IO[bytes]) -> None:
        self.columns = tuple(columns)
        self._chunks = _rows(printed)

    def read(self, size: int = -1) -> bytes:  # noqa: ARG002  whoever reads takes chunks as they come
        """Return some of the rows, empty after the last. Raises InvalidInputError."""
        return next(self._chunks, b"")


class Dump:
    """A dump in pg_dump's custom format. Everything raises InvalidInputError for one that is not.

    ``pg_restore`` is the program.
    """

    def __init__(self, file: Path, pg_restore: Path) -> None:
        self._file = file
        self._pg_restore = pg_restore

    def entries(self) -> list[Entry]:
        """Return what is in it, but for what has a name that is no single word."""
        with self._printing("--list") as printed:
            text = printed.read(MAX_CONTENTS_BYTES + 1)
            if len(text) > MAX_CONTENTS_BYTES:
                raise InvalidInputError("too much is in it")
            _read_to_the_end(printed)
        found = map(_ENTRY.fullmatch, text.decode("utf-8", "replace").split("\n"))
        return [Entry(entry["kind"], entry["schema"], entry["name"]) for entry in found if entry]

    @contextmanager
    def rows(self, table: str) -> Iterator[Rows]:
        """Yield the rows of a table of the schema public. At the end it has been read whole."""
        with self._printing(
            "--data-only", "--schema=public", f"--table={table}", "--file=-"
        ) as printed:
            yield Rows(_columns(table, printed), printed)
            _read_to_the_end(printed)

    @contextmanager
    def _printing(self, *options: str) -> Iterator[IO[bytes]]:
        command = [str(self._pg_restore), "--format=custom", *options, str(self._file)]
        with TemporaryFile() as errors, _started(command, errors) as process:
            assert process.stdout is not None  # noqa: S101  for mypy: it is a pipe
            try:
                yield process.stdout
                status = process.wait()
            except BaseException:
                process.kill()
                raise
            if status != 0:
                raise InvalidInputError(_told(errors))


def write_dump(pg_dump: Path, environment: Mapping[str, str], to: int | None) -> None:
    """Write a dump of the schema public, in the custom format, into a file that is open.

    ``to`` is its descriptor, None for standard output. ``environment`` has the variables that lead
    to the database: others may see a process's arguments. Raises ConfigurationError.
    """
    options = ["--format=custom", "--schema=public", "--no-owner", "--no-privileges"]
    if to is not None:  # by its descriptor, for somebody else may have its name by now
        options.append(f"--file=/dev/fd/{to}")
    with TemporaryFile() as errors:
        done = subprocess.run(  # noqa: S603  the program is one of PostgreSQL's, the options ours
            [str(pg_dump), *options],
            env={**os.environ, **environment, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL, stderr=errors, check=False,
            pass_fds=() if to is None else (to,),
        )  # fmt: skip
        if done.returncode != 0:
            raise ConfigurationError(f"pg_dump failed: {_told(errors)}")


def _started(command: Sequence[str], errors: IO[bytes]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603  as above; the file's name is a whole path, so no option
        command,
        env={**os.environ, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
    )  # fmt: skip


def _columns(table: str, printed: IO[bytes]) -> list[str]:
    """Read up to where the rows begin; the columns that they are said to have."""
    while line := printed.readline(_MAX_LINE_BYTES):
        found = _COPY.fullmatch(line)
        if found is not None and found[1] == table.encode():
            names = found[2].decode("utf-8", "replace").split(", ")
            return [name.strip('"') for name in names]
    raise InvalidInputError(f"there are no rows of the table {table} in it")


def _rows(printed: IO[bytes]) -> Iterator[bytes]:
    """What there is up to the line that ends the rows, in pieces that are not empty."""
    held = b"\n" + printed.read(_CHUNK_BYTES)
    first = 1  # that newline is not of the rows
    while (end := held.find(_END_OF_ROWS)) < 0:
        kept = len(held) - len(_END_OF_ROWS) + 1
        if kept > first:
            yield held[first:kept]
            held, first = held[kept:], 0
        more = printed.read(_CHUNK_BYTES)
        if not more:
            raise InvalidInputError("the rows of a table are cut off")
        held += more
    if held[first : end + 1]:
        yield held[first : end + 1]


def _read_to_the_end(printed: IO[bytes]) -> None:
    while printed.read(_CHUNK_BYTES):
        pass


def _told(errors: IO[bytes]) -> str:
    """The end of what a program said, in one line."""
    length = errors.seek(0, os.SEEK_END)
    errors.seek(max(length - 4 * _TOLD_CHARACTERS, 0))
    return " ".join(errors.read().decode("utf-8", "replace").split())[-_TOLD_CHARACTERS:]
