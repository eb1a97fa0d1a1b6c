"""`/docs`: every call of the API, to read and to try, by Swagger UI from its package."""

from dataclasses import replace
from typing import Final

from mailsacd.http.server.answer import Response
from mailsacd.web.page import Page
from mailsacd.web.visit import Visit

_POLICY_FIELD: Final = b"Content-Security-Policy"
# Swagger UI sets styles, and makes HTML of texts, which are ours: the specification's
_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data:; connect-src 'self'; form-action 'self'; "
    b"base-uri 'none'; frame-ancestors 'none'"
)


class ReferencePage:
    """The page. What it loads is served by http.calls.documentation."""

    def pages(self) -> tuple[Page, ...]:
        """Declare what is served here."""
        return (Page(path="/docs", id="docs", handler=self.show),)

    async def show(self, visit: Visit) -> Response:
        """The frame; the script fills it."""
        shown = visit.shown("reference.html")
        kept = (field for field in shown.headers if field[0] != _POLICY_FIELD)
        return replace(shown, headers=(*kept, (_POLICY_FIELD, _POLICY)))
