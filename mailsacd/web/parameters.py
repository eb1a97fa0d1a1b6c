"""Parameters of pages: segments of their paths, and what their queries ask for."""

from typing import Any, Final

from mailsacd.http.api.parameters import Parameter, text_up_to, whole_number

MAX_CHARACTERS: Final = 500
MAX_SKIPPED: Final = 100_000


def in_path(name: str) -> Parameter:
    """A segment of the path, of MAX_CHARACTERS at most."""
    return Parameter(
        name=name, where="path", description="", schema={}, convert=text_up_to(MAX_CHARACTERS)
    )


def in_query(name: str, default: Any = "", most: int = MAX_CHARACTERS) -> Parameter:
    """A text of the query, of ``most`` characters at most; ``default`` where it is empty."""
    return Parameter(
        name=name,
        where="query",
        description="",
        schema={},
        convert=text_up_to(most),
        default=default,
    )


SKIP: Final = Parameter(
    name="skip",
    where="query",
    description="",
    schema={},
    convert=whole_number(MAX_SKIPPED),
    default=0,
)
"""How many of a list come on the pages before this one."""
