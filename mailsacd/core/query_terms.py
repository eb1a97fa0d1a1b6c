"""What a search query asks for, as values: core.query makes them of its text."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

Field = Literal[
    "any", "from", "to", "subject", "body", "raw", "header", "attachment", "state", "folder",
    "label", "id", "larger", "smaller", "link",
]  # fmt: skip
STATES: Final = ("read", "unread", "starred")


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One thing that a message has or has not, by ``field``.

    ``any``: ``text`` is in the subject, in the senders, in the recipients or in the body. ``from``,
    ``to``, ``subject`` and ``body``: it is in these. They are compared as core.folding has them,
    and ``text`` is so already. ``raw``: it is in the source, where ASCII letters alone have two
    cases. ``header``: there is a header field ``name`` (lower case) with ``text`` in it.
    ``attachment``: it has one. ``state``: ``text`` is one of STATES. ``folder`` and ``label``: it
    is in that, or has it. ``id``: its id is ``text`` or sorts after it, so it came then or later.
    ``larger`` and ``smaller``: its raw has more or fewer bytes than ``number``. ``link``: ``text``
    is in a URL that the message links to.
    """

    field: Field
    text: str = ""
    name: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Not:
    """Whatever does not fit ``query``."""

    query: "Query"


@dataclass(frozen=True, slots=True)
class All:
    """Whatever fits all ``parts``."""

    parts: "tuple[Query, ...]"


@dataclass(frozen=True, slots=True)
class Some:
    """Whatever fits one of ``parts``, or several."""

    parts: "tuple[Query, ...]"


Query = Term | Not | All | Some


def fits(query: Query, answer: Callable[[Term], bool | None]) -> bool | None:
    """Return whether a message fits, of which ``answer`` tells whether a term does.

    Where it cannot tell that it returns None, and so does this function if it matters.
    """
    if isinstance(query, Term):
        return answer(query)
    if isinstance(query, Not):
        found = fits(query.query, answer)
        return None if found is None else not found
    decides = isinstance(query, Some)
    is_known = True
    for part in query.parts:
        found = fits(part, answer)
        if found is decides:
            return decides
        is_known = is_known and found is not None
    return (not decides) if is_known else None
