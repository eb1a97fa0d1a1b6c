"""The calls about messages. What they may see and do is decided in mail.reading.mailbox."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from mailsacd.http.api import schemas
from mailsacd.http.api.disposition import attachment_disposition
from mailsacd.http.api.operation import Answer, Call, Operation
from mailsacd.http.api.parameters import (
    DOWNLOAD,
    EMAIL,
    HEADERS_FORMAT,
    LIMIT,
    MESSAGE_ID,
    PURGE_LIMIT,
    SINCE,
    SKIP,
    UNTIL,
)
from mailsacd.http.server.answer import HTML, JSON, TEXT, Response, json_response, text_bytes
from mailsacd.mail.reading.mailbox import Mailbox, Page
from mailsacd.mime.parse import ParsedMessage
from mailsacd.mime.sanitise import page_as_sent, sanitised_page
from mailsacd.mime.trace import header_section

_TAG: Final = "Messages"
_REFUSALS: Final = (400, 401, 403, 503)
_operation = partial(Operation, tag=_TAG, refusals=_REFUSALS, within_scope=True)
_REFUSALS_OF_ONE: Final = (*_REFUSALS, 404)

# What a message contains runs nothing on our origin: no scripts, forms, frames or plug-ins.
_SANDBOX: Final = b"sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"
_AS_SENT: Final = _SANDBOX + b"; img-src data: http: https:; font-src data:"


class MessageCalls:
    """The handlers of the calls about messages, and their declarations."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls about messages."""
        return (
            *self._of_an_inbox(),
            self._counting(),
            *self._of_a_message(),
            *self._renderings(),
            *self._headers(),
        )

    def _of_an_inbox(self) -> tuple[Operation, ...]:
        return (
            _operation(
                method="GET",
                path="/api/addresses/{email}/messages",
                id="listMessages",
                summary="The messages of an inbox, newest first",
                parameters=(EMAIL, UNTIL, SINCE, LIMIT, SKIP),
                answers=(
                    schemas.json_answer("The list", schemas.list_of(schemas.named("Message"))),
                ),
                handler=self.list,
            ),
            _operation(
                method="DELETE",
                path="/api/addresses/{email}/messages",
                id="purgeMessages",
                summary="Delete the messages of an address of your own, except starred ones",
                description="All of them, or the newest `limit` of those received before `until`. "
                "401 for an address that is neither the account's nor under a domain of it.",
                parameters=(EMAIL, UNTIL, PURGE_LIMIT),
                answers=(Answer(status=204, description="They are gone", schemas={}),),
                handler=self.purge,
            ),
        )

    def _counting(self) -> Operation:
        return _operation(
            method="GET",
            path="/api/addresses/{email}/message-count",
            id="countMessages",
            summary="How many messages an inbox has",
            parameters=(EMAIL,),
            answers=(schemas.json_answer("The number", schemas.named("MessageCount")),),
            handler=self.count,
        )

    def _of_a_message(self) -> tuple[Operation, ...]:
        return (
            _operation(
                method="GET",
                path="/api/addresses/{email}/messages/{messageId}",
                id="getMessage",
                summary="One message, in the form that lists have",
                parameters=(EMAIL, MESSAGE_ID, DOWNLOAD),
                answers=(schemas.json_answer("The message", schemas.named("Message")),),
                refusals=_REFUSALS_OF_ONE,
                handler=self.get,
            ),
            _operation(
                method="DELETE",
                path="/api/addresses/{email}/messages/{messageId}",
                id="deleteMessage",
                summary="Delete one message; anyone may, from a public inbox",
                parameters=(EMAIL, MESSAGE_ID),
                answers=(schemas.json_answer("It is gone", schemas.named("Deletion")),),
                refusals=_REFUSALS_OF_ONE,
                handler=self.delete,
            ),
        )

    def _renderings(self) -> tuple[Operation, ...]:
        def operation(
            name: str, media_type: str, summary: str, handler: Callable[[Call], Any]
        ) -> Operation:
            return _operation(
                method="GET",
                path=f"/api/{name}/{{email}}/{{messageId}}",
                id=f"get{name.capitalize()}",
                summary=summary,
                parameters=(EMAIL, MESSAGE_ID, DOWNLOAD),
                answers=(schemas.media_answer(summary, media_type),),
                refusals=_REFUSALS_OF_ONE,
                handler=handler,
            )

        return (
            operation("text", "text/plain", "The text of a message", self.text),
            operation("body", "text/html", "Its HTML without what acts or loads", self.body),
            operation("dirty", "text/html", "Its HTML as it was sent", self.dirty),
            operation("raw", "text/plain", "Its bytes as they are stored", self.raw),
        )

    def _headers(self) -> tuple[Operation, ...]:
        def operation(
            path: str, operation_id: str, by_name: str, handler: Callable[[Call], Any]
        ) -> Operation:
            forms = [schemas.named(by_name), schemas.named("HeaderFields")]
            return _operation(
                method="GET",
                path=path,
                id=operation_id,
                summary="The header fields of a message",
                parameters=(EMAIL, MESSAGE_ID, HEADERS_FORMAT, DOWNLOAD),
                answers=(
                    Answer(
                        status=200,
                        description="The fields, in the form asked for",
                        schemas={
                            "application/json": {"oneOf": forms},
                            "text/plain": schemas.STRING,
                        },
                    ),
                ),
                refusals=_REFUSALS_OF_ONE,
                handler=handler,
            )

        of_message = "/api/addresses/{email}/messages/{messageId}/headers"
        return (
            operation(
                "/api/headers/{email}/{messageId}",
                "getHeaders",
                "OlderHeaders",
                partial(self.headers, by_name=_headers_of_old),
            ),
            operation(
                of_message,
                "getMessageHeaders",
                "Headers",
                partial(self.headers, by_name=_headers_by_name),
            ),
        )

    async def list(self, call: Call) -> Response:
        """A text that the database made: nothing is parsed here."""
        page = Page(
            limit=call["limit"],
            skip=call["skip"],
            since_ms=call["since"],
            until_ms=call["until"],
        )
        return Response((await self._mailbox.list_json(call.actor, call["email"], page)).encode())

    async def count(self, call: Call) -> Response:
        """Answer with the number of messages of an inbox: ``{count, inbox}``."""
        count, inbox = await self._mailbox.count(call.actor, call["email"])
        return json_response({"count": count, "inbox": inbox})

    async def purge(self, call: Call) -> Response:
        """Delete the messages of an inbox but for starred ones, and answer 204."""
        await self._mailbox.purge(
            call.actor, call["email"], until_ms=call["until"], limit=call["limit"]
        )
        return Response(status=204)

    async def get(self, call: Call) -> Response:
        """Answer with one message, in the form that lists have."""
        message = await self._mailbox.get(call.actor, call["email"], call["messageId"])
        return _answer(call, message.as_json(), JSON, ".json")

    async def delete(self, call: Call) -> Response:
        """Delete one message, and answer with its id and inbox: ``{message, _id, inbox}``."""
        message_id = call["messageId"]
        inbox = await self._mailbox.delete(call.actor, call["email"], message_id)
        return json_response({"message": "Message was deleted.", "_id": message_id, "inbox": inbox})

    async def text(self, call: Call) -> Response:
        """Answer with the text of a message, or a text made from its HTML."""
        text = await self._mailbox.text(call.actor, call["email"], call["messageId"])
        return _answer(call, text_bytes(text), TEXT, ".txt")

    async def body(self, call: Call) -> Response:
        """Answer with the message's HTML without what acts or loads anything."""
        content = await self._view(call, _body)
        return _answer(call, content, HTML, ".html", _SANDBOX)

    async def dirty(self, call: Call) -> Response:
        """Answer with the message's HTML as it was sent, in a sandbox."""
        content = await self._view(call, _dirty)
        return _answer(call, content, HTML, ".html", _AS_SENT)

    async def raw(self, call: Call) -> Response:
        """The stored bytes; the charset is a guess that mail of today mostly bears out."""
        content = await self._mailbox.raw(call.actor, call["email"], call["messageId"])
        return _answer(call, content, TEXT, ".eml")

    async def headers(self, call: Call, *, by_name: Callable[[ParsedMessage], bytes]) -> Response:
        """Answer with the header fields of a message, in the form that was asked for.

        ``by_name`` makes the form ``json``.
        """
        form = call["messageHeadersFormat"]
        if form == "plain":
            raw = await self._mailbox.raw(call.actor, call["email"], call["messageId"])
            return _answer(call, header_section(raw), TEXT, ".headers.txt")
        ordered = form == "json-ordered"
        fields = await self._view(call, _ordered_headers if ordered else by_name)
        return _answer(call, fields, JSON, ".headers.json")

    async def _view(self, call: Call, view: Callable[[ParsedMessage], bytes]) -> bytes:
        return await self._mailbox.view(call.actor, call["email"], call["messageId"], view)


