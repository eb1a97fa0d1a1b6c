"""The maildrop of a session: what was there when it began, and what is marked as deleted."""

from mailsacd.core.maildrop import Listing
from mailsacd.pop3 import answer
from mailsacd.pop3.grammar import GrammarError


class Selection:
    """The messages of a session's maildrop: they have a number, from 1, and a place, from 0."""

    __slots__ = ("_deleted", "_listing", "_octets")

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._deleted: set[int] = set()
        self._octets = sum(listing.sizes)

    @property
    def deleted(self) -> tuple[int, ...]:
        """The places of what is marked as deleted."""
        return tuple(sorted(self._deleted))

    def stat(self) -> tuple[int, int]:
        """Return how many messages there are, and their octets, without what is marked."""
        return len(self._listing.ids) - len(self._deleted), self._octets

    def place(self, number: int) -> int:
        """Return where message ``number`` is.

        Raises GrammarError when there is none, or it is marked.
        """
        if number > len(self._listing.ids):
            raise GrammarError(answer.NO_SUCH_MESSAGE)
        if number - 1 in self._deleted:
            raise GrammarError(answer.DELETED)
        return number - 1

    def delete(self, place: int) -> None:
        """Mark the message at ``place`` as deleted."""
        self._deleted.add(place)
        self._octets -= self._listing.sizes[place]

    def reset(self) -> None:
        """Mark no message as deleted any more."""
        self._deleted.clear()
        self._octets = sum(self._listing.sizes)

    def size(self, place: int) -> int:
        """Return the octets of the message at ``place``."""
        return self._listing.sizes[place]

    def unique_id(self, place: int) -> str:
        """Return the unique-id of the message at ``place`` (RFC 1939 section 7): its own id."""
        return self._listing.ids[place]

    def scan_listings(self) -> bytes:
        """Return the whole answer to LIST without an argument."""
        return self._lines(self._listing.sizes)

    def unique_id_listings(self) -> bytes:
        """Return the whole answer to UIDL without an argument."""
        return self._lines(self._listing.ids)

    def _lines(self, values: tuple[int, ...] | tuple[str, ...]) -> bytes:
        deleted = self._deleted
        lines = "".join(
            [f"{n} {value}\r\n" for n, value in enumerate(values, 1) if n - 1 not in deleted]
        )
        return f"+OK\r\n{lines}.\r\n".encode()
