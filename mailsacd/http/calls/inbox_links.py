"""The calls about links to inboxes, and those by which a link's inbox is read.

The latter are the calls about messages, with the inbox and the reader that the link stands for.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from mailsacd.core.token import iso_time_from_ms
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Answer, Call, Operation
from mailsacd.http.api.parameters import (
    DOWNLOAD,
    EMAIL,
    LIMIT,
    MESSAGE_ID,
    SINCE,
    SKIP,
    UNTIL,
    Parameter,
)
from mailsacd.http.calls.messages import MessageCalls
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.reading.inbox_links import MAX_HOURS, InboxLinks

_operation = partial(Operation, tag="Links")
_LINK: Final = "/api/links/{linkToken}/messages"

LINK_TOKEN: Final = Parameter(
    name="linkToken",
    where="path",
    description="The `token` of a link.",
    schema={"type": "string"},
    convert=str,
)
_MADE: Final = schemas.object_of(
    {
        "url": {"type": "string", "description": "The page that shows the inbox"},
        "token": schemas.STRING,
        "inbox": schemas.STRING,
        "expires": schemas.TIME,
    }
)


class NewLinkBody(msgspec.Struct, frozen=True, kw_only=True):
    """For how many hours a link is good."""

    hours: Annotated[int, Meta(ge=1, le=MAX_HOURS)] = 24


class InboxLinkCalls:
    """The handlers of these calls, and their declarations. Messages are read by ``messages``."""

    def __init__(self, links: InboxLinks, messages: MessageCalls) -> None:
        self._links = links
        self._messages = messages

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls about links."""
        return (*self._changing(), *self._reading())

    def _changing(self) -> tuple[Operation, ...]:
        return (
            _operation(
                method="POST",
                path="/api/addresses/{email}/links",
                id="createInboxLink",
                summary="A link by which whoever has it reads the inbox for a while",
                description="Of an address of the account's own; with the key of a run, of one of "
                "the run.",
                parameters=(EMAIL,),
                body=NewLinkBody,
                within_scope=True,
                answers=(schemas.json_answer("The link", _MADE),),
                refusals=(400, 401, 403, 503),
                handler=self.make,
            ),
            _operation(
                method="DELETE",
                path="/api/links",
                id="endInboxLinks",
                summary="End all links to inboxes of the account",
                answers=(Answer(status=204, description="None is good any more", schemas={}),),
                refusals=(401, 403, 503),
                handler=self.end_all,
            ),
        )

    def _reading(self) -> tuple[Operation, ...]:
        messages = self._messages

        def reading(
            path: str,
            operation_id: str,
            summary: str,
            answer: Answer,
            handler: Callable[[Call], Awaitable[Response]],
        ) -> Operation:
            in_list = path == _LINK
            listed, single = (UNTIL, SINCE, LIMIT, SKIP), (MESSAGE_ID, DOWNLOAD)
            return _operation(
                method="GET",
                path=path,
                id=operation_id,
                summary=summary,
                parameters=(LINK_TOKEN, *(listed if in_list else single)),
                answers=(answer,),
                refusals=(400, 404, 503),
                handler=partial(self._read, handler),
            )

        many = schemas.list_of(schemas.named("Message"))
        one = f"{_LINK}/{{messageId}}"
        return (
            reading(_LINK, "listLinkedMessages", "The messages of the inbox that a link leads to",
                    schemas.json_answer("The list", many), messages.list),
            reading(one, "getLinkedMessage", "One of them",
                    schemas.json_answer("The message", schemas.named("Message")), messages.get),
            reading(f"{one}/text", "getLinkedText", "Its text",
                    schemas.media_answer("Its text", "text/plain"), messages.text),
            reading(f"{one}/body", "getLinkedBody", "Its HTML without what acts or loads",
                    schemas.media_answer("Its HTML", "text/html"), messages.body),
            reading(f"{one}/raw", "getLinkedRaw", "Its bytes as they are stored",
                    schemas.media_answer("Its bytes", "text/plain"), messages.raw),
        )  # fmt: skip

    async def make(self, call: Call) -> Response:
        """Answer with a new link."""
        link, token = await self._links.make(call.actor, call["email"], call.body.hours)
        return json_response(
            {
                "url": f"{call.origin}{call.prefix}/shared/{token}",
                "token": token,
                "inbox": link.inbox,
                "expires": iso_time_from_ms(link.expires * 1000),
            }
        )

    async def end_all(self, call: Call) -> Response:
        """End all links of the account, and answer 204."""
        await self._links.end_all(call.actor)
        return Response(b"", status=204)

    async def _read(self, handler: Callable[[Call], Awaitable[Response]], call: Call) -> Response:
        """Answer as ``handler`` does whoever owns the inbox, whoever it is that calls."""
        actor, inbox = await self._links.look_through(call["linkToken"])
        return await handler(replace(call, actor=actor, values={**call.values, "email": inbox}))
