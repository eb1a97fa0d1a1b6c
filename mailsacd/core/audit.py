"""What was done to an account and to what it owns: by whom, from where."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from mailsacd.core.actor import Actor

Topic = Literal["account", "session", "two-factor", "key", "team", "domain", "address", "operator"]
"""What it was done to; ``operator`` is what an operator did to others, in his own account's log."""

TOPICS: Final[tuple[Topic, ...]] = get_args(Topic)

By = Literal["login", "key", "operator", "server"]

MAX_SUBJECT_CHARACTERS: Final = 320
MAX_DETAIL_CHARACTERS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who did something: ``name`` is a login's or an API key's, ``peer`` the IP address.

    Both are empty for an ``operator`` who was not one of the account's own, and for the server.
    """

    kind: By
    name: str = ""
    peer: str = ""


OPERATOR: Final = Author(kind="operator")
"""The operator, by the command line or a page of his."""

SERVER: Final = Author(kind="server")
"""The daemon itself, as when it looks at domains in time."""


@dataclass(frozen=True, slots=True)
class Act:
    """What was done: ``action`` in a word, such as ``created``.

    ``subject`` is the key, login, address or domain that it was done to; ``detail`` what is to be
    known beside that.
    """

    topic: Topic
    action: str
    subject: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """What was done, and who did it. ``id`` rises with time, and tells it (see core.token)."""

    id: str
    act: Act
    author: Author


def author_of(actor: Actor) -> Author:
    """Who ``actor`` is, for the log.

    One without login and key is the operator, at the command line (core.actor.by_command).
    """
    if actor.login is not None:
        return Author(kind="login", name=actor.login, peer=actor.peer)
    if actor.key_name is not None:
        return Author(kind="key", name=actor.key_name, peer=actor.peer)
    return OPERATOR
