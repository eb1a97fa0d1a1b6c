"""How a page is declared, and what is checked before it is made."""

import re
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import quote

from mailsacd.core.errors import ForbiddenError
from mailsacd.http.api.operation import MAX_BODY_BYTES, Call, Operation
from mailsacd.http.api.parameters import Parameter
from mailsacd.http.server.answer import Response, Streamed
from mailsacd.web.filters import segment
from mailsacd.web.rendering import Rendering
from mailsacd.web.visit import Visit

SIGN_IN: Final = "/sign-in"
_IN_BRACES: Final = re.compile(r"\{([A-Za-z0-9]+)\}")

PageHandler = Callable[[Visit], Coroutine[Any, Any, Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """``path`` has its parameters in braces, and does not begin with ``/mail``: people choose that
    for a prefix, and may not choose a path of the server's own. Who has not signed in is sent to do
    so where the page is ``for_accounts``. A form is sent by POST, and answered by a redirect, or by
    the page again.
    """

    path: str
    id: str
    handler: PageHandler
    method: str = "GET"
    parameters: tuple[Parameter, ...] = ()
    for_accounts: bool = False
    max_body_bytes: int = MAX_BODY_BYTES


class PageGroup(Protocol):
    """Pages that belong together."""

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these pages."""


class Pages:
    """The pages of ``groups``, as the calls that HTTP knows."""

    def __init__(self, groups: Iterable[PageGroup], rendering: Rendering) -> None:
        self._groups = tuple(groups)
        self._rendering = rendering

    def operations(self) -> tuple[Operation, ...]:
        """Declare all of these pages."""
        return tuple(self._operation(page) for group in self._groups for page in group.pages())

    def _operation(self, page: Page) -> Operation:
        async def handler(call: Call) -> Response | Streamed:
            return await self._answer(page, call)

        return Operation(
            method=page.method,
            path=page.path,
            id=f"page {page.id}",
            tag="Pages",
            summary="",
            parameters=page.parameters,
            answers=(),
            handler=handler,
            listed=False,
            echoes=True,  # with the form's token in it
            max_body_bytes=page.max_body_bytes,
        )

    async def _answer(self, page: Page, call: Call) -> Response:
        await self._rendering.ready()
        was_got = page.method == "GET"
        render = self._rendering.render
        visit = Visit(call=call, page=page.id, was_got=was_got, render=render)
        if page.for_accounts and call.actor.account is None:
            return visit.redirect(_sign_in_for(page, call))
        if not was_got and not visit.is_form_of_ours():
            raise ForbiddenError("The form has expired: load its page again, and send it once more")
        return await page.handler(visit)


def _sign_in_for(page: Page, call: Call) -> str:
    """The path of the page to sign in on, which comes back to where one was."""
    if page.method != "GET":
        return SIGN_IN
    here = _IN_BRACES.sub(lambda name: segment(str(call[name[1]])), page.path)
    return f"{SIGN_IN}?next={quote(here)}"
