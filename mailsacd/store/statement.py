"""Statements that a connection prepares the first time that it runs them.

PostgreSQL then parses and plans them once: for a short statement that was most of its work.
"""

import hashlib
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

_MAX_STATEMENTS: Final = 1024  # they are declared in this package, not made: there are few
_PARAMETER: Final = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with named parameters, ``%(name)s``; types follow from where they stand, or a cast.

    ``plain`` is the SQL as written. ``prepare`` and ``execute`` are the two statements that do
    the same; ``execute`` takes the same parameters as ``plain``.
    """

    plain: str
    name: str = field(init=False)
    prepare: str = field(init=False)
    execute: str = field(init=False)

    def __post_init__(self) -> None:
        names = list(dict.fromkeys(_PARAMETER.findall(self.plain)))
        numbered = _PARAMETER.sub(lambda match: f"${names.index(match[1]) + 1}", self.plain)
        if names:  # the driver undoubles a percent sign only where there are parameters
            numbered = numbered.replace("%%", "%")
        name = "mailsacd_" + hashlib.sha256(self.plain.encode()).hexdigest()[:16]
        arguments = ", ".join(f"%({each})s" for each in names)
        self._set("name", name)
        self._set("prepare", f"prepare {name} as {numbered}")
        self._set("execute", f"execute {name} ({arguments})" if names else f"execute {name}")

    def _set(self, attribute: str, value: Any) -> None:
        object.__setattr__(self, attribute, value)  # the dataclass is frozen


@lru_cache(maxsize=_MAX_STATEMENTS)
def statement(sql: str) -> Statement:
    """The statement of ``sql``, always the same value for the same text."""
    return Statement(sql)
