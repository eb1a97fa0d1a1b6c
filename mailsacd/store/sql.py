"""Statements with a declared shape: what a row becomes, and how many there may be.

A statement is a value: ``find = maybe(Message, "select …")``, run as ``await find(db, id=…)``.
Another number of rows than declared is a StatementError, not a surprise further on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from mailsacd.core.errors import StatementError
from mailsacd.store.statement import Statement, statement

T = TypeVar("T")


class Executor(Protocol):
    """What runs statements: a Database, or a Transaction."""

    async def run(
        self, sql: str | Statement, params: Any = ()
    ) -> tuple[list[tuple[Any, ...]], int]:
        """The rows, and how many there were or were changed."""


@dataclass(frozen=True, slots=True)
class many(Generic[T]):  # noqa: N801  reads as a declaration
    """Any number of rows, each made into a ``row(*columns)``."""

    row: Callable[..., T]
    sql: str

    async def __call__(self, db: Executor, **params: Any) -> list[T]:
        """Run it with the named parameters."""
        rows, _ = await db.run(statement(self.sql), params)
        return [self.row(*columns) for columns in rows]


@dataclass(frozen=True, slots=True)
class maybe(Generic[T]):  # noqa: N801  reads as a declaration
    """At most one row."""

    row: Callable[..., T]
    sql: str

    async def __call__(self, db: Executor, **params: Any) -> T | None:
        """Run it with the named parameters. Raises StatementError for several rows."""
        rows, _ = await db.run(statement(self.sql), params)
        if len(rows) > 1:
            raise StatementError(f"{len(rows)} rows where there may be one: {self.sql}")
        return self.row(*rows[0]) if rows else None


@dataclass(frozen=True, slots=True)
class one(Generic[T]):  # noqa: N801  reads as a declaration
    """Exactly one row."""

    row: Callable[..., T]
    sql: str

    async def __call__(self, db: Executor, **params: Any) -> T:
        """Run it with the named parameters. Raises StatementError for none or several rows."""
        rows, _ = await db.run(statement(self.sql), params)
        if len(rows) != 1:
            raise StatementError(f"{len(rows)} rows where there must be one: {self.sql}")
        return self.row(*rows[0])


@dataclass(frozen=True, slots=True)
class none:  # noqa: N801  reads as a declaration
    """No rows come back; the answer is how many were changed."""

    sql: str

    async def __call__(self, db: Executor, **params: Any) -> int:
        """Run it with the named parameters. Raises StatementError when rows come back."""
        rows, changed = await db.run(statement(self.sql), params)
        if rows:
            raise StatementError(f"rows where there may be none: {self.sql}")
        return changed


def column(value: T) -> T:
    """For statements of one column: the row is its value."""
    return value
