"""How fast very many may go: a token bucket for each, in a fixed amount of memory.

Of a bucket one number is needed: the time at which it will be full again (the "theoretical arrival
time" of the generic cell rate algorithm, ITU-T I.371 annex A). Buckets are not kept by key: a key
has a place in each of two rows of numbers, found by a hash with a secret, and its bucket is the
fuller of the two. Whoever spends raises both to what he has spent, and lowers none. So

- nobody is ever allowed more than his rate, whoever else comes: nothing is forgotten to make room,
  and nobody can have his own bucket forgotten by coming under other names;
- who spends little goes free unless both of his places are those of others who spend much, which
  the secret keeps anybody from bringing about: with a thousand of these, one of 4,000 is hit.
"""

from collections.abc import MutableSequence, Sequence
from hashlib import blake2b
from typing import Final, NamedTuple

SLOTS_IN_ROW: Final = 65_536
SLOTS: Final = 2 * SLOTS_IN_ROW
"""So many numbers is a table of buckets."""

_ROUNDING_S: Final = 1e-6


class Charge(NamedTuple):
    """What is spent of one bucket.

    ``slots`` is the table, ``first`` and ``second`` are the key's places in it; ``interval_s`` is
    how many seconds it takes until so much may be spent again. ``name`` tells people whose it is.
    """

    slots: MutableSequence[float]
    first: int
    second: int
    interval_s: float
    name: str = ""


def places(key: str, secret: bytes) -> tuple[int, int]:
    """Return the places of ``key`` in a table of SLOTS numbers; ``secret`` has 64 bytes at most."""
    data = key.encode("utf-8", "backslashreplace")
    digest = int.from_bytes(blake2b(data, digest_size=8, key=secret).digest(), "big")
    return digest % SLOTS_IN_ROW, SLOTS_IN_ROW + (digest >> 32) % SLOTS_IN_ROW


def spend(
    charges: Sequence[Charge], now_s: float, *, burst_s: float, patience_s: float
) -> tuple[float, int]:
    """Spend ``charges``, all of them or none: how many seconds to wait first, and for which.

    What ``burst_s`` seconds bring may be spent at once. More has to wait, and is spent as if it
    were then. When that would be for more than ``patience_s`` nothing is spent.
    ``now_s`` is of a clock that is never set back. The second number is the place in ``charges``
    of the one that has most to wait for.
    """
    wait_s, worst, full_again = _look_at(charges, now_s, burst_s)
    if wait_s <= patience_s:
        for (slots, first, second, _, _), full in zip(charges, full_again, strict=True):
            if slots[first] < full:  # noqa: PLR1730  of each recipient: a call takes thrice as long
                slots[first] = full
            if slots[second] < full:  # noqa: PLR1730  as above
                slots[second] = full
    return wait_s, worst


def interval_s_of(per_minute: int) -> float:
    """How many seconds go by until one more is allowed; 0: as many as you like are."""
    return 60.0 / per_minute if per_minute else 0.0


def would_wait(charges: Sequence[Charge], now_s: float, *, burst_s: float) -> tuple[float, int]:
    """Return what `spend` would, and spend nothing."""
    wait_s, worst, _ = _look_at(charges, now_s, burst_s)
    return wait_s, worst


def full_in_s(charge: Charge, now_s: float) -> float:
    """After how many seconds the bucket will be full, if nothing more is spent; 0: it is."""
    return max(min(charge.slots[charge.first], charge.slots[charge.second]) - now_s, 0.0)


def _look_at(
    charges: Sequence[Charge], now_s: float, burst_s: float
) -> tuple[float, int, list[float]]:
    """How long to wait, for which of them, and when each bucket would be full again."""
    latest, worst = now_s, 0
    full_again = []
    for place, (slots, first, second, interval_s, _) in enumerate(charges):
        full = slots[first]
        other = slots[second]
        if other < full:  # noqa: PLR1730  as above
            full = other
        if full < now_s:  # noqa: PLR1730  as above
            full = now_s
        full += interval_s
        full_again.append(full)
        if full - burst_s > latest + _ROUNDING_S:
            latest, worst = full - burst_s, place
    return latest - now_s, worst, full_again
