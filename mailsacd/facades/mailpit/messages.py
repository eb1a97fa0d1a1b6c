"""Mailpit's calls about many messages: list, search, mark and delete, and their tags."""

import re
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from mailsacd.core.actor import Actor
from mailsacd.core.errors import InvalidInputError, NotFoundError
from mailsacd.core.message import MAX_LABEL_CHARACTERS, MAX_LABELS
from mailsacd.core.time_text import milliseconds_of
from mailsacd.facades.mailpit import forms
from mailsacd.facades.mailpit.events import event
from mailsacd.facades.mailpit.shelf import Shelf
from mailsacd.facades.routes import body_as, query_number, query_text, route
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.server.answer import TEXT, Response, json_response
from mailsacd.mail.reading.all_mail import Mail

DEFAULT_LIMIT: Final = 50
MAX_IDS: Final = 1_000
OK: Final = Response(b"ok", TEXT)

_PAGE: Final = (
    query_number("start", 0),
    query_number("limit", DEFAULT_LIMIT),
    query_text("before"),
)
_QUERY: Final = (query_text("query"), query_text("tz"))
_NO_QUERY: Final = "Error: no search query"
_TAG: Final = re.compile(rf"[\w\-. @+/]{{1,{MAX_LABEL_CHARACTERS}}}\Z")
_MAX_BODY_BYTES: Final = 1_048_576


class TellsChanges(Protocol):
    """Tells those who see the same mail (facades.feed)."""

    def __call__(self, actor: Actor, *frames: bytes) -> None:
        """Send ``frames`` to those who listen as ``actor`` at this process."""


class _Marked(msgspec.Struct, frozen=True):
    read: bool = False
    ids: list[str] = []
    search: str = ""


class _Deleted(msgspec.Struct, frozen=True):
    ids: list[str] | None = None


class _Tagged(msgspec.Struct, frozen=True):
    ids: list[str] = []
    tags: list[str] = []


class _Renamed(msgspec.Struct, frozen=True):
    name: str


