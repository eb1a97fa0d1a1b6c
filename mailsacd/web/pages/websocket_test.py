"""`/websocket-test`: a page on which a person listens to addresses, and sees every frame."""

from mailsacd.http.server.answer import Response
from mailsacd.web.page import Page
from mailsacd.web.visit import Visit


class WebSocketTestPage:
    """The page, and its declaration."""

    def pages(self) -> tuple[Page, ...]:
        """Declare what is served here."""
        return (Page(path="/websocket-test", id="websocket-test", handler=self.show),)

    async def show(self, visit: Visit) -> Response:
        """A form for a key and addresses; the script does the rest."""
        return visit.shown("websocket_test.html")
