"""What strangers wrote, at URLs of its own: a message's HTML for a frame, and its pictures.

None of it ever runs, or has our origin, also where somebody opens these URLs by themselves.
"""

from typing import Final

from mailsacd.core.errors import NotFoundError
from mailsacd.http.api.parameters import EMAIL, MESSAGE_ID
from mailsacd.http.server.answer import HTML, Headers, Response
from mailsacd.mail.reading.mailbox import Mailbox
from mailsacd.web.message_views import FRAMES, pictures
from mailsacd.web.page import Page
from mailsacd.web.pages.message import PATH, SHOW, THEME
from mailsacd.web.parameters import in_path
from mailsacd.web.visit import Visit

_NOTHING: Final = (
    b"default-src 'none'; style-src 'unsafe-inline'; font-src data:; base-uri 'none'; "
    b"form-action 'none'; frame-ancestors 'self'; img-src data:"
)
_INERT: Final = b"sandbox; " + _NOTHING
_LOADING: Final = (
    b"sandbox allow-popups allow-popups-to-escape-sandbox; " + _NOTHING + b" http: https:"
)
_PICTURE: Final = b"sandbox; default-src 'none'; frame-ancestors 'none'"
_QUIET: Final[Headers] = (
    (b"Referrer-Policy", b"no-referrer"),
    (b"X-DNS-Prefetch-Control", b"off"),
    (b"Cross-Origin-Resource-Policy", b"same-origin"),
)
_MD5: Final = in_path("checksum")


class MailContent:
    """The calls that frames and pictures come from."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these calls."""
        one = (EMAIL, MESSAGE_ID)
        return (
            Page(path=f"{PATH}/html", id="html", parameters=(*one, SHOW, THEME), handler=self.html),
            Page(
                path=f"{PATH}/pictures/{{checksum}}",
                id="picture",
                parameters=(*one, _MD5),
                handler=self.picture,
            ),
        )

    async def html(self, visit: Visit) -> Response:
        """The HTML as it was sent. It loads nothing, and leads nowhere, unless asked to."""
        view = FRAMES[visit["show"], visit["theme"]]
        page = await self._mailbox.view(visit.actor, visit["email"], visit["messageId"], view)
        policy = _LOADING if visit["show"] else _INERT
        return Response(page, HTML, headers=((b"Content-Security-Policy", policy), *_QUIET))

    async def picture(self, visit: Visit) -> Response:
        """An attachment that is a picture by its bytes. Raises NotFoundError for any other."""
        found = await self._mailbox.view(visit.actor, visit["email"], visit["messageId"], pictures)
        if visit["checksum"] not in found:
            raise NotFoundError("There is no such picture in this message")
        kind, content = found[visit["checksum"]]
        return Response(content, kind, headers=((b"Content-Security-Policy", _PICTURE), *_QUIET))
