"""Mail as it comes: who waits for what, how far somebody has seen, and what is pushed.

Commits become visible in another order than their messages' ids have. So "how far" is told by
snapshots: which transactions somebody has seen (PostgreSQL's pg_snapshot).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

Topic = tuple[str, str]
"""What somebody waits for and what a message has to do with, as kind and name."""

_ALL_PUBLIC: Topic = ("public", "")


@dataclass(frozen=True, slots=True)
class Interest:
    """What a listener waits for: mail that has to do with any of these, and that it may see.

    ``account`` is who listens; None is the public. ``inboxes`` are normal addresses, ``*@domain``
    among them, and ``domains`` normal domains; mail that was forwarded on its way counts for the
    inboxes that it passed and their domains, too. Whether the account may listen to them is
    for the caller to check. ``everything_owned`` is all mail that the account owns; ``all_public``
    is all public mail of the daemon. ``starred_at_once`` is what is stored starred for the account,
    as what it captures is; that is not told again to who goes on from a sequence.
    """

    account: str | None
    inboxes: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    everything_owned: bool = False
    all_public: bool = False
    starred_at_once: bool = False

    def topics(self) -> Iterator[Topic]:
        """The topics of which a message must have one to be waited for."""
        yield from (("inbox", inbox) for inbox in self.inboxes)
        yield from (("domain", domain) for domain in self.domains)
        if self.everything_owned and self.account is not None:
            yield ("owner", self.account)
        if self.starred_at_once and self.account is not None:
            yield ("starred", self.account)
        if self.all_public:
            yield _ALL_PUBLIC

    def includes(self, arrival: "Arrival") -> bool:
        """Whether the listener waits for a message and may see it."""
        topics = set(self.topics())
        wanted = any(topic in topics for topic in arrival.topics())
        return wanted and arrival.is_there_for(self.account)


class Arrival(msgspec.Struct, frozen=True, array_like=True):
    """What an event tells of a message: enough to know who waits for it. See schema 0008.

    Of mail that is nobody's the first two are all that is written down.
    """

    id: str
    inbox: str
    owner: str | None = None
    private: bool = False
    saved_by: str | None = None
    passed: tuple[str, ...] | None = None
    catch_all: bool = False
    """Whether the inbox is reserved, and its owner has the catch-all of its domain switched on."""

    def is_there_for(self, account: str | None) -> bool:
        """Whether ``account`` (None: the public) may see it, as in store.views."""
        if self.saved_by is not None:
            return self.saved_by == account
        return not self.private or (self.owner is not None and self.owner == account)

    def topics(self) -> Iterator[Topic]:
        """The topics that the message belongs to: who waits for one of them is told of it."""
        for inbox in (self.inbox, *(self.passed or ())):
            yield ("inbox", inbox)
            yield ("domain", inbox.rpartition("@")[2])
        if self.catch_all:
            yield ("inbox", "*@" + self.inbox.rpartition("@")[2])
        if self.owner is not None:
            yield ("owner", self.owner)
        if self.saved_by is not None:
            yield ("starred", self.saved_by)
        if not self.private and self.saved_by is None:
            yield _ALL_PUBLIC


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Which transactions somebody has seen: those below ``next_xid`` but for ``running``.

    ``taken_ms`` is when, by the database's clock, in milliseconds since the epoch: no transaction
    that is not seen was committed before.
    """

    next_xid: int
    running: frozenset[int]
    taken_ms: int

    def sees(self, xid: int) -> bool:
        """Whether the snapshot sees what the transaction ``xid`` did."""
        return xid < self.next_xid and xid not in self.running

    def includes(self, other: "Snapshot") -> bool:
        """Whether the snapshot sees every transaction that ``other`` sees."""
        later = range(self.next_xid, other.next_xid)  # if there are, other sees none of them
        return (
            len(later) <= len(other.running)
            and not any(map(other.sees, later))
            and not any(map(other.sees, self.running))
        )

    def up_to(self, later: "Snapshot", xid: int) -> "Snapshot":
        """This one, and all that ``later`` sees up to and with ``xid``."""
        running = [x for x in later.running if x <= xid]
        running += [x for x in self.running if x > xid]
        return Snapshot(max(self.next_xid, xid + 1), frozenset(running), self.taken_ms)


@dataclass(frozen=True, slots=True)
class Position:
    """How far a listener has been given its mail: all that ``seen`` sees, and, where ``within``

    is there, what that sees with ids up to ``id``.
    """

    seen: Snapshot
    within: Snapshot | None = None
    id: str = ""

    @property
    def newest(self) -> Snapshot:
        """The later one of the position's snapshots."""
        return self.within or self.seen


@dataclass(slots=True, eq=False)
class Pushed:
    """One message for listeners: fetched and rendered once, however many there are.

    ``json`` is the pushed form (docs/push.md), one object in UTF-8, ``sequence`` in it; listeners
    only get it when it is there. In ``encoded`` an edge may keep what it made of it.
    ``cost_bytes`` is what it counts for while it waits.
    """

    id: str
    inbox: str
    sequence: str
    json: bytes
    cost_bytes: int
    encoded: dict[str, bytes] = field(default_factory=dict)
