"""`/inbox/{email}`: the messages of an inbox, and what is done with several of them."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec

from mailsacd.core.address import inbox_of
from mailsacd.core.errors import ThrottledError
from mailsacd.core.message_form import FOLDERS
from mailsacd.core.query import MAX_QUERY_CHARACTERS, QueryError
from mailsacd.http.api.parameters import EMAIL, SKIP
from mailsacd.http.calls.search import BEFORE
from mailsacd.http.server.answer import Response
from mailsacd.mail.ownership.addresses import Addresses
from mailsacd.mail.reading.mailbox import Mailbox
from mailsacd.mail.reading.mailbox import Page as ListPage
from mailsacd.mail.reading.search import Asked, Found, Search
from mailsacd.mail.reading.snippets import Snippets
from mailsacd.web.filters import segment
from mailsacd.web.page import Page
from mailsacd.web.pages.marking import Marking
from mailsacd.web.parameters import flag, in_query
from mailsacd.web.visit import Visit

PER_PAGE: Final = 50
SPAM_FROM: Final = 0.5
"""From this on the likelihood of spam is worth a word."""

_ALTERNATE: Final = flag("alternate")  # whether to tell it
_QUERY: Final = in_query("query", most=MAX_QUERY_CHARACTERS)
_decode = msgspec.json.Decoder(list[dict[str, Any]]).decode


class InboxPages:
    """The list, and the form around it."""

    def __init__(
        self,
        mailbox: Mailbox,
        snippets: Snippets,
        addresses: Addresses,
        marking: Marking,
        search: Search,
    ) -> None:
        self._mailbox = mailbox
        self._snippets = snippets
        self._addresses = addresses
        self._marking = marking
        self._search = search

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these pages."""
        path = "/inbox/{email}"
        return (
            Page(
                path=path,
                id="inbox",
                parameters=(EMAIL, SKIP, _ALTERNATE, _QUERY, BEFORE),
                handler=self.show,
            ),
            Page(
                method="POST", path=path, id="inbox.do", parameters=(EMAIL, SKIP), handler=self.do
            ),
        )

    async def show(self, visit: Visit) -> Response:
        """One page of the list, newest first. Refused as the API refuses it."""
        actor, email, skip = visit.actor, visit["email"], visit["skip"]
        page = ListPage(limit=PER_PAGE, skip=skip)
        found, problem = None, ""
        if visit["query"]:
            found, problem = await self._found(visit)
        messages = _decode(
            found.messages if found else await self._mailbox.list_json(actor, email, page)
        )
        total, inbox = await self._mailbox.count(actor, email)
        return visit.shown(
            "inbox/list.html",
            HTTPStatus.BAD_REQUEST if problem else HTTPStatus.OK,
            inbox=inbox,
            query=visit["query"],
            found=found,
            problem=problem,
            messages=messages,
            snippets=await self._snippets.of_inbox(actor, email, [m["_id"] for m in messages]),
            total=total,
            skip=skip,
            newer=max(skip - PER_PAGE, 0) if skip else None,
            older=skip + PER_PAGE if skip + PER_PAGE < total else None,
            spam_from=SPAM_FROM,
            folders=FOLDERS,
            stands_for_another=inbox_of(inbox).is_alternate,
            **await self._whose(visit),
        )

    async def _found(self, visit: Visit) -> tuple[Found, str]:
        """What is searched for, and what is wrong with the query."""
        asked = Asked(query=visit["query"], before=visit["before"], limit=PER_PAGE)
        try:
            return await self._search.in_inbox(visit.actor, visit["email"], asked), ""
        except QueryError as e:
            return Found(messages="[]"), e.public

    async def do(self, visit: Visit) -> Response:
        """Reserve or empty the inbox, or do something with the messages that are selected."""
        email = visit["email"]
        here = f"/inbox/{segment(email)}"
        action = visit.fields().get("action")
        if action == "reserve":
            await self._addresses.reserve(visit.actor, email)
            return visit.redirect(here, "The address is yours now, and its mail private")
        if action == "empty":
            await self._mailbox.purge(visit.actor, email)
            return visit.redirect(here, "The inbox has been emptied, but for starred messages")
        do, _, of_one = str(visit.fields().get("do", "")).partition(" ")  # a row's own button
        ids = [of_one] if of_one else visit.all_of("id")
        told = await self._marking.do(visit, email, ids, do)
        return visit.redirect(visit.back(here), told)

    async def _whose(self, visit: Visit) -> Mapping[str, Any]:
        """Who reads the inbox, as the template tells it: who gets so far may look into it."""
        actor, email = visit.actor, visit["email"]
        availability = await self._addresses.availability(actor, email)
        alternate, implicit = "", False
        if availability.owned or visit["alternate"]:
            try:
                view = await self._addresses.get(actor, email, peer=visit.call.peer)
            except ThrottledError:
                pass  # the inbox is to be read all the same
            else:
                alternate, implicit = view.alternate, view.implicit
        return {
            "owned": availability.owned,
            "implicit": implicit,
            "may_reserve": actor.account is not None and availability.available,
            "alternate": alternate,
        }
