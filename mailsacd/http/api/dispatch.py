"""From a request and its operation to the answer: who asks, what for, and what comes of it."""

from functools import partial
from http import HTTPStatus
from typing import Any, Final

from twisted.internet.defer import CancelledError

from mailsacd.core.actor import ANYONE
from mailsacd.core.errors import ForbiddenError, RateLimitError
from mailsacd.http.api.bodies import struct_of
from mailsacd.http.api.codec import error_response, read_body
from mailsacd.http.api.credentials import (
    Callers,
    identify,
    key_header,
    presented_key,
    session_token,
    user_agent,
)
from mailsacd.http.api.operation import Call, Handler, Operation
from mailsacd.http.api.rate_headers import ThrottlesCalls, rate_headers
from mailsacd.http.api.representation import is_large, represented, tagged
from mailsacd.http.server.answer import Later, Problem, Response, Streamed
from mailsacd.http.server.origins import Origins
from mailsacd.http.server.proxies import Proxies
from mailsacd.http.server.request import READS, Request
from mailsacd.work.threads import Lane

_OK: Final = int(HTTPStatus.OK)
_UNKNOWN_PAGE: Final = (
    "Pages of sites that are not known to be this server's may not call this. "
    "If it is a page of this server: see http.public_url"
)


class Dispatch:
    """Has requests answered by the handlers of operations.

    ``authenticator`` knows who calls; ``proxies`` tell which IP address a request came from, and
    where its client sees the server. Large answers are compressed in ``lane``. ``throttle`` says
    when who calls too fast is answered.
    """

    def __init__(
        self,
        authenticator: Callers,
        proxies: Proxies,
        lane: Lane,
        throttle: ThrottlesCalls | None = None,
    ) -> None:
        self._authenticator = authenticator
        self._proxies = proxies
        self._origins = Origins(proxies)
        self._lane = lane
        self._throttle = throttle

    async def answer(
        self, operation: Operation, handler: Handler, request: Request, segments: dict[str, str]
    ) -> None:
        """Answer ``request``, whose path has these ``segments`` for parameters. Raises nothing.

        Reading for a client that hangs up is given up; what it has asked to be changed is not.
        Nor is finding out who asks: others may wait for the same.
        """
        response: Response | Streamed | Later
        try:
            call = await self._read(operation, request, segments)
            if request.method in READS:
                response = await self._what_is_read(operation, handler, request, call)
            else:
                response = await handler(call)
        except CancelledError as e:
            if request.gone:
                return
            response = error_response(e, operation.id, request.id)
        except Exception as e:  # noqa: BLE001  the end of the line: every error is answered
            if isinstance(e, RateLimitError):
                request.rates = rate_headers(e.standing)
            response = error_response(e, operation.id, request.id)
        if operation.dialect is not None and isinstance(response, Problem):
            response = operation.dialect.refusal(response, request.content.getvalue())
        request.answer(response)

    async def _what_is_read(
        self, operation: Operation, handler: Handler, request: Request, call: Call
    ) -> Response | Streamed | Later:
        response = await request.while_wanted(handler(call))
        if isinstance(response, Streamed | Later) or response.status != _OK or operation.open:
            return response
        if not is_large(response):
            return tagged(response, request)
        working = represented(response, request, self._lane, may_compress=not operation.echoes)
        return await request.while_wanted(working)

    async def _read(self, operation: Operation, request: Request, segments: dict[str, str]) -> Call:
        query: dict[bytes, list[bytes]] = request.args or {}
        peer = self._proxies.peer(request)
        actor, key = ANYONE, None
        body: dict[str, Any] = {}
        if not operation.open:
            if operation.dialect is None:
                body = await self._body(request)
            elif not self._origins.is_known(request):
                raise ForbiddenError(_UNKNOWN_PAGE)
            header = key_header(request, or_bearer=operation.dialect is not None)
            presented = presented_key(header, query, body)
            actor, key = await identify(
                self._authenticator, self._origins, request, presented, peer
            )
            request.actor = actor
            if self._throttle is not None:
                request.rates = rate_headers(await self._throttle.call(peer, actor.account))
            operation.admit(actor)
            actor = actor.at(peer)
        values = operation.read(segments, query, request.getHeader)
        given = None if operation.body is None else struct_of(operation.body, body)
        return Call(
            actor,
            values,
            given,
            peer=peer,
            session=session_token(request),
            secure=self._proxies.is_secure(request) or self._proxies.public.is_secure,
            origin=self._proxies.origin(request),
            prefix=self._proxies.prefix(request),
            agent="" if request.method in READS else user_agent(request),
            request=request.id,
            key=key,
            fields=body,
            content=b"" if operation.dialect is None else request.content.getvalue(),
            header=request.getHeader,
            cookie=request.getCookie,
            while_wanted=request.while_wanted,
        )

    async def _body(self, request: Request) -> dict[str, Any]:
        """Its fields. Raises InvalidInputError."""
        if not request.body_bytes:
            return {}
        read = partial(read_body, request.content.read(), request.getHeader(b"Content-Type"))
        return await self._lane.run(request.body_bytes, read)
