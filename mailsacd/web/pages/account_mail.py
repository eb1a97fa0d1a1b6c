"""`/messages`: all mail of an account, by folder, label and search, and what is done with it."""

from collections.abc import Collection, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from mailsacd.core.actor import account_of
from mailsacd.core.errors import InvalidInputError
from mailsacd.core.folding import fold
from mailsacd.core.message_form import FOLDERS
from mailsacd.core.query import TAG, QueryError
from mailsacd.core.query_terms import Query, Term
from mailsacd.http.api.parameters import SKIP
from mailsacd.http.calls.inbox import FOLDER, LABEL, MAX_TERM_CHARACTERS
from mailsacd.http.calls.search import BEFORE
from mailsacd.http.server.answer import Response
from mailsacd.mail.accounts.profile import Profiles
from mailsacd.mail.reading.account_mail import AccountMail
from mailsacd.mail.reading.mailbox import Page as ListPage
from mailsacd.mail.reading.saved_searches import SavedSearches
from mailsacd.mail.reading.search import MAX_FOUND, Asked, Found, Search
from mailsacd.mail.reading.snippets import Snippets
from mailsacd.web.page import Page
from mailsacd.web.pages.inbox import SPAM_FROM
from mailsacd.web.pages.marking import Marking
from mailsacd.web.paging import paged
from mailsacd.web.parameters import flag, in_query
from mailsacd.web.visit import Visit

PATH: Final = "/messages"
PER_PAGE: Final = 30
FOLDERS_SHOWN: Final = ("inbox", "all", "spam", "trash")
"""Those with a link of their own; the others are found by what is asked for."""

_TERMS: Final = ("query", "from", "to", "subject")


_ASKED: Final = (
    FOLDER,
    LABEL,
    *(in_query(name, most=MAX_TERM_CHARACTERS) for name in _TERMS),
    flag("unread"),
    flag("starred"),
)
_decode = msgspec.json.Decoder(list[dict[str, Any]]).decode


class AccountMailPages:
    """The list, and the forms around it."""

    def __init__(
        self,
        account_mail: AccountMail,
        snippets: Snippets,
        profiles: Profiles,
        marking: Marking,
        search: Search,
        saved: SavedSearches,
    ) -> None:
        self._account_mail = account_mail
        self._snippets = snippets
        self._profiles = profiles
        self._marking = marking
        self._search = search
        self._saved = saved

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these pages."""
        return (
            Page(
                path=PATH,
                id="messages",
                parameters=(*_ASKED, BEFORE, SKIP),
                for_accounts=True,
                handler=self.show,
            ),
            Page(method="POST", path=PATH, id="messages.do", for_accounts=True, handler=self.do),
            Page(
                method="POST",
                path=f"{PATH}/searches",
                id="messages.searches",
                for_accounts=True,
                handler=self.save,
            ),
        )

    async def show(self, visit: Visit) -> Response:
        """One page of the list, or of what is searched for."""
        skip = visit["skip"]
        searches = visit["unread"] or any(visit[name] for name in _TERMS)
        found, problem = Found(messages="[]"), ""
        try:
            found = await (self._found(visit) if searches else self._listed(visit, skip))
        except QueryError as e:
            problem = e.public
        messages = _decode(found.messages)[skip if searches else 0 :]
        shown = messages[:PER_PAGE]
        snippets = await self._snippets.of_account(
            visit.actor, [(message["inbox"], message["_id"]) for message in shown]
        )
        profile = await self._profiles.of(visit.actor)
        asked = {parameter.name: visit[parameter.name] for parameter in _ASKED}
        query = {name: 1 if value is True else value for name, value in asked.items() if value}
        saved = [each.name for each in await self._saved.list(visit.actor)]
        return visit.shown(
            "account/messages.html",
            HTTPStatus.BAD_REQUEST if problem else HTTPStatus.OK,
            asked=asked,
            query=query,
            places=_places(profile.account.labels, saved, query),
            saved=saved,
            messages=shown,
            snippets=snippets,
            searches=searches,
            problem=problem,
            older=found.next,
            incomplete=found.incomplete,
            most=MAX_FOUND,
            found=skip + len(messages),
            **paged(messages, skip=skip, step=PER_PAGE),
            labels=profile.account.labels,
            folders=FOLDERS,
            spam_from=SPAM_FROM,
        )

    async def save(self, visit: Visit) -> Response:
        """Give a search a name, or forget it."""
        fields = visit.fields()
        name, query = str(fields.get("name", "")), str(fields.get("query", ""))
        if fields.get("action") == "forget":
            await self._saved.remove(visit.actor, name)
            return visit.redirect(PATH, "The search is forgotten")
        try:
            name = await self._saved.save(visit.actor, name, query)
        except InvalidInputError as e:
            return visit.redirect(visit.back(PATH), f"It is not saved: {e.public}")
        return visit.redirect(f"{PATH}?{urlencode({'query': TAG + name})}", "The search is saved")

    async def do(self, visit: Visit) -> Response:
        """Do something with the messages that are selected, wherever they are."""
        account_of(visit.actor)
        do, _, of_one = str(visit.fields().get("do", "")).partition(" ")  # a row's own button
        names = [of_one] if of_one else visit.all_of("id")
        parted = [name.rpartition("/") for name in names]
        told = await self._marking.do_with(visit, [(inbox, id_) for inbox, _, id_ in parted], do)
        return visit.redirect(visit.back(PATH), told)

    async def _listed(self, visit: Visit, skip: int) -> Found:
        """One more than a page has, if there are."""
        page = ListPage(limit=PER_PAGE + 1, skip=skip)
        if visit["starred"]:
            return Found(messages=await self._account_mail.starred(visit.actor, page))
        found = await self._account_mail.list(
            visit.actor, page, folder=visit["folder"], label=visit["label"]
        )
        return Found(messages=found.messages)

    async def _found(self, visit: Visit) -> Found:
        asked = Asked(query=visit["query"], also=tuple(_also(visit)), before=visit["before"])
        return await self._search.in_account(visit.actor, asked)


def _also(visit: Visit) -> Iterator[Query]:
    """What is asked for by fields of their own."""
    if visit["from"]:
        yield Term(field="from", text=fold(visit["from"]))
    if visit["to"]:
        yield Term(field="to", text=fold(visit["to"]))
    if visit["subject"]:
        yield Term(field="subject", text=fold(visit["subject"]))
    if visit["unread"]:
        yield Term(field="state", text="unread")
    if visit["folder"]:
        yield Term(field="folder", text=visit["folder"])
    if visit["label"]:
        yield Term(field="label", text=visit["label"])


def _places(
    labels: Collection[str], saved: Collection[str], asked: Mapping[str, Any]
) -> list[tuple[str, dict[str, Any]]]:
    """What there are links to: what to call it, and what its URL asks for."""
    places: list[tuple[str, dict[str, Any]]] = [("Everything", {}), ("Unread", {"unread": 1})]
    places += [(folder.capitalize(), {"folder": folder}) for folder in FOLDERS_SHOWN]
    places.append(("Starred", {"starred": 1}))
    places += [(label, {"label": label}) for label in labels]
    places += [(TAG + name, {"query": TAG + name}) for name in saved]
    if "label" in asked and asked["label"] not in labels:
        places.append((asked["label"], {"label": asked["label"]}))
    return places
