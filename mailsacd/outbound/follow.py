"""Opens links that strangers sent, and tells where they lead. Of what is there nothing is read.

It asks as a reader's browser would, with GET, and hangs up after the header of the answer. Each
redirect leads to a host that is looked at anew (`guard`): it is a URL that a stranger chose, too.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urljoin

from OpenSSL import SSL
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.defer import ensureDeferred

from mailsacd.core.errors import ForbiddenError, MailsacdError
from mailsacd.core.http_url import encoded_url, parse_http_url
from mailsacd.outbound.guard import Guard
from mailsacd.outbound.http_request import (
    RequestFailedError,
    Requests,
    TlsFailedError,
    request_head,
)

MAX_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What came of opening a link.

    ``urls`` were asked, in order: the first is the link itself. ``status`` is that of the last
    answer; None where ``error`` tells why there is none. ``stopped_before`` is the URL that a
    redirect led to, and that was not to be asked. ``tls_failed`` and ``forbidden`` say that TLS is
    why, or that the host is not on the public Internet.
    """

    urls: tuple[str, ...]
    status: int | None = None
    error: str = ""
    tls_failed: bool = False
    forbidden: bool = False
    stopped_before: str = ""


class Follower:
    """``agent`` is what it says that it is."""

    def __init__(self, guard: Guard, context: SSL.Context, reactor: Any, *, agent: str) -> None:
        self._requests = Requests(guard, context, reactor)
        self._reactor = reactor
        self._agent = agent

    async def follow(self, url: str, may_ask: Callable[[str], bool], *, timeout_s: float) -> Visit:
        """Open ``url``, and what it redirects to as long as ``may_ask`` says so of that.

        All of it takes ``timeout_s`` seconds at most, and MAX_REDIRECTS. Never raises for what the
        other side does.
        """
        path = _Path(Visit(urls=()))
        following = ensureDeferred(self._follow(path, url, may_ask))
        following.addTimeout(timeout_s, self._reactor)
        try:
            return await following
        except DeferredTimeoutError:
            return replace(path.so_far, error=f"No answer within {timeout_s:g} seconds")
        except ForbiddenError as e:
            return replace(path.so_far, error=e.public, forbidden=True)
        except MailsacdError as e:
            return replace(path.so_far, error=e.public)
        except TlsFailedError as e:
            return replace(path.so_far, error=str(e), tls_failed=True)
        except RequestFailedError as e:
            return replace(path.so_far, error=str(e))

    async def _follow(self, path: "_Path", url: str, may_ask: Callable[[str], bool]) -> Visit:
        while True:
            url = encoded_url(url)
            path.so_far = replace(path.so_far, urls=(*path.so_far.urls, url))
            status, location = await self._ask(url)
            if status not in _REDIRECTS or not location:
                return replace(path.so_far, status=status)
            url = _joined(url, location)
            if url in path.so_far.urls:
                raise RequestFailedError("It redirects in a circle, without cookies at least")
            if len(path.so_far.urls) > MAX_REDIRECTS:
                raise RequestFailedError(f"It redirects more than {MAX_REDIRECTS} times")
            if not may_ask(url):
                return replace(path.so_far, status=status, stopped_before=url)

    async def _ask(self, url: str) -> tuple[int, str]:
        try:
            to = parse_http_url(url)
        except ValueError as e:
            raise RequestFailedError(f"The URL {e}") from e
        fields = {"User-Agent": self._agent, "Accept": "*/*", "Connection": "close"}
        answer = await self._requests.ask(to, request_head("GET", to, fields), linger_s=0)
        return answer.status, answer.field("Location").strip()


def _joined(url: str, location: str) -> str:
    """Where ``location``, each character of which is a byte, leads from ``url``."""
    with suppress(UnicodeDecodeError):
        location = location.encode("latin-1").decode("utf-8")
    try:
        return encoded_url(urljoin(url, location))
    except ValueError as e:
        raise RequestFailedError("It redirects to what is no URL") from e


@dataclass(slots=True)
class _Path:
    """How far one link was followed, for when it is given up."""

    so_far: Visit
