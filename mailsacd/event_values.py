"""The values of a log event that may be searched for: those that were given to it by name."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from twisted.logger import LogEvent

MAX_VALUES: Final = 40

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,40}\Z")


def event_values(event: LogEvent) -> Iterator[tuple[str, str | int | float]]:
    """Return the names and values of ``event`` that are texts and numbers, MAX_VALUES at most."""
    return islice(
        (
            (name, value)
            for name, value in event.items()
            if _NAME.match(name)
            and not name.startswith("log_")
            and isinstance(value, str | int | float)
        ),
        MAX_VALUES,
    )
