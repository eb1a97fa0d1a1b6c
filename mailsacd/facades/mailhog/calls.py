"""MailHog's calls: lists, searches, single messages and their deletion."""

from collections.abc import Iterable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import msgspec

from mailsacd.core.actor import Actor
from mailsacd.core.errors import InvalidInputError, NotFoundError
from mailsacd.facades.mailhog.forms import message_json, part_content
from mailsacd.facades.routes import query_number, query_text, route
from mailsacd.facades.searches import Searches
from mailsacd.http.api.disposition import attachment_disposition
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.server.answer import Response, json_response, problem
from mailsacd.mail.reading.all_mail import AllMail, Mail
from mailsacd.mime.trace import end_of_trace
from mailsacd.work.threads import Lane

MAX_PAGE_BYTES: Final = 4_194_304
"""So many bytes of messages are in an answer, which is larger in JSON; but always one message."""
MAX_LIMIT: Final = 250

_TEXT_JSON: Final = b"text/json"
_ONE: Final = "/api/v1/messages/{id}"
_JIM: Final = "Jim is not here: mailsacd does not answer mail at random"
_RELEASE: Final = "Nothing is released here: see POST /api/outgoing-messages of mailsacd"
_PAGE: Final = (
    query_number("start", 0, least=1),
    query_number("limit", 50, least=1, most=MAX_LIMIT),
)


class MailHogCalls:
    """The handlers of these calls, and their declarations."""

    def __init__(self, all_mail: AllMail, searches: Searches, lane: Lane) -> None:
        """Who a message is from and to is looked at in ``lane``."""
        self._mail = all_mail
        self._searches = searches
        self._lane = lane

    def operations(self) -> tuple[Operation, ...]:
        """Declare the calls but that for events."""
        jim = "/api/v2/jim"
        return (
            route("GET", "/api/v1/messages", self.list_all),
            route("DELETE", "/api/v1/messages", self.delete_all),
            route("GET", _ONE, self.get),
            route("DELETE", _ONE, self.delete),
            route("GET", f"{_ONE}/download", self.download),
            route("GET", f"{_ONE}/mime/part/{{part}}/download", self.download_part),
            route("POST", f"{_ONE}/release", self.release),
            route("GET", "/api/v2/messages", self.page, *_PAGE),
            route("GET", "/api/v2/search", self.search, query_text("kind"), query_text("query"),
                  *_PAGE),
            route("GET", "/api/v2/outgoing-smtp", self.outgoing),
            *(route(method, jim, self.jim) for method in ("GET", "POST", "PUT", "DELETE")),
        )  # fmt: skip

    async def list_all(self, call: Call) -> Response:
        """Answer with all messages, newest first."""
        mails = await self._mail.newest(call.actor)
        shown = await self._shown(call.actor, mails)
        return _as_text_json(shown)

    async def page(self, call: Call) -> Response:
        """Answer with a page of all messages."""
        mails = await self._mail.newest(call.actor)
        return await self._page(call, mails)

    async def search(self, call: Call) -> Response:
        """Answer with a page of what has a text: in ``from`` or ``to``, or ``containing`` it."""
        kind, query = call["kind"], call["query"].lower()
        if kind not in ("from", "to", "containing") or not query:
            raise InvalidInputError("kind is from, to or containing, and query is a text")
        mails = await self._mail.newest(call.actor)
        if kind == "containing":
            found = await self._containing(call.actor, mails, query)
        else:
            found = await self._lane.run_in_thread(partial(_named, mails, kind, query))
        return await self._page(call, found)

    async def get(self, call: Call) -> Response:
        """Answer with one message."""
        mail = await self._mail.find(call.actor, call["id"])
        return Response(await self._mail.with_raw(call.actor, mail, message_json), _TEXT_JSON)

    async def download(self, call: Call) -> Response:
        """Answer with one message as a file."""
        mail = await self._mail.find(call.actor, call["id"])
        saved = (b"Content-Disposition", attachment_disposition(f"{mail.id}.eml"))
        raw = await self._mail.raw(call.actor, mail)
        return Response(raw, b"message/rfc822", headers=(saved,))

    async def download_part(self, call: Call) -> Response:
        """Answer with a part of one message, by its place in ``MIME.Parts``, as a file."""
        mail = await self._mail.find(call.actor, call["id"])
        place = call["part"]
        content = await self._mail.with_raw(call.actor, mail, partial(part_content, place))
        saved = attachment_disposition(f"{mail.id}-part-{place}")
        return Response(
            content, b"application/octet-stream", headers=((b"Content-Disposition", saved),)
        )

    async def delete(self, call: Call) -> Response:
        """Delete one message, in all its inboxes."""
        await self._mail.delete(call.actor, (await self._mail.find(call.actor, call["id"]),))
        return Response(b"", _TEXT_JSON)

    async def delete_all(self, call: Call) -> Response:
        """Delete all messages that the caller sees."""
        await self._mail.delete_all(call.actor)
        return Response(b"", _TEXT_JSON)

    async def release(self, _: Call) -> Response:
        """Answer that nothing is sent on."""
        return problem(HTTPStatus.NOT_IMPLEMENTED, _RELEASE)

    async def outgoing(self, _: Call) -> Response:
        """Answer that there are no servers to release messages to."""
        return json_response({})

    async def jim(self, _: Call) -> Response:
        """Answer that there is no Jim, as MailHog does where he is off."""
        return problem(HTTPStatus.NOT_FOUND, _JIM)

    async def _page(self, call: Call, found: Sequence[Mail]) -> Response:
        start = call["start"]
        items = await self._shown(call.actor, found[start : start + call["limit"]])
        return _as_text_json(
            {"total": len(found), "count": len(items), "start": start, "items": items}
        )

    async def _shown(self, actor: Actor, mails: Iterable[Mail]) -> list[msgspec.Raw]:
        """Those that are there still in JSON, up to MAX_PAGE_BYTES of messages."""
        shown: list[msgspec.Raw] = []
        left = MAX_PAGE_BYTES
        for mail in mails:
            left -= mail.first.size
            if left < 0 and shown:
                break
            try:
                shown.append(msgspec.Raw(await self._mail.with_raw(actor, mail, message_json)))
            except NotFoundError:
                continue
        return shown

    async def _containing(self, actor: Actor, mails: Iterable[Mail], query: str) -> list[Mail]:
        """Those of ``mails`` that are there still and have the text. Raises OverloadedError."""
        wanted = query.encode()

        async def look(mail: Mail) -> Mail | None:
            try:
                has = await self._mail.with_raw(actor, mail, partial(_contains, wanted))
            except NotFoundError:
                return None
            return mail if has else None

        return await self._searches.among(mails, look)


def _contains(wanted: bytes, _: Mail, raw: bytes) -> bool:
    return wanted in raw[end_of_trace(raw) :].lower()


def _named(mails: Iterable[Mail], kind: str, query: str) -> list[Mail]:
    """Those that are ``from`` or ``to`` somebody of whose name or address ``query`` is a part."""

    def has(mail: Mail) -> bool:
        people = (mail.first.sender if kind == "from" else mail.first.to) or ()
        inboxes = (each.original_inbox for each in mail.copies if kind == "to")
        named = (*(f"{each.name} <{each.address}>" for each in people), *inboxes)
        return any(query in name.lower() for name in named)

    return [mail for mail in mails if has(mail)]


def _as_text_json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), _TEXT_JSON)
