"""Style sheet, scripts and pictures of the pages, at URLs that change with their content.

So a browser may keep each for good (RFC 8246), and has the new one after an upgrade.
"""

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from mailsacd import web
from mailsacd.core.errors import NotFoundError
from mailsacd.http.api.operation import Call, Handler, Operation
from mailsacd.http.api.parameters import Parameter
from mailsacd.http.server.answer import TEXT, Response

ROOT: Final = "/web"
_FOR_GOOD: Final = b"public, max-age=31536000, immutable"
_TYPES: Final = {
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "svg": b"image/svg+xml",
}
_ICON: Final = "icon.svg"
_DAY: Final = b"public, max-age=86400"
_ROBOTS: Final = b"User-agent: *\nDisallow: /\n"
_NAMES: Final = frozenset(
    each.name
    for each in (files(web) / "static").iterdir()
    if each.name.rpartition(".")[2] in _TYPES
)
_VERSION_DIGITS: Final = 12


@cache
def _content(name: str) -> bytes:
    return (files(web) / "static" / name).read_bytes()


@cache
def version() -> str:
    """What the URLs of all assets have in them: a digest of all, since modules name each other."""
    digest = sha256()
    for name in sorted(_NAMES):
        digest.update(name.encode() + b"\0" + _content(name))
    return digest.hexdigest()[:_VERSION_DIGITS]


def path_of(name: str) -> str:
    """The path of the asset ``name``, without the prefix that the server may be under."""
    if name not in _NAMES:
        raise LookupError(f"there is no asset {name}")
    return f"{ROOT}/{version()}/{name}"


class Assets:
    """The calls that serve them, and what robots and browsers ask for unasked."""

    def operations(self) -> tuple[Operation, ...]:
        """Declare what is served here."""
        return (
            _operation(
                f"{ROOT}/{{version}}/{{name}}",
                "asset",
                self.serve,
                (_segment("version"), _segment("name")),
            ),
            _operation("/robots.txt", "robots", self.robots),
            _operation("/favicon.ico", "favicon", self.icon),
        )

    async def robots(self, _call: Call) -> Response:
        """Ask search engines to stay away (RFC 9309): mail is nothing to be found by them."""
        return Response(_ROBOTS, TEXT, cache_control=_DAY)

    async def icon(self, _call: Call) -> Response:
        """Answer with the picture that pages name, for what does not read pages."""
        return Response(_content(_ICON), _TYPES["svg"], cache_control=_DAY)

    async def serve(self, call: Call) -> Response:
        """Answer with the file, whichever version is asked for: the newest alone is kept."""
        name = call["name"]
        if name not in _NAMES:
            raise NotFoundError("There is nothing at this URL")
        lasting = call["version"] == version()
        return Response(
            _content(name),
            _TYPES[name.rpartition(".")[2]],
            cache_control=_FOR_GOOD if lasting else b"no-cache",
        )


def _operation(
    path: str, name: str, handler: Handler, parameters: tuple[Parameter, ...] = ()
) -> Operation:
    return Operation(
        method="GET",
        path=path,
        id=name,
        tag="Server",
        summary="",
        parameters=parameters,
        answers=(),
        handler=handler,
        open=True,
        listed=False,
    )


def _segment(name: str) -> Parameter:
    return Parameter(name=name, where="path", description="", schema={}, convert=str)
