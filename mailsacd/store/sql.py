"""Statements with a declared shape: what a row becomes, and how many there may be.

A statement is a value: ``find = maybe(Message, "select … where id = %(id)s")``, run as
``await find(db, id=…)``. Another number of rows than declared is a StatementError, not a surprise
further on. Each connection prepares it at its first use, so it is planned once.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from mailsacd.core.errors import StatementError

T = TypeVar("T")

Result = tuple[list[tuple[Any, ...]], int]
"""The rows that a statement answered, and how many rows it found or changed."""

_PARAMETER = re.compile(r"%\((\w+)\)s")


class Statement:
    """SQL with named parameters, ``%(name)s``; types follow from where they stand, or a cast.

    ``text`` has them numbered, $1, $2 …; ``name``, a digest of it, is what connections prepare it
    under. The types that parameters and rows may have are those of store.binary.
    """

    def __init__(self, sql: str) -> None:
        self._names = tuple(dict.fromkeys(_PARAMETER.findall(sql)))
        self.text = _PARAMETER.sub(lambda found: f"${self._names.index(found[1]) + 1}", sql)
        self.name = "mailsacd_" + hashlib.sha256(self.text.encode()).hexdigest()[:16]

    async def _run(self, db: "Executor", params: dict[str, object]) -> Result:
        return await db.execute(self, [params[name] for name in self._names])


class Executor(Protocol):
    """Whatever runs statements: a Database, or a Transaction."""

    @property
    def is_distributed(self) -> bool:
        """Whether raw messages are on other servers than all else (store.distribution)."""

    async def execute(self, statement: Statement, values: Sequence[object]) -> Result:
        """Run it with ``values`` for its numbered parameters."""

    async def together(self, work: "Callable[[Executor], Awaitable[T]]") -> T:
        """Run the statements of ``work`` in one transaction: in this one, if it is one."""


class _Query(Statement, Generic[T]):
    """A statement whose rows are each made into a ``row(*columns)``."""

    def __init__(self, row: Callable[..., T], sql: str) -> None:
        super().__init__(sql)
        self._row = row


class many(_Query[T]):  # noqa: N801  reads as a declaration
    """A statement that answers any number of rows."""

    async def __call__(self, db: Executor, **params: object) -> list[T]:
        """Run it with the named parameters."""
        rows, _ = await self._run(db, params)
        row = self._row
        return [row(*columns) for columns in rows]


class maybe(_Query[T]):  # noqa: N801  reads as a declaration
    """A statement that answers one row or none."""

    async def __call__(self, db: Executor, **params: object) -> T | None:
        """Run it with the named parameters. Raises StatementError for several rows."""
        rows, _ = await self._run(db, params)
        if len(rows) > 1:
            raise StatementError(f"{len(rows)} rows where there may be one: {self.text}")
        return self._row(*rows[0]) if rows else None


class one(_Query[T]):  # noqa: N801  reads as a declaration
    """A statement that answers exactly one row."""

    async def __call__(self, db: Executor, **params: object) -> T:
        """Run it with the named parameters. Raises StatementError for none or several rows."""
        rows, _ = await self._run(db, params)
        if len(rows) != 1:
            raise StatementError(f"{len(rows)} rows where there must be one: {self.text}")
        return self._row(*rows[0])


class none(Statement):  # noqa: N801  reads as a declaration
    """A statement without rows. It answers how many were changed."""

    async def __call__(self, db: Executor, **params: object) -> int:
        """Run it with the named parameters. Raises StatementError when rows come back."""
        rows, changed = await self._run(db, params)
        if rows:
            raise StatementError(f"rows where there may be none: {self.text}")
        return changed


def column(value: T) -> T:
    """Return ``value``. For statements of one column: the row is its value."""
    return value
