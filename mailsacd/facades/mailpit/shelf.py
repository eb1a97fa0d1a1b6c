"""The one mailbox as Mailpit's calls use it: what messages say is read once, and remembered."""

from collections.abc import Iterable, Sequence
from typing import Final

from mailsacd.core.actor import Actor
from mailsacd.core.cache import UNKNOWN, Recent
from mailsacd.core.errors import NotFoundError
from mailsacd.facades.mailpit.contents import Extract, extract_of
from mailsacd.facades.mailpit.forms import Json, summary
from mailsacd.facades.mailpit.query import Term, parse_query
from mailsacd.mail.reading.all_mail import AllMail, Mail

REMEMBERED: Final = 1_000
"""Extracts that are kept in memory, of 20 KB each at most."""

LATEST: Final = "latest"


class Shelf:
    """Finds messages, and what is needed of each for lists and searches.

    All raise what AllMail does.
    """

    def __init__(self, all_mail: AllMail) -> None:
        self.mail = all_mail
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
        """Those of ``mails`` that fit ``query``; all of them if that is empty."""
        terms = parse_query(query, zone)
        if not terms:
            return mails
        return [mail for mail in mails if await self._fits(actor, mail, terms)]

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

    async def _fits(self, actor: Actor, mail: Mail, terms: Sequence[Term]) -> bool:
        """The terms that need not read the message come first."""
        extract: Extract | None = None
        for term in terms:
            if term.reads and extract is None:
                extract = await self.extract(actor, mail)
                if extract is None:
                    return False
            if not term.takes(mail, extract):
                return False
        return True
