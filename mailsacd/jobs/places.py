"""How many deliveries may be under way for whom, so that whoever is slow or away keeps to himself.

There are so many places in all, for one target and for one account. A target that does not answer
has one. What an account sends to a URL that refuses it is tried one at a time, with pauses.
"""

from collections import Counter, OrderedDict
from collections.abc import Hashable
from typing import Final, TypeVar

from mailsacd.core.delivery import Attempt, Claim
from mailsacd.store.deliveries import ANY_OTHER, Rooms

FIRST_PAUSE_S: Final = 0.1
MAX_PAUSE_S: Final = 10.0
"""A pause doubles with each failure in a row; so long is a target's return unnoticed at most, if
it did not ask for more time itself."""

MAX_REMEMBERED: Final = 1_000
"""Of those that failed last so many are remembered."""

_MAX_COUNTED: Final = 20

K = TypeVar("K", bound=Hashable)


class Places:
    """Bounds what one process delivers at a time: in all, by target and by account."""

    def __init__(self, at_a_time: int, per_target: int) -> None:
        self._at_a_time = at_a_time
        self._per_target = per_target
        self._per_account = max(at_a_time // 2, 1)
        self._under_way = 0
        self._targets: Counter[str] = Counter()
        self._accounts: Counter[str] = Counter()
        self._lines: Counter[tuple[str, str]] = Counter()
        self._silent: OrderedDict[str, None] = OrderedDict()
        self._failures: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()

    @property
    def are_taken(self) -> bool:
        """Whether no place is free."""
        return self._under_way >= self._at_a_time

    def rooms(self, now_s: float) -> Rooms:
        """Return how many deliveries may begin now, in all and for each target and account."""
        targets = {t: self._per_target - n for t, n in self._targets.items()}
        targets |= {t: 1 - self._targets[t] for t in self._silent}
        accounts = {a: self._per_account - n for a, n in self._accounts.items()}
        lines = {
            line: 1 - self._lines[line] if until_s <= now_s else 0
            for line, (_, until_s) in self._failures.items()
        }
        return Rooms(
            all=self._at_a_time - self._under_way,
            targets=_positive(targets) | {ANY_OTHER: self._per_target},
            accounts=_positive(accounts) | {ANY_OTHER: self._per_account},
            lines=_positive(lines),
        )

    def enter(self, claim: Claim) -> None:
        """Count ``claim`` as under way."""
        self._under_way += 1
        self._targets[claim.target] += 1
        self._accounts[claim.account] += 1
        self._lines[_line(claim)] += 1

    def leave(self, claim: Claim) -> None:
        """Count ``claim`` as under way no longer."""
        self._under_way -= 1
        _less(self._targets, claim.target)
        _less(self._accounts, claim.account)
        _less(self._lines, _line(claim))

    def attempted(self, claim: Claim, attempt: Attempt, now_s: float) -> None:
        """Remember how the attempt went: a target that fails or is silent gets fewer places."""
        if attempt.code is None:
            self._silent[claim.target] = None
        else:
            self._silent.pop(claim.target, None)
        count, _ = self._failures.pop(_line(claim), (0, 0.0))
        if not attempt.succeeded:
            pause_s = max(min(FIRST_PAUSE_S * (1 << count), MAX_PAUSE_S), attempt.retry_after_s)
            self._failures[_line(claim)] = (min(count + 1, _MAX_COUNTED), now_s + pause_s)
        for remembered in (self._silent, self._failures):
            if len(remembered) > MAX_REMEMBERED:
                remembered.popitem(last=False)


def _line(claim: Claim) -> tuple[str, str]:
    return (claim.account, claim.url)


def _positive(rooms: dict[K, int]) -> dict[K, int]:
    return {name: max(room, 0) for name, room in rooms.items()}


def _less(counter: Counter[K], name: K) -> None:
    counter[name] -= 1
    if not counter[name]:
        del counter[name]
