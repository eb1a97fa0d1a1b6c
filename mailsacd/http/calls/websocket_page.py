"""`/websocket-test`: a page on which a person listens to addresses, and sees every frame."""

from functools import cache
from importlib.resources import files
from typing import Final

from mailsacd import web
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.server.answer import HTML, Response

_SCRIPT: Final = b"text/javascript; charset=utf-8"
_STYLE: Final = b"text/css; charset=utf-8"
_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    b"require-trusted-types-for 'script'"
)
_HEADERS: Final = (
    (b"Content-Security-Policy", _POLICY),
    (b"Referrer-Policy", b"no-referrer"),
    (b"Cross-Origin-Opener-Policy", b"same-origin"),
)


class WebSocketPage:
    """The page for people, and its declaration."""

    def operations(self) -> tuple[Operation, ...]:
        """Declare the page and what it loads."""
        return (
            _file("/websocket-test", "websocket-test.html", HTML),
            _file("/web/websocket-test.css", "websocket-test.css", _STYLE),
            _file("/web/websocket-test.js", "websocket-test.js", _SCRIPT),
        )


def _file(path: str, name: str, content_type: bytes) -> Operation:
    @cache
    def read() -> Response:
        return Response((files(web) / name).read_bytes(), content_type, headers=_HEADERS)

    async def handler(_call: Call) -> Response:
        return read()

    return Operation(
        method="GET",
        path=path,
        id=name,
        tag="Server",
        summary="",
        answers=(),
        handler=handler,
        open=True,
        listed=False,
    )
