"""The one mailbox as Mailpit's calls use it: what messages say is read once, and remembered."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

from mailsacd.core.actor import Actor
from mailsacd.core.cache import UNKNOWN, Recent
from mailsacd.core.errors import NotFoundError
from mailsacd.facades.mailpit.contents import Extract, extract_of
from mailsacd.facades.mailpit.forms import Json, summary
from mailsacd.facades.mailpit.query import Term, parse_query
from mailsacd.facades.searches import Searches
from mailsacd.mail.reading.all_mail import AllMail, Mail
from mailsacd.work.threads import Lane

REMEMBERED: Final = 1_000
"""Extracts that are kept in memory, of some 30,000 characters each at most."""

LATEST: Final = "latest"

Told = tuple[Mail, Extract | None]
"""A message, and what it says if that is wanted."""


class Shelf:
    """Finds messages, and what is needed of each for lists and searches.

    All raise what AllMail does.
    """

    def __init__(self, all_mail: AllMail, searches: Searches, lane: Lane) -> None:
        """What takes long is done in ``lane``."""
        self.mail = all_mail
        self._searches = searches
        self.lane = lane
        self._extracts: Recent[str, Extract] = Recent(REMEMBERED)

    async def found(self, actor: Actor, message_id: str, query: str = "") -> Mail:
        """The message of that id, or the newest that fits ``query`` for ``latest``.

        Raises NotFoundError.
        """
        if message_id != LATEST:
            return await self.mail.find(actor, message_id)
        for mail in await self.search(actor, await self.mail.newest(actor), query):
            return mail
        raise NotFoundError("There are no messages")

    async def search(
        self, actor: Actor, mails: Sequence[Mail], query: str, zone: str = ""
    ) -> Sequence[Mail]:
        """Those of ``mails`` that fit ``query``; all of them if that is empty.

        Raises OverloadedError as `Searches.among`.
        """
        terms = parse_query(query, zone)
        for reads in (False, True):  # what need not be read leaves less to read
            some = [term for term in terms if term.reads is reads]
            if some and mails:
                told = await self._told(actor, mails) if reads else [(m, None) for m in mails]
                mails = await self.lane.run_in_thread(partial(_fitting, told, some))
        return mails

    async def summaries(self, actor: Actor, mails: Iterable[Mail]) -> list[Json]:
        """``mails`` in the form of lists; what is gone meanwhile is left out."""
        shown = []
        for mail in mails:
            extract = await self.extract(actor, mail)
            if extract is not None:
                shown.append(summary(mail, extract))
        return shown

    async def extract(self, actor: Actor, mail: Mail) -> Extract | None:
        """What ``mail``, which the actor was shown, says; None when it is gone."""
        known = self._extracts.get(mail.id)
        if known is not UNKNOWN:
            return known
        try:
            extract = await self.mail.view(actor, mail, extract_of)
        except NotFoundError:
            return None
        self._extracts.remember(mail.id, extract)
        return extract

    async def _told(self, actor: Actor, mails: Sequence[Mail]) -> Sequence[Told]:
        """``mails`` with what they say, without what is gone."""

        async def look(mail: Mail) -> Told | None:
            extract = await self.extract(actor, mail)
            return None if extract is None else (mail, extract)

        return await self._searches.among(mails, look)


def _fitting(told: Sequence[Told], terms: Sequence[Term]) -> list[Mail]:
    """Runs in any thread."""
    return [mail for mail, extract in told if all(term.takes(mail, extract) for term in terms)]
