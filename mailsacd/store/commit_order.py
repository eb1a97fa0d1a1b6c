"""The order of commits: which of them somebody has seen, in SQL and out of it.

"Seen" is never a range of time or of ids: a transaction is seen by a snapshot when it had committed
when that was taken (docs/adr/0007-events-by-snapshot.md). Numbers and snapshots are those of the
server that all nodes are connected to. Other modules know of them by what is here, and by the
columns ``xid`` and ``seen`` of the schema.
"""

from typing import Any, Final

from mailsacd.core.event import Snapshot

CURRENT: Final = "pg_current_snapshot()"
"""The snapshot that a statement sees, for a column of the type pg_snapshot."""

NUMBER: Final = "pg_current_xact_id()"
"""The number of the transaction that a statement is in, for a column of the type xid8."""

BEFORE_ALL: Final = "'1:1:'"
"""A snapshot that sees no transaction that ever was."""

NOW: Final = f"""{CURRENT}::text as snapshot,
    (extract(epoch from statement_timestamp()) * 1000)::bigint as ms"""
"""Columns of which `as_snapshot` makes the Snapshot that a statement sees."""

UNSEEN_RANGES: Final = ("xid = any(%(running)s::text[]::xid8[])", "xid >= %(next)s::xid8")
"""Conditions for rows that one snapshot does not see: one of them holds. Each is a range of an
index, and what was running is below the rest. `between` gives their parameters."""

WITHIN: Final = "xid < %(bound)s::xid8 and xid <> all(%(excluded)s::text[]::xid8[])"
"""The condition that another snapshot sees a row, with parameters of `between`, too."""

IN_NO_FUTURE: Final = f"< pg_snapshot_xmax({CURRENT})"
"""What is true of each number of this database, and not of all of a later or another one."""

_ABOVE_ALL: Final = "18446744073709551615"


def sees(snapshot: str, xid: str) -> str:
    """Return the condition that the column ``snapshot`` sees the transaction in ``xid``."""
    return f"pg_visible_in_snapshot({xid}, {snapshot})"


def between(seen: Snapshot, within: Snapshot | None) -> dict[str, Any]:
    """Return the parameters for what ``seen`` does not see and ``within`` sees (None: any)."""
    return {
        "next": str(seen.next_xid),
        "running": [str(xid) for xid in sorted(seen.running)],
        "bound": _ABOVE_ALL if within is None else str(within.next_xid),
        "excluded": [] if within is None else [str(xid) for xid in sorted(within.running)],
    }


def as_snapshot(text: str, ms: int) -> Snapshot:
    """Return the Snapshot of a row of NOW; ``text`` is ``xmin:xmax:running,running``."""
    _, next_xid, running = text.split(":")
    return Snapshot(int(next_xid), frozenset(map(int, filter(None, running.split(",")))), ms)
