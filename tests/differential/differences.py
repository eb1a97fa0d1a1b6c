"""Where parsers say something else of a message than mailsacd does."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from tests.differential.view import View

FIELDS: Final = View.__struct_fields__


class Difference(NamedTuple):
    """One parser that says something else of one field of a message.

    ``agree`` are all the parsers that say the same as this one, itself included.
    """

    message: str
    content: bytes
    field: str
    parser: str
    views: Mapping[str, View]
    ours: View
    agree: tuple[str, ...]

    @property
    def here(self) -> Any:
        """What mailsacd says."""
        return said(self.ours, self.field)

    @property
    def there(self) -> Any:
        """What the other parser says."""
        return said(self.views[self.parser], self.field)


def differences(
    message: str, content: bytes, ours: View, views: Mapping[str, View]
) -> Iterator[Difference]:
    """Yield where one of ``views``, which are by parser, differs from ``ours``.

    ``message`` is the name of the message, ``content`` is the message. Of links those alone count
    that mailsacd does not have: it has those of texts and of pictures, too.
    """
    for field in FIELDS:
        here = said(ours, field)
        all_there = {parser: said(view, field) for parser, view in views.items()}
        for parser, there in all_there.items():
            if there is None or there == here or (field == "links" and set(there) <= set(here)):
                continue
            agree = tuple(other for other, value in all_there.items() if value == there)
            yield Difference(message, content, field, parser, views, ours, agree)


def said(view: View, field: str) -> Any:
    """Return the value of a field; texts are without empty lines around them."""
    value = getattr(view, field)
    return value.strip("\n") if field in ("text", "html") and value is not None else value
