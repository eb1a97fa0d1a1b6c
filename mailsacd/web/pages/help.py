"""`/help`: how mail is sent here and read, with programs that run as they stand."""

import re
from datetime import UTC, datetime
from typing import Final

from mailsacd.core.errors import ConflictError, InvalidInputError
from mailsacd.http.server.answer import Response
from mailsacd.mail.accounts.keys import Keys
from mailsacd.web.page import Page
from mailsacd.web.pages.start import MAX_ADDRESS_CHARACTERS
from mailsacd.web.parameters import in_query
from mailsacd.web.random_address import random_local
from mailsacd.web.server_facts import ServerFacts
from mailsacd.web.visit import Visit

LANGUAGES: Final = (
    ("curl", "curl"),
    ("python", "Python"),
    ("node", "Node"),
    ("go", "Go"),
    ("java", "Java"),
)
"""Those that there are samples for: their templates' names, and what people call them."""

# What may stand in a program between quotes of any kind, in a URL, and after an option: a link to
# this page may name the address, and whoever follows it runs what the page shows
_PLAIN: Final = re.compile(r"[a-z0-9][a-z0-9._+-]{0,63}@[a-z0-9][a-z0-9.-]{0,250}\Z")
_ADDRESS: Final = in_query("address", most=MAX_ADDRESS_CHARACTERS)
"""That which the samples send to."""


class HelpPages:
    """``keys`` makes the one that a reader asks for."""

    def __init__(self, server: ServerFacts, keys: Keys) -> None:
        self._server = server
        self._keys = keys

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these pages."""
        return (
            Page(path="/help", id="help", parameters=(_ADDRESS,), handler=self.show),
            Page(
                method="POST",
                path="/help/key",
                id="help.key",
                parameters=(_ADDRESS,),
                for_accounts=True,
                handler=self.make_key,
            ),
        )

    async def show(self, visit: Visit) -> Response:
        """The samples, without a key."""
        return self._shown(visit)

    async def make_key(self, visit: Visit) -> Response:
        """The samples with a new key of the account in them: it is told this once."""
        name = f"samples {datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
        try:
            made, value = await self._keys.add(visit.actor, name)
        except (ConflictError, InvalidInputError) as e:
            return self._shown(visit, problem=e.public, status=400)
        return self._shown(visit, key=value, key_name=made.name)

    def _shown(
        self,
        visit: Visit,
        *,
        key: str = "",
        key_name: str = "",
        problem: str = "",
        status: int = 200,
    ) -> Response:
        given = visit["address"].strip().lower()
        address = given if _PLAIN.match(given) else f"{random_local()}@{self._server.domain}"
        return visit.shown(
            "help/help.html",
            status,
            address=address,
            base=f"{visit.call.origin}{visit.prefix}",
            key=key,
            key_name=key_name,
            languages=LANGUAGES,
            problem=problem,
        )
