"""Posts to URLs that users choose, and tells how it went. No redirect is followed."""

from collections.abc import Mapping
from typing import Any, Final

from OpenSSL import SSL
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.defer import ensureDeferred

from mailsacd.core.delivery import Attempt
from mailsacd.core.errors import MailsacdError
from mailsacd.core.http_url import parse_http_url
from mailsacd.core.retry_after import retry_after_s
from mailsacd.outbound.guard import Guard
from mailsacd.outbound.http_request import RequestFailedError, Requests, request_head

LINGER_S: Final = 1.0
"""After the headers of an answer, its sender has so long to send the rest, and to hang up."""


class Poster:
    """``timeout_s`` is for a whole request, from the question to the DNS to the answer."""

    def __init__(
        self, guard: Guard, context: SSL.Context, reactor: Any, *, agent: str, timeout_s: float
    ) -> None:
        self._requests = Requests(guard, context, reactor)
        self._reactor = reactor
        self._agent = agent
        self._timeout_s = timeout_s

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Attempt:
        """POST ``body`` as JSON, once. Never raises for what the receiver does."""
        posting = ensureDeferred(self._post(url, body, headers))
        posting.addTimeout(self._timeout_s, self._reactor)
        try:
            return await posting
        except DeferredTimeoutError:
            return Attempt(None, f"No answer within {self._timeout_s:g} seconds")
        except MailsacdError as e:
            return Attempt(None, e.public)
        except RequestFailedError as e:
            return Attempt(None, str(e))

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Attempt:
        try:
            to = parse_http_url(url)
        except ValueError as e:
            raise RequestFailedError(f"The URL {e}") from e
        fields = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Accept": "*/*",
            "Connection": "close",
            "User-Agent": self._agent,
            **headers,
        }
        request = request_head("POST", to, fields) + body
        answer = await self._requests.ask(to, request, linger_s=LINGER_S)
        wait_s = retry_after_s(answer.field("Retry-After"), self._reactor.seconds())
        return Attempt(answer.status, retry_after_s=wait_s)