class MessagesCalls:
    """The handlers of these calls, and their declarations."""

    def __init__(self, shelf: Shelf, tell: TellsChanges) -> None:
        """``tell`` tells those who listen with the same key of what is changed here."""
        self._shelf = shelf
        self._tell = tell

    def operations(self) -> tuple[Operation, ...]:
        """Declare the calls about many messages."""
        most = _MAX_BODY_BYTES
        messages, search, tags = "/api/v1/messages", "/api/v1/search", "/api/v1/tags"
        return (
            route("GET", messages, self.page, *_PAGE),
            route("PUT", messages, self.mark, query_text("tz"), max_body_bytes=most),
            route("DELETE", messages, self.delete, max_body_bytes=most),
            route("GET", search, self.search, *_QUERY, *_PAGE),
            route("DELETE", search, self.delete_found, *_QUERY),
            route("GET", tags, self.tags),
            route("PUT", tags, self.tag, max_body_bytes=most),
            route("PUT", f"{tags}/{{tag}}", self.rename_tag),
            route("DELETE", f"{tags}/{{tag}}", self.delete_tag),
        )

    async def page(self, call: Call) -> Response:
        """Answer with a page of all messages."""
        return await self._page(call, "")

    async def search(self, call: Call) -> Response:
        """Answer with a page of what fits a query."""
        return await self._page(call, _query_of(call))

    async def mark(self, call: Call) -> Response:
        """Mark as read, or as not: what is named, what fits a query, or everything."""
        wanted = body_as(call, _Marked)
        if wanted.ids and wanted.search:
            raise InvalidInputError("You may specify either IDs or a search query, not both")
        actor = call.actor
        if wanted.ids:
            mails: Sequence[Mail] = await self._named(actor, wanted.ids)
        else:
            newest = await self._shelf.mail.newest(actor)
            mails = await self._shelf.search(actor, newest, wanted.search, call["tz"])
        await self._shelf.mail.set_read(actor, mails, read=wanted.read)
        told = (event("update", {"ID": mail.id, "Read": wanted.read}) for mail in mails)
        self._tell(actor, *told)
        return OK

    async def delete(self, call: Call) -> Response:
        """Delete what is named, or everything where nothing is."""
        ids = body_as(call, _Deleted).ids
        if ids:
            await self._delete(call.actor, await self._named(call.actor, ids))
            return OK
        await self._shelf.mail.delete_all(call.actor)
        self._tell(call.actor, event("truncate", None))
        return OK

    async def delete_found(self, call: Call) -> Response:
        """Delete what fits a query."""
        newest = await self._shelf.mail.newest(call.actor)
        found = await self._shelf.search(call.actor, newest, _query_of(call), call["tz"])
        await self._delete(call.actor, found)
        return OK

    async def tags(self, call: Call) -> Response:
        """Answer with the tags of all messages."""
        return json_response(forms.tags(await self._shelf.mail.newest(call.actor)))

    async def tag(self, call: Call) -> Response:
        """Give messages these tags, and no others."""
        wanted = body_as(call, _Tagged)
        tags = clean_tags(wanted.tags)
        mails = await self._named(call.actor, wanted.ids)
        await self._shelf.mail.set_labels(call.actor, mails, tags)
        self._tell(call.actor, *(event("update", {"ID": mail.id, "Tags": tags}) for mail in mails))
        return OK

    async def rename_tag(self, call: Call) -> Response:
        """Give another name to a tag, wherever it is."""
        (name,) = clean_tags([body_as(call, _Renamed).name]) or ("",)
        if not name:
            raise InvalidInputError("Invalid tag name")
        await self._replace(call.actor, call["tag"], name)
        return OK

    async def delete_tag(self, call: Call) -> Response:
        """Take a tag off all messages."""
        await self._replace(call.actor, call["tag"], None)
        return OK

    async def _page(self, call: Call, query: str) -> Response:
        mails = await self._shelf.mail.newest(call.actor)
        found = await self._shelf.search(call.actor, mails, query, call.values.get("tz", ""))
        start, end = call["start"], call["start"] + call["limit"] or None
        within = _before(found, call["before"])
        shown = await self._shelf.summaries(call.actor, within[start:end])
        return json_response(forms.page(mails, shown, start, found))

    async def _named(self, actor: Actor, ids: Sequence[str]) -> list[Mail]:
        """Those of ``ids`` that are there; Mailpit passes over others, too."""
        if len(ids) > MAX_IDS:
            raise InvalidInputError(f"There are more than {MAX_IDS} IDs")
        found = []
        for each in dict.fromkeys(ids):
            try:
                found.append(await self._shelf.found(actor, each))
            except NotFoundError:
                continue
        return found

    async def _delete(self, actor: Actor, mails: Sequence[Mail]) -> None:
        await self._shelf.mail.delete(actor, mails)
        self._tell(actor, *(event("delete", {"ID": mail.id}) for mail in mails))

    async def _replace(self, actor: Actor, tag: str, by: str | None) -> None:
        await self._shelf.mail.rename_label(actor, tag, by)
        self._tell(actor, event("prune", None))


def _query_of(call: Call) -> str:
    query: str = call["query"]
    if not query:
        raise InvalidInputError(_NO_QUERY)
    return query


def _before(mails: Sequence[Mail], text: str) -> Sequence[Mail]:
    """Those of before the time that ``text`` says; all, where it says none."""
    try:
        until_ms = milliseconds_of(text)
    except ValueError:
        return mails
    return [mail for mail in mails if mail.first.received.timestamp() * 1000 < until_ms]


def clean_tags(tags: Sequence[str]) -> list[str]:
    """Tags as they are kept, each once and in order. Raises InvalidInputError."""
    clean = sorted({" ".join(tag.split()) for tag in tags} - {""}, key=str.lower)
    for tag in clean:
        if not _TAG.match(tag):
            raise InvalidInputError(f"Invalid tag name: {tag[:MAX_LABEL_CHARACTERS]}")
    if len(clean) > MAX_LABELS:
        raise InvalidInputError(f"A message has at most {MAX_LABELS} tags")
    return clean
