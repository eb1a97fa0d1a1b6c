"""Mailpit's calls about one message: what is in it, its parts, and how it looks."""

from functools import partial
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from mailsacd.core.errors import NotFoundError
from mailsacd.facades.mailpit import forms
from mailsacd.facades.mailpit.contents import (
    attachments_of,
    contents_of,
    headers_of,
    page_of,
)
from mailsacd.facades.mailpit.shelf import Shelf
from mailsacd.facades.routes import query_text, route
from mailsacd.http.api.disposition import attachment_disposition
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.server.answer import (
    HTML,
    TEXT,
    Headers,
    Problem,
    Response,
    json_response,
    problem,
    text_bytes,
)
from mailsacd.mail.reading.all_mail import Mail

_ONE: Final = "/api/v1/message/{id}"
_SANDBOX: Final[Headers] = (
    (
        b"Content-Security-Policy",
        b"sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
        b"img-src 'self' data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'",
    ),
    (b"Referrer-Policy", b"no-referrer"),
)
"""With what HTML of strangers is shown: no script of it runs, and it fetches nothing of others."""
_NOT_OFFERED: Final = (
    ("POST", "release", "Message relaying is disabled here: see POST /api/outgoing-messages"),
    ("GET", "html-check", "This is not offered here: see GET /api/addresses/…/checks"),
    ("GET", "link-check", "This is not offered here: see GET /api/addresses/…/checks"),
    ("GET", "sa-check", "SpamAssassin is not enabled here"),
    ("GET", "part/{partID}/thumb", "Thumbnails are not made here"),
)


class MessageCalls:
    """The handlers of these calls, and their declarations."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def operations(self) -> tuple[Operation, ...]:
        """Declare the calls about one message."""
        query = query_text("query")
        return (
            route("GET", _ONE, self.get, query),
            route("GET", f"{_ONE}/headers", self.headers, query),
            route("GET", f"{_ONE}/raw", self.raw, query, query_text("dl")),
            route("GET", f"{_ONE}/part/{{partID}}", self.part, query),
            route("GET", "/view/{file}", self.view, query),
            *(
                route(method, f"{_ONE}/{path}", _NotOffered(text))
                for method, path, text in _NOT_OFFERED
            ),
        )

    async def get(self, call: Call) -> Response:
        """Answer with all of a message, and mark it as read."""
        mail = await self._found(call)
        contents = await self._shelf.mail.view(call.actor, mail, contents_of)
        await self._shelf.mail.set_read(call.actor, (mail,), read=True)
        answering = partial(json_response, forms.whole(mail, contents))
        return await self._shelf.lane.run(mail.first.size, answering)

    async def headers(self, call: Call) -> Response:
        """Answer with the header fields of a message, each with all its values.

        Recipients of whom no field tells are in Bcc.
        """
        mail = await self._found(call)
        headers = await self._shelf.mail.view(call.actor, mail, headers_of)
        hidden = ", ".join(each.address for each in forms.bcc_of(mail))
        return json_response({"Bcc": [hidden], **headers} if hidden else headers)

    async def raw(self, call: Call) -> Response:
        """Answer with the stored bytes of a message."""
        mail = await self._found(call)
        raw = await self._shelf.mail.raw(call.actor, mail)
        saved = ((b"Content-Disposition", attachment_disposition(f"{mail.id}.eml")),)
        return Response(raw, TEXT, headers=saved if call["dl"] == "1" else ())

    async def part(self, call: Call) -> Response:
        """Answer with the content of an attachment or inline part."""
        mail = await self._found(call)
        parts = await self._shelf.mail.view(call.actor, mail, attachments_of)
        number = call["partID"]
        if not (number.isascii() and number.isdecimal() and 1 <= int(number[:9]) <= len(parts)):
            raise NotFoundError("There is no such part in this message")
        part = parts[int(number[:9]) - 1]
        name = quote(part.file_name or part.content_id or "", safe="")
        shown = (b"Content-Disposition", f'inline; filename="{name}"'.encode("ascii"))
        kind = part.content_type.encode("ascii", "replace")
        return Response(part.content, kind, headers=(shown, *_SANDBOX))

    async def view(self, call: Call) -> Response:
        """Answer with the HTML or the text of a message: `/view/ID.html`, `/view/ID.txt`."""
        message_id, _, kind = call["file"].rpartition(".")
        if kind not in ("html", "txt"):
            raise NotFoundError("There are no pages here: see those of mailsacd itself")
        mail = await self._shelf.found(call.actor, message_id, call["query"])
        contents = await self._shelf.mail.view(call.actor, mail, contents_of)
        if kind == "txt":
            return Response(text_bytes(contents.text), TEXT)
        if not contents.html:
            raise NotFoundError("This message does not contain a HTML part")
        parts_url = f"{call.prefix}/api/v1/message/{mail.id}/part/"
        making = partial(page_of, contents, parts_url)
        return Response(
            await self._shelf.lane.run(len(contents.html), making), HTML, headers=_SANDBOX
        )

    async def _found(self, call: Call) -> Mail:
        return await self._shelf.found(call.actor, call["id"], call["query"])


class _NotOffered:
    """Answers a call that is not served here, and says so."""

    def __init__(self, text: str) -> None:
        self._text = text

    async def __call__(self, _: Call) -> Problem:
        return problem(HTTPStatus.BAD_REQUEST, self._text)
