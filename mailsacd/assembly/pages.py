"""The pages that people read in a browser."""

from collections.abc import Iterable, Mapping
from typing import Final

from mailsacd.assembly.part import Ground
from mailsacd.assembly.signing_in import SigningIn
from mailsacd.http.app import Group
from mailsacd.web.assets import Assets
from mailsacd.web.error_pages import ErrorPages
from mailsacd.web.navigation import ACCOUNT_LINKS
from mailsacd.web.page import PageGroup, Pages
from mailsacd.web.pages.help import HelpPages
from mailsacd.web.pages.reference import ReferencePage
from mailsacd.web.pages.signing_in import SigningInPages
from mailsacd.web.pages.start import StartPages
from mailsacd.web.pages.websocket_test import WebSocketTestPage
from mailsacd.web.rendering import Rendering
from mailsacd.web.server_facts import ServerFacts
from mailsacd.work.tasks import Tasks

_MOST_TASKS: Final = 1


class WebPages:
    """A part. ``explain`` is for the web's site: it makes pages of errors."""

    def __init__(
        self,
        ground: Ground,
        signing_in: SigningIn,
        ports: Mapping[str, int],
        offers_tls: Mapping[str, bool],
        groups: Iterable[PageGroup] = (),
    ) -> None:
        """``ports`` tells, once they listen, where, and ``offers_tls`` where mail programs may
        begin TLS. ``groups`` are pages of other parts."""
        settings = ground.settings
        hosts = {
            "smtp": ground.host_of(settings.smtp.host),
            "capture": ground.host_of(settings.capture.host),
            "submission": ground.host_of(settings.submission.host),
            "pop3": ground.host_of(settings.pop3.host),
        }
        server = ServerFacts(
            settings=settings,
            hostname=ground.hostname,
            ports=ports,
            hosts=hosts,
            offers_tls=offers_tls,
        )
        facts = {"server": server, "account_links": ACCOUNT_LINKS}
        self._rendering = Rendering(ground.lanes.rest, facts)
        self._loading = Tasks("load the pages", most=_MOST_TASKS, clock=ground.reactor)
        self._groups: tuple[PageGroup, ...] = (
            StartPages(server),
            SigningInPages(signing_in.sessions, signing_in.session_calls),
            HelpPages(server, signing_in.keys),
            ReferencePage(),
            WebSocketTestPage(),
            *groups,
        )
        self.explain = ErrorPages(self._rendering).explain

    def calls(self) -> tuple[Group, ...]:
        """Return the pages, as calls."""
        return (Assets(), Pages(self._groups, self._rendering))

    async def start(self) -> None:
        """Load the templates, while the ports already listen."""
        self._loading.run(self._rendering.ready())

    async def finish(self) -> None:
        """Break off what is being loaded."""
        await self._loading.finish()
