"""What is printed of differences: each kind with a count, who says so, and one example."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.differential import ours
from tests.differential.differences import Difference, differences
from tests.differential.kinds import kind_of
from tests.differential.parsers import Parsers

_SHOWN_CHARS: Final = 100
_BEFORE_CHARS: Final = 30

Found = Mapping[str, list[Difference]]
"""Differences by their kind."""


def compare(parsers: Parsers, name: str, content: bytes) -> Iterator[tuple[str | None, Difference]]:
    """Yield each difference in how a message is seen, after its kind, or None.

    ``name`` names the message ``content`` in what is printed.
    """
    views = {parser: view(content) for parser, view in parsers.items()}
    for difference in differences(name, content, ours.view(content), views):
        yield kind_of(difference), difference


def by_kind(parsers: Parsers, messages: Mapping[str, bytes]) -> Found:
    """Return the differences in all ``messages``, which are by name.

    The kind of what is not accounted for begins with an exclamation mark where two parsers or more
    agree that mailsacd is wrong, and with a question mark where one says so alone.
    """
    found: dict[str, list[Difference]] = defaultdict(list)
    for name, content in messages.items():
        for kind, difference in compare(parsers, name, content):
            mark = "!" if is_outvoted(difference) else "?"
            found[kind or f"{mark} {difference.field}"].append(difference)
    return found


def is_outvoted(difference: Difference) -> bool:
    """Return whether several parsers agree on something that mailsacd does not say."""
    return len(difference.agree) > 1


def table(parsers: Parsers, found: Found, *, every: str | None = None) -> Iterator[str]:
    """Yield the lines of a table of ``found``, with all differences of the kind ``every``."""
    for kind, all_ in sorted(found.items()):
        messages = len({difference.message for difference in all_})
        yield f"{messages:6}  {kind}  ({', '.join(_counts(parsers, all_))})"
        once = [each for each in all_ if each.parser == each.agree[0]] or all_
        shown = once if kind == every else [min(once, key=lambda each: len(each.content))]
        for difference in shown:
            yield from _example(difference)


def _counts(parsers: Parsers, all_: list[Difference]) -> Iterator[str]:
    for parser in parsers:
        count = len({each.message for each in all_ if each.parser == parser})
        if count:
            yield f"{parser} {count}"


def _example(difference: Difference) -> Iterator[str]:
    here, there = _from_where_they_differ(difference.here, difference.there)
    who = ", ".join(difference.agree)
    width = max(len(who), len("mailsacd"))
    yield f"          {difference.message}: {difference.field}"
    yield f"            {'mailsacd':{width}}  {here}"
    yield f"            {who:{width}}  {there}"


def _from_where_they_differ(here: Any, there: Any) -> tuple[str, str]:
    one, other = repr(here), repr(there)
    pairs = enumerate(zip(one, other, strict=False))
    start = next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))
    return _window(one, start), _window(other, start)


def _window(text: str, place: int) -> str:
    start = max(0, place - _BEFORE_CHARS)
    shown = text[start : start + _SHOWN_CHARS]
    return f"{'…' if start else ''}{shown}{'…' if start + len(shown) < len(text) else ''}"
