"""Visits many members evenly, each once in a round, without a timer for each."""

from collections.abc import Hashable
from typing import Generic, TypeVar

M = TypeVar("M", bound=Hashable)


class Rounds(Generic[M]):
    """Members in ``steps`` groups. However many come at once, no step has to visit all of them."""

    def __init__(self, steps: int) -> None:
        self._groups: list[dict[M, None]] = [{} for _ in range(steps)]
        self._group_of: dict[M, int] = {}
        self._next_group = 0
        self._current = 0

    def __len__(self) -> int:
        return len(self._group_of)

    def __contains__(self, member: object) -> bool:
        return member in self._group_of

    def add(self, member: M) -> None:
        """Begin to visit ``member``, once in every round."""
        group = self._next_group
        self._next_group = (group + 1) % len(self._groups)
        self._group_of[member] = group
        self._groups[group][member] = None

    def discard(self, member: M) -> None:
        """Stop visiting ``member``; it need not be there."""
        group = self._group_of.pop(member, None)
        if group is not None:
            del self._groups[group][member]

    def members(self) -> tuple[M, ...]:
        """All members, in the order in which they were added."""
        return tuple(self._group_of)

    def step(self) -> tuple[M, ...]:
        """The members of the next group; the groups take turns."""
        group = self._groups[self._current]
        self._current = (self._current + 1) % len(self._groups)
        return tuple(group)
