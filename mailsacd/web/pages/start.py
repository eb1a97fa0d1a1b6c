"""The start, the way from there to an inbox, and the choice of colours."""

from typing import Final
from urllib.parse import quote

from mailsacd.core.address import parse_address
from mailsacd.core.errors import InvalidInputError
from mailsacd.http.server.answer import Response
from mailsacd.web.page import Page
from mailsacd.web.parameters import in_query
from mailsacd.web.random_address import random_local
from mailsacd.web.server_facts import ServerFacts
from mailsacd.web.visit import THEMES, Visit

MAX_ADDRESS_CHARACTERS: Final = 320
_ADDRESS: Final = in_query("address", most=MAX_ADDRESS_CHARACTERS)
"""An address, or the part before its @."""


class StartPages:
    """The pages before one reads anything."""

    def __init__(self, server: ServerFacts) -> None:
        self._server = server

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these pages."""
        return (
            Page(path="/", id="start", handler=self.start),
            Page(path="/inbox", id="open", parameters=(_ADDRESS,), handler=self.open_inbox),
            Page(method="POST", path="/theme", id="theme", handler=self.set_theme),
        )

    async def start(self, visit: Visit) -> Response:
        """A field for an address, an address that nobody has used, and what this server is."""
        return visit.shown("home.html", random=f"{random_local()}@{self._server.domain}")

    async def open_inbox(self, visit: Visit) -> Response:
        """Go to the inbox of an address, at our own domain where it names none."""
        given = visit["address"].strip()
        if not given:
            return visit.redirect("/")
        if "@" not in given:
            given = f"{given}@{self._server.domain}"
        address = parse_address(given).without_tag()
        return visit.redirect(f"/inbox/{quote(str(address), safe='@')}")

    async def set_theme(self, visit: Visit) -> Response:
        """Remember the colours that were chosen, and go back.

        From a page that only a form leads to it goes to the start.
        """
        theme = str(visit.call.fields.get("theme", ""))
        if theme and theme not in THEMES:
            raise InvalidInputError(f"There are no colours {theme!r}")
        visit.set_theme(theme)
        stays = "stay" in visit.call.fields
        return visit.redirect(visit.came_from("/") if stays else "/")
