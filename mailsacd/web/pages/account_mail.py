"""`/messages`: all mail of an account, by folder, label and search, and what is done with it."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec

from mailsacd.core.actor import account_of
from mailsacd.core.message_form import FOLDERS
from mailsacd.core.search import Terms
from mailsacd.http.api.parameters import SKIP
from mailsacd.http.calls.inbox import FOLDER, LABEL, MAX_TERM_CHARACTERS
from mailsacd.http.server.answer import Response
from mailsacd.mail.accounts.profile import Profiles
from mailsacd.mail.reading.account_mail import MAX_FOUND, AccountMail
from mailsacd.mail.reading.mailbox import Page as ListPage
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
        self, account_mail: AccountMail, snippets: Snippets, profiles: Profiles, marking: Marking
    ) -> None:
        self._account_mail = account_mail
        self._snippets = snippets
        self._profiles = profiles
        self._marking = marking

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these pages."""
        return (
            Page(
                path=PATH,
                id="messages",
                parameters=(*_ASKED, SKIP),
                for_accounts=True,
                handler=self.show,
            ),
            Page(method="POST", path=PATH, id="messages.do", for_accounts=True, handler=self.do),
        )

    async def show(self, visit: Visit) -> Response:
        """One page of the list, or the newest of what is searched for."""
        skip = visit["skip"]
        searches = visit["unread"] or any(visit[name] for name in _TERMS)
        messages = await (self._found if searches else self._listed)(visit, skip)
        shown = messages[:PER_PAGE]
        snippets = await self._snippets.of_account(
            visit.actor, [(message["inbox"], message["_id"]) for message in shown]
        )
        profile = await self._profiles.of(visit.actor)
        asked = {parameter.name: visit[parameter.name] for parameter in _ASKED}
        query = {name: 1 if value is True else value for name, value in asked.items() if value}
        return visit.shown(
            "account/messages.html",
            asked=asked,
            query=query,
            places=_places(profile.account.labels, query),
            messages=shown,
            snippets=snippets,
            searches=searches,
            most=MAX_FOUND,
            found=skip + len(messages),
            **paged(messages, skip=skip, step=PER_PAGE),
            labels=profile.account.labels,
            folders=FOLDERS,
            spam_from=SPAM_FROM,
        )

    async def do(self, visit: Visit) -> Response:
        """Do something with the messages that are selected, wherever they are."""
        account_of(visit.actor)
        do, _, of_one = str(visit.fields().get("do", "")).partition(" ")  # a row's own button
        names = [of_one] if of_one else visit.all_of("id")
        parted = [name.rpartition("/") for name in names]
        told = await self._marking.do_with(visit, [(inbox, id_) for inbox, _, id_ in parted], do)
        return visit.redirect(visit.back(PATH), told)

    async def _listed(self, visit: Visit, skip: int) -> list[dict[str, Any]]:
        """One more than a page has, if there are."""
        page = ListPage(limit=PER_PAGE + 1, skip=skip)
        if visit["starred"]:
            return _decode(await self._account_mail.starred(visit.actor, page))
        found = await self._account_mail.list(
            visit.actor, page, folder=visit["folder"], label=visit["label"]
        )
        return _decode(found.messages)

    async def _found(self, visit: Visit, skip: int) -> list[dict[str, Any]]:
        terms = Terms(
            anywhere=visit["query"] or None,
            sender=visit["from"] or None,
            recipients=visit["to"] or None,
            subject=visit["subject"] or None,
            read=False if visit["unread"] else None,
            folder=visit["folder"],
            label=visit["label"],
        )
        return _decode(await self._account_mail.search(visit.actor, terms))[skip:]


def _places(labels: Collection[str], asked: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What there are links to: what to call it, and what its URL asks for."""
    places: list[tuple[str, dict[str, Any]]] = [("Everything", {}), ("Unread", {"unread": 1})]
    places += [(folder.capitalize(), {"folder": folder}) for folder in FOLDERS_SHOWN]
    places.append(("Starred", {"starred": 1}))
    places += [(label, {"label": label}) for label in labels]
    if "label" in asked and asked["label"] not in labels:
        places.append((asked["label"], {"label": asked["label"]}))
    return places