def _answer(
    call: Call, content: bytes, content_type: bytes, suffix: str, policy: bytes = b""
) -> Response:
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if policy:
        headers = ((b"Content-Security-Policy", policy), (b"Referrer-Policy", b"no-referrer"))
    if call["download"]:
        name = attachment_disposition(call["messageId"] + suffix)
        headers = (*headers, (b"Content-Disposition", name))
    return Response(content, content_type, headers=headers)


# These run in a thread when the message is large: they touch nothing but their argument.


def _body(parsed: ParsedMessage) -> bytes:
    return text_bytes(sanitised_page(parsed))


def _dirty(parsed: ParsedMessage) -> bytes:
    return text_bytes(page_as_sent(parsed))


def _headers_by_name(parsed: ParsedMessage) -> bytes:
    return json_response(_values_by_name(parsed)).body


def _headers_of_old(parsed: ParsedMessage) -> bytes:
    """A field that is there once is a text."""
    fields = _values_by_name(parsed)
    return json_response({n: v if len(v) > 1 else v[0] for n, v in fields.items()}).body


def _values_by_name(parsed: ParsedMessage) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in parsed.headers:
        fields.setdefault(name.lower(), []).append(value)
    return fields


def _ordered_headers(parsed: ParsedMessage) -> bytes:
    fields = [{"name": name.lower(), "value": value} for name, value in parsed.headers]
    return json_response(fields).body
