"""Calls that tell where their client sees the server."""

from collections.abc import Callable
from typing import Any

from twisted.internet import reactor as the_reactor

from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.app import make_site
from mailsacd.http.server.answer import Response, json_response
from mailsacd.settings import HttpSettings
from mailsacd.store.pool import Database
from tests.lanes import LANES
from tests.mail.authenticators import authenticator

reactor: Any = the_reactor
Listen = Callable[[Any], int]

LOOPBACK = ("127.0.0.0/8",)
LARGE = 300
"""Bytes that `POST /place` takes."""


class Places:
    """`/place` and `/place/{name}` answer with origin and prefix."""

    def operations(self) -> tuple[Operation, ...]:
        """Declare the calls."""

        def operation(method: str, path: str, **more: Any) -> Operation:
            return Operation(
                method=method, path=path, id=method + path, tag="T", summary="S",
                answers=(), handler=self.place, **more,
            )  # fmt: skip

        return (
            operation("GET", "/place"),
            operation("GET", "/place/{name}"),
            operation("POST", "/place", max_body_bytes=LARGE),
        )

    async def place(self, call: Call) -> Response:
        """What the call knows of its place."""
        return json_response([call.origin, call.prefix])


def listen_at(listen: Listen, database: Database, **settings: Any) -> int:
    """The port of a site with these ``settings`` of HTTP."""
    chosen = HttpSettings(**settings)
    return listen(make_site((Places(),), authenticator(database), chosen, LANES.readers, reactor))


def fields_of(names: dict[str, str]) -> dict[str, str]:
    """Header fields, written with underscores."""
    return {name.replace("_", "-"): value for name, value in names.items()}
