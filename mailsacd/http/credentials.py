"""Finds the API key in a request and learns from mail.auth whose it is. Keys are never logged."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mailsacd.core.errors import UnauthenticatedError
from mailsacd.mail.auth import ANYONE, Actor, Authenticator

KEY_HEADER: Final = "Mailsac-Key"
KEY_FIELD: Final = "_mailsacKey"
MAX_KEY_CHARACTERS: Final = 200


def presented_key(
    header: bytes | None, query: Mapping[bytes, Sequence[bytes]], body: Mapping[str, Any]
) -> str | None:
    """The key in the header, the query or the body, in this order; None when all are empty.

    Raises UnauthenticatedError for what cannot be a key.
    """
    key: Any = header and header.decode("utf-8", "replace")
    if not key and query:
        values = query.get(KEY_FIELD.encode())
        key = values[-1].decode("utf-8", "replace") if values else None
    if not key and body:
        key = body.get(KEY_FIELD)
    if not key:
        return None
    if not isinstance(key, str) or len(key) > MAX_KEY_CHARACTERS:
        raise UnauthenticatedError("The API key is not known here")
    return key


async def identify(
    authenticator: Authenticator,
    header: bytes | None,
    query: Mapping[bytes, Sequence[bytes]],
    body: Mapping[str, Any],
) -> Actor:
    """Who asks. Raises UnauthenticatedError for a key that is wrong, even where none is needed."""
    key = presented_key(header, query, body)
    return ANYONE if key is None else await authenticator.authenticate(key)
