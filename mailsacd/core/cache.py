"""What was looked up before, in bounded memory."""

from collections import OrderedDict
from enum import Enum
from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Unknown(Enum):
    """Nothing is remembered: the value itself may be None."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN


class Recent(Generic[K, V]):
    """The ``size`` values that were asked for or remembered last."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | Unknown:
        """The value that goes with ``key``, or UNKNOWN."""
        value = self._values.get(key, UNKNOWN)
        if value is not UNKNOWN:
            self._values.move_to_end(key)
        return value

    def remember(self, key: K, value: V) -> None:
        """Keep a value, and drop the one that nobody asked for for the longest time."""
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._size:
            self._values.popitem(last=False)

    def forget(self, key: K) -> None:
        """Drop the value of ``key``, if there is one."""
        self._values.pop(key, None)

    def clear(self) -> None:
        """Drop every value that is remembered."""
        self._values.clear()
