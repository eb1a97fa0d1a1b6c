"""mailsacd reads our samples, and what becomes of them when they are broken, as other parsers do.

Differences are accounted for by kinds, each of which has a row in docs/specifications.md.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.differential.kinds import KINDS
from tests.differential.mutants import SAMPLES, mutants
from tests.differential.parsers import Parsers, parsers
from tests.differential.report import by_kind, compare, is_outvoted, table

DOCUMENT = Path(__file__).parents[2] / "docs" / "specifications.md"


@pytest.fixture(scope="module")
def others() -> Iterator[Parsers]:
    with parsers() as found:
        yield found


def test_our_samples_are_read_alike_but_for_what_is_accounted_for(others: Parsers) -> None:
    messages = {path.name: path.read_bytes() for path in SAMPLES}
    found = by_kind(others, messages)
    unknown = {kind: all_ for kind, all_ in found.items() if kind.startswith(("!", "?"))}
    assert "\n".join(table(others, unknown)) == ""


def test_mutants_are_read_alike_but_for_what_is_accounted_for(others: Parsers) -> None:
    @settings(max_examples=500, derandomize=True, database=None, deadline=None)
    @given(mutants())
    def check(mutant: bytes) -> None:
        for kind, difference in compare(others, "mutant", mutant):
            if kind is None and is_outvoted(difference):
                shown = table(others, {difference.field: [difference]})
                raise AssertionError("\n".join(("nothing accounts for:", *shown, repr(mutant))))

    check()


def test_each_kind_is_accounted_for_in_the_documentation() -> None:
    rows = {line.split("|")[1].strip() for line in DOCUMENT.read_text().splitlines() if "|" in line}
    assert {kind.name for kind in KINDS} - rows == set()
