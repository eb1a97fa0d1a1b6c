"""Parameters of pages: segments of their paths, and what their queries ask for."""

from collections.abc import Callable
from typing import Any, Final

from mailsacd.http.api.parameters import Parameter, text_up_to, yes_or_no

MAX_CHARACTERS: Final = 500


def in_path(name: str) -> Parameter:
    """A segment of the path, of MAX_CHARACTERS at most."""
    return Parameter(
        name=name, where="path", description="", schema={}, convert=text_up_to(MAX_CHARACTERS)
    )


def asked(name: str, convert: Callable[[str], Any], default: Any) -> Parameter:
    """What a page is asked for in its query; ``default`` where it is not."""
    return Parameter(
        name=name, where="query", description="", schema={}, convert=convert, default=default
    )


def in_query(name: str, default: Any = "", most: int = MAX_CHARACTERS) -> Parameter:
    """A text of the query, of ``most`` characters at most; ``default`` where it is empty."""
    return asked(name, text_up_to(most), default)


def flag(name: str) -> Parameter:
    """Whether something is asked for in the query."""
    return asked(name, yes_or_no, default=False)
