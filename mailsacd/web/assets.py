"""Style sheet, scripts and pictures of the pages, at URLs that change with their content.

So a browser may keep each for good (RFC 8246), and has the new one after an upgrade.
"""

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from mailsacd import web
from mailsacd.core.errors import NotFoundError
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import Parameter
from mailsacd.http.server.answer import Response

ROOT: Final = "/web"
_FOR_GOOD: Final = b"public, max-age=31536000, immutable"
_TYPES: Final = {
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "svg": b"image/svg+xml",
}
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
    """The call that serves them."""

    def operations(self) -> tuple[Operation, ...]:
        """Declare what is served here."""
        return (
            Operation(
                method="GET",
                path=f"{ROOT}/{{version}}/{{name}}",
                id="asset",
                tag="Server",
                summary="",
                parameters=(_segment("version"), _segment("name")),
                answers=(),
                handler=self.serve,
                open=True,
                listed=False,
            ),
        )

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


def _segment(name: str) -> Parameter:
    return Parameter(name=name, where="path", description="", schema={}, convert=str)
