"""Finds what proves who asks, and learns from mail.accounts.auth who it is.

That is an API key, or the session cookie. Neither is ever logged.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from mailsacd.core.actor import ANYONE, Actor
from mailsacd.core.errors import ForbiddenError, UnauthenticatedError
from mailsacd.http.server.origins import Origins
from mailsacd.http.server.request import READS, Request

KEY_HEADER: Final = "Mailsac-Key"
KEY_FIELD: Final = "_mailsacKey"
SESSION_COOKIE: Final = b"mailsacd_session"
MAX_KEY_CHARACTERS: Final = 200

_FOREIGN: Final = (
    "Pages of other sites may not write here without an API key. "
    "If it is a page of this server: see http.public_url and http.proxy_networks"
)
_KEY_HEADER: Final = KEY_HEADER.encode()
_BEARER: Final = re.compile(rb"bearer +([!-~]+) *\Z", re.IGNORECASE)


def key_header(request: Request, *, or_bearer: bool = False) -> bytes | None:
    """The key in the header of ``request``; if ``or_bearer``, a bearer token where there is none.

    A token may be that of a proxy before us, so it is looked at where a protocol wants that alone.
    """
    key: bytes | None = request.getHeader(_KEY_HEADER)
    if key or not or_bearer:
        return key
    found = _BEARER.match(request.getHeader(b"Authorization") or b"")
    return found[1] if found else None


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


class Callers(Protocol):
    """Finds out who calls (mail.accounts.auth)."""

    async def authenticate(self, key: str, peer: str = "") -> Actor:
        """The actor that an API key belongs to. Raises UnauthenticatedError, ThrottledError."""

    async def session(self, token: str) -> Actor | None:
        """The actor that has signed in with that token; None when the session is over."""


async def identify(
    authenticator: Callers,
    origins: Origins,
    request: Request,
    key: str | None,
    peer: str,
) -> tuple[Actor, str | None]:
    """Who asks from the IP address ``peer`` with an API ``key``; without one, by session cookie.

    Raises UnauthenticatedError for a key that is wrong, even where none is needed; ForbiddenError
    for a write that a page has a browser make which is foreign to ``origins``; and ThrottledError.
    A session that is over counts for nothing: what needs none goes on to work.
    """
    if key is not None:
        return await authenticator.authenticate(key, peer), key
    if request.method not in READS and origins.is_foreign(request):
        raise ForbiddenError(_FOREIGN)
    token = session_token(request)
    return ANYONE if token is None else await authenticator.session(token) or ANYONE, None


def session_token(request: Request) -> str | None:
    """The value of the session cookie that ``request`` came with; None without one."""
    cookie: bytes | None = request.getCookie(SESSION_COOKIE)  # type: ignore[no-untyped-call]
    return cookie.decode("latin-1") if cookie else None


def user_agent(request: Request) -> str:
    """What ``request`` says of the program that makes it; empty where it says nothing."""
    return (request.getHeader(b"User-Agent") or b"").decode("latin-1")
