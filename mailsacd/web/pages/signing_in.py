"""The pages on which people make accounts, sign in and out, and set a password that they forgot."""

from collections.abc import Mapping
from typing import Any, Final

from mailsacd.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    MailsacdError,
    UnauthenticatedError,
)
from mailsacd.http.api.bodies import struct_of
from mailsacd.http.api.parameters import Parameter, text_up_to
from mailsacd.http.calls.sessions import SessionCalls, SignInBody, SignUpBody
from mailsacd.http.server.answer import Response
from mailsacd.mail.accounts.sessions import Sessions
from mailsacd.web.page import SIGN_IN, Page
from mailsacd.web.visit import Visit, local_path

_MAX_NEXT: Final = 1_000
_WRONG: Final = (InvalidInputError, UnauthenticatedError, ForbiddenError, ConflictError)
"""What a form is shown again for, with what is wrong."""


def _query(name: str) -> Parameter:
    return Parameter(
        name=name,
        where="query",
        description="",
        schema={},
        convert=text_up_to(_MAX_NEXT),
        default="",
    )


class SigningInPages:
    """``cookies`` makes the cookie of a session, as the API does."""

    def __init__(self, sessions: Sessions, cookies: SessionCalls) -> None:
        self._sessions = sessions
        self._cookies = cookies

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these pages."""
        return (
            Page(path=SIGN_IN, id="sign-in", parameters=(_query("next"),), handler=self.sign_in),
            Page(method="POST", path=SIGN_IN, id="sign-in.send", handler=self.signed_in),
            Page(
                path="/sign-up",
                id="sign-up",
                parameters=(_query("invitation"),),
                handler=self.sign_up,
            ),
            Page(method="POST", path="/sign-up", id="sign-up.send", handler=self.signed_up),
            Page(method="POST", path="/sign-out", id="sign-out", handler=self.sign_out),
        )

    async def sign_in(self, visit: Visit) -> Response:
        """The form, unless somebody has signed in already."""
        if visit.actor.account is not None:
            return visit.redirect("/messages")
        return self._sign_in(visit, {"next": visit["next"]})

    async def signed_in(self, visit: Visit) -> Response:
        """Begin a session, and go on where its page was asked for."""
        fields = dict(visit.fields())
        forward = local_path(str(fields.pop("next", "")))
        try:
            body = struct_of(SignInBody, fields)
            session = await self._sessions.sign_in(
                body.name,
                body.password,
                code=body.code,
                peer=visit.call.peer,
                agent=visit.call.agent,
            )
        except _WRONG as e:
            return self._sign_in(visit, {**fields, "next": forward}, e)
        visit.add_cookie(self._cookies.cookie_begun(visit.call, session))
        return visit.redirect(forward or "/messages")

    async def sign_up(self, visit: Visit) -> Response:
        """The form to make an account."""
        return self._sign_up(visit, {"invitation": visit["invitation"]})

    async def signed_up(self, visit: Visit) -> Response:
        """Make an account, and sign in to it."""
        fields = {name: value for name, value in visit.fields().items() if value}
        try:
            body = struct_of(SignUpBody, fields)
            session = await self._sessions.sign_up(
                body.name,
                body.email,
                body.password,
                invitation=body.invitation,
                peer=visit.call.peer,
                agent=visit.call.agent,
            )
        except _WRONG as e:
            return self._sign_up(visit, fields, e)
        visit.add_cookie(self._cookies.cookie_begun(visit.call, session))
        return visit.redirect("/messages", f"Welcome, {body.name}. The account is yours")

    async def sign_out(self, visit: Visit) -> Response:
        """End the session, and go to the start."""
        if visit.call.session is not None:
            await self._sessions.sign_out(visit.call.session, peer=visit.call.peer)
        visit.add_cookie(self._cookies.cookie_over(visit.call))
        return visit.redirect("/", "You have signed out")

    def _sign_in(
        self, visit: Visit, fields: Mapping[str, Any], error: MailsacdError | None = None
    ) -> Response:
        status = 200 if error is None else 400
        forward = str(fields.get("next", ""))
        needs_code = error is not None and error.needs_code
        shown = told(error, {n: v for n, v in fields.items() if n != "code"})
        return visit.shown("sign_in.html", status, **shown, next=forward, needs_code=needs_code)

    def _sign_up(
        self, visit: Visit, fields: Mapping[str, Any], error: MailsacdError | None = None
    ) -> Response:
        return visit.shown("sign_up.html", 200 if error is None else 400, **told(error, fields))


def told(error: MailsacdError | None, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What a form is shown again with: what was filled in but for passwords, and what is wrong."""
    kept = {n: v for n, v in fields.items() if "assword" not in n}
    faults = error.faults if isinstance(error, InvalidInputError) else ()
    return {
        "fields": kept,
        "faults": {fault.field: fault.problem for fault in faults},
        "problem": "" if error is None or faults else error.public,
    }
