"""Where people find the server: an origin, and perhaps a path below which all of it is.

That path is the prefix of every URL that the server makes: ``/mail`` where it is found at
``https://team.example/mail``.
"""

import re
from typing import Final, NamedTuple

MAX_PREFIX_CHARACTERS: Final = 100

# Of RFC 3986's segments those that need no encoding anywhere: in HTML, headers or cookies
_PREFIX: Final = r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]+)*"
_PREFIX_ALONE: Final = re.compile(rf"({_PREFIX})/?\Z")
_AUTHORITY: Final = r"(?:\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]\\\"'<>|]+)(?::[0-9]{1,5})?"
_PUBLIC_URL: Final = re.compile(rf"(https?://{_AUTHORITY})({_PREFIX})/?\Z")


class PublicUrl(NamedTuple):
    """``origin`` has no slash at its end, and ``prefix`` is empty, or begins with its only one."""

    origin: str
    prefix: str

    @property
    def is_secure(self) -> bool:
        """Whether people come by TLS."""
        return self.origin.startswith("https:")


def parse_public_url(text: str) -> PublicUrl:
    """Read a setting; a slash at its end does not matter.

    Raises ValueError for what is no URL of http or https, has more than a host, a port and a path,
    or a path of anything but letters, digits and ``-._~``, which is not what links are made with.
    """
    found = _PUBLIC_URL.match(text)
    if found is None or len(found[2]) > MAX_PREFIX_CHARACTERS:
        raise ValueError("Expected a URL as https://mail.example.com or https://team.example/mail")
    return PublicUrl(found[1], found[2])


def parse_prefix(text: str) -> str | None:
    """Read what a proxy says: the prefix without a slash at its end, empty for ``/``.

    None for an empty text, and for all that could lead elsewhere: two slashes in a row, ``..``,
    control characters, anything that is written differently in one place than in another, and
    more than 100 characters.
    """
    if not text or len(text) > MAX_PREFIX_CHARACTERS:
        return None
    found = _PREFIX_ALONE.match(text)
    return None if found is None else found[1]
