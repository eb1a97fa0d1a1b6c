"""Who may come in by a port that asks nobody who they are: no page that is shown to a person here.

Such a port is on a loopback address, and pages can ask it, too. Their browser keeps from them what
they are answered, unless they have pointed a name of their own at this machine (DNS rebinding). So
without a key the host has to be asked for by a name that nobody can register.

Nor may pages of others have anything done here, or looked for: that a browser does not show them
the answer does not undo it. A key in its own header is proof that it is no page of others, which
cannot send that; a password is none, for browsers remember it.
"""

import binascii
import re
from base64 import b64decode
from http import HTTPStatus
from typing import Final

from mailsacd.http.api.credentials import KEY_HEADER
from mailsacd.http.server.answer import Response, problem
from mailsacd.http.server.origins import Origins
from mailsacd.http.server.proxies import Proxies
from mailsacd.http.server.request import READS, Request

_KEY: Final = KEY_HEADER.encode()
_UNREGISTRABLE: Final = re.compile(
    r"\[.*\]|[0-9.]+|[^.]+|.*\.(?:localhost|local|internal|test|invalid|example)"
)
"""IP addresses, names without a dot, and below what no registry gives (RFC 6761, RFC 6762)."""
_FOREIGN: Final = (
    "Without a key this is for programs of this machine: ask for it as localhost, by its IP "
    "address, or with an API key as the password of HTTP Basic authentication"
)
_OF_OTHERS: Final = "Pages of others may not call this"
_PART: Final = re.compile(rb"api/v1/message/(?!latest/)[0-9a-z]+/part/[0-9]+")
"""Pictures of a message that is shown: its page is in a sandbox, so they come from elsewhere."""


class Door:
    """Looks at each request before anything else does."""

    def __init__(self, proxies: Proxies) -> None:
        self._proxies = proxies
        self._origins = Origins(proxies)

    def refusal(self, request: Request) -> Response | None:
        """What ``request`` is refused with; None where it may come in.

        The password of Basic authentication (RFC 7617) is taken for an API key.
        """
        if not request.getHeader(_KEY):  # an empty one is none, to who looks at it next, too
            password = _password(request.getHeader(b"Authorization") or b"")
            if password:
                request.requestHeaders.setRawHeaders(_KEY, [password])
            elif not all(map(is_unregistrable, self._proxies.hosts(request))):
                return problem(HTTPStatus.FORBIDDEN, _FOREIGN)
        return None

    def refusal_of_page(self, request: Request) -> Response | None:
        """What ``request``, which is no WebSocket's, is refused with; None where it may come in.

        It is refused if a page of others has a browser make it (Fetch Metadata Request Headers,
        W3C), unless that shows a message to a person. To be called before `refusal`.
        """
        if request.getHeader(_KEY) or not self._origins.is_foreign(request) or _shows(request):
            return None
        return problem(HTTPStatus.FORBIDDEN, _OF_OTHERS)


def is_unregistrable(host: str) -> bool:
    """Whether ``host``, as of a URL, is no name that somebody may have on the Internet."""
    return bool(_UNREGISTRABLE.fullmatch(host.lower().rstrip(".")))


def _shows(request: Request) -> bool:
    """Whether a person follows a link to a shown message, or a picture of one is loaded."""
    path = b"/".join(request.postpath or ())
    if request.getHeader(b"Sec-Fetch-Mode") == b"navigate":
        return request.method in READS and path.startswith(b"view/")
    is_picture = request.getHeader(b"Sec-Fetch-Dest") == b"image"
    return is_picture and request.method in READS and _PART.fullmatch(path) is not None


def _password(authorization: bytes) -> bytes:
    scheme, _, given = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return b""
    try:
        return b64decode(given.strip(), validate=True).partition(b":")[2]
    except binascii.Error:
        return b""
