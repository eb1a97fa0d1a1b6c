"""Regular expressions match the same on every Python that we run on."""

import re
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "mailsacd"

# Before Python 3.11.5 a possessive quantifier of a group, or an atomic group, matches wrongly when
# something in the group has to be given back (https://github.com/python/cpython/issues/106052).
# Those of single characters are right.
OF_A_GROUP = re.compile(r"\)(?:[?*+]|\{[0-9,]+\})\+|\(\?>")


def test_no_group_is_possessive_or_atomic() -> None:
    assert [
        f"{file.relative_to(PACKAGE)}:{number}"
        for file in sorted(PACKAGE.rglob("*.py"))
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if OF_A_GROUP.search(line)
    ] == []
