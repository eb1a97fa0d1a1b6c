"""Sequences: positions as opaque texts, which clients keep and give back to go on from there.

A text is URL-safe. It carries a keyed hash, so that none of another database, and none that was
tampered with, is taken for one of ours; and it is masked, for what it is made of would tell how
much others do.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from typing import Final

from mailsacd.core.errors import InvalidInputError
from mailsacd.core.event import Position, Snapshot

MAX_CHARACTERS: Final = 8_192

_DIGEST_OCTETS: Final = 9
_NOT_OURS: Final = (
    "The sequence is none that was given out here: start without one, and read what came before"
    " from the list of messages"
)


class Sequences:
    """Writes and reads them. ``key`` is of the database, and changes when that is restored."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def write(self, position: Position) -> str:
        """The text that clients are given for a position; `read` takes it back."""
        octets = bytearray()
        _put_snapshot(octets, position.seen, 0, 0)
        if position.within is not None:
            seen = position.seen
            _put_snapshot(octets, position.within, seen.next_xid, seen.taken_ms)
            octets += position.id.encode()
        content = bytes(octets)
        digest = self._digest(content)
        return urlsafe_b64encode(digest + self._masked(digest, content)).rstrip(b"=").decode()

    def read(self, text: str) -> Position:
        """The position in a text. Raises InvalidInputError for what `write` has not written."""
        if len(text) > MAX_CHARACTERS or not text.isascii():
            raise InvalidInputError(_NOT_OURS)
        try:
            octets = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except ValueError as e:
            raise InvalidInputError(_NOT_OURS) from e
        digest = octets[:_DIGEST_OCTETS]
        content = self._masked(digest, octets[_DIGEST_OCTETS:])
        if not hmac.compare_digest(digest, self._digest(content)):
            raise InvalidInputError(_NOT_OURS)
        return _position(content)

    def _masked(self, digest: bytes, content: bytes) -> bytes:
        """Doing it twice undoes it."""
        mask = hashlib.shake_256(self._key + digest).digest(len(content))
        masked = int.from_bytes(content) ^ int.from_bytes(mask)
        return masked.to_bytes(len(content))

    def _digest(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, hashlib.sha256)[:_DIGEST_OCTETS]


def _position(content: bytes) -> Position:
    octets = iter(content)
    seen = _take_snapshot(octets, 0, 0)
    rest = bytes(octets)
    if not rest:
        return Position(seen)
    octets = iter(rest)
    within = _take_snapshot(octets, seen.next_xid, seen.taken_ms)
    return Position(seen, within, bytes(octets).decode())


def _put_snapshot(octets: bytearray, snapshot: Snapshot, base_xid: int, base_ms: int) -> None:
    """All numbers are small: those of the second snapshot are relative to those of the first."""
    _put(octets, snapshot.next_xid - base_xid)
    _put(octets, max(snapshot.taken_ms - base_ms, 0))
    _put(octets, len(snapshot.running))
    for xid in sorted(snapshot.running):
        _put(octets, snapshot.next_xid - xid)


def _take_snapshot(octets: Iterator[int], base_xid: int, base_ms: int) -> Snapshot:
    next_xid = base_xid + _take(octets)
    taken_ms = base_ms + _take(octets)
    running = frozenset(next_xid - _take(octets) for _ in range(_take(octets)))
    return Snapshot(next_xid, running, taken_ms)


def _put(octets: bytearray, number: int) -> None:
    """Seven bits an octet, the lowest first."""
    while number > 127:
        octets.append(number & 127 | 128)
        number >>= 7
    octets.append(number)


def _take(octets: Iterator[int]) -> int:
    number = shift = 0
    for octet in octets:
        number |= (octet & 127) << shift
        if octet < 128:
            break
        shift += 7
    return number
