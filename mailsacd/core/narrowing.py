"""What SQL can tell of a search query: so much all messages have in common that fit it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from mailsacd.core.folding import is_folded_in_columns
from mailsacd.core.query_terms import All, Not, Query, Term
from mailsacd.core.search import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """What a message has to have, all of it; None: nothing is known.

    ``from_id`` and ``before_id`` are bounds of its id. ``is_all``: whatever has it fits the query.
    """

    subject: str | None = None
    sender: str | None = None
    recipients: str | None = None
    read: bool | None = None
    starred: bool | None = None
    folder: str | None = None
    label: str | None = None
    from_id: str | None = None
    before_id: str | None = None
    is_all: bool = True

    def conditions(self) -> dict[str, object]:
        """Return the parameters of a statement."""
        given = asdict(self)
        del given["is_all"]
        return given

    def as_terms(self) -> Terms | None:
        """Return the same as an index is searched for; None where that cannot be."""
        only = replace(self, starred=None, from_id=None, before_id=None)
        if only != self or not self.is_all or only == Narrowing():
            return None
        if " " in f"{self.sender or ''}{self.recipients or ''}":
            return None  # a column has names and addresses with blanks between them
        return Terms(
            subject=self.subject,
            sender=self.sender,
            recipients=self.recipients,
            read=self.read,
            folder=self.folder,
            label=self.label,
        )


_COLUMNS: Final[Mapping[str, str]] = {
    "subject": "subject",
    "from": "sender",
    "to": "recipients",
    "folder": "folder",
    "label": "label",
}
_AS_THEY_ARE: Final = frozenset({"folder", "label"})
_STATES: Final[Mapping[str, tuple[str, bool]]] = {
    "read": ("read", True),
    "unread": ("read", False),
    "starred": ("starred", True),
}


def narrowing(query: Query) -> Narrowing:
    """Return what all messages have that fit ``query``."""
    known: dict[str, Any] = {}
    is_all = True
    for part in _parts(query):
        name, value = _known(part)
        if name in known and name in {"from_id", "before_id"}:
            value = (max if name == "from_id" else min)(value, known[name])
        elif name is None or known.get(name, value) != value:
            is_all = False
            continue
        known[name] = value
    return Narrowing(**known, is_all=is_all)


def _parts(query: Query) -> Iterable[Query]:
    if isinstance(query, All):
        for part in query.parts:
            yield from _parts(part)
    else:
        yield query


def _known(query: Query) -> tuple[str | None, Any]:
    """The parameter that says it, and its value; None where there is none."""
    if isinstance(query, Not):
        name, value = _known(query.query)
        if name == "from_id":
            return "before_id", value
        return (name, not value) if isinstance(value, bool) else (None, None)
    if not isinstance(query, Term):
        return None, None
    if query.field == "state":
        return _STATES[query.text]
    if query.field == "id":
        return "from_id", query.text
    is_told = query.field in _AS_THEY_ARE or is_folded_in_columns(query.text)
    return _COLUMNS.get(query.field) if is_told else None, query.text
