"""The pages on which people make accounts, sign in and out, and set a password that they forgot."""

from collections.abc import Mapping
from typing import Any, Final

from mailsacd.core.errors import MailsacdError
from mailsacd.http.api.bodies import struct_of
from mailsacd.http.calls.sessions import SessionCalls, SignInBody, SignUpBody
from mailsacd.http.server.answer import Response
from mailsacd.mail.accounts.sessions import Sessions
from mailsacd.web.page import SIGN_IN, Page
from mailsacd.web.parameters import in_query
from mailsacd.web.refusals import REFUSALS
from mailsacd.web.visit import Visit, local_path

_MAX_NEXT: Final = 1_000


class SigningInPages:
    """``cookies`` makes the cookie of a session, as the API does."""

    def __init__(self, sessions: Sessions, cookies: SessionCalls) -> None:
        self._sessions = sessions
        self._cookies = cookies

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these pages."""
        return (
            Page(
                path=SIGN_IN,
                id="sign-in",
                parameters=(in_query("next", most=_MAX_NEXT),),
                handler=self.sign_in,
            ),
            Page(method="POST", path=SIGN_IN, id="sign-in.send", handler=self.signed_in),
            Page(
                path="/sign-up",
                id="sign-up",
                parameters=(in_query("invitation"),),
                handler=self.sign_up,
            ),
            Page(method="POST", path="/sign-up", id="sign-up.send", handler=self.signed_up),
            Page(method="POST", path="/sign-out", id="sign-out", handler=self.sign_out),
        )

    async def sign_in(self, visit: Visit) -> Response:
        """The form, unless somebody has signed in already."""
        if visit.actor.account is not None:
            return visit.redirect("/messages")
        return _sign_in(visit, visit["next"])

    async def signed_in(self, visit: Visit) -> Response:
        """Begin a session, and go on where its page was asked for."""
        fields = visit.fields()
        forward = local_path(str(fields.get("next", "")))
        try:
            body = struct_of(SignInBody, {n: fields[n] for n in fields if n != "next"})
            session = await self._sessions.sign_in(
                body.name,
                body.password,
                code=body.code,
                peer=visit.call.peer,
                agent=visit.call.agent,
            )
        except REFUSALS as e:
            return _sign_in(visit, forward, e, str(fields.get("name", "")))
        visit.add_cookie(self._cookies.cookie_begun(visit.call, session))
        return visit.redirect(forward or "/messages")

    async def sign_up(self, visit: Visit) -> Response:
        """The form to make an account."""
        return _sign_up(visit, {"invitation": visit["invitation"]})

    async def signed_up(self, visit: Visit) -> Response:
        """Make an account, and sign in to it."""
        fields = visit.filled_in()
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
        except REFUSALS as e:
            return _sign_up(visit, fields, e)
        visit.add_cookie(self._cookies.cookie_begun(visit.call, session))
        return visit.redirect("/messages", f"Welcome, {body.name}. The account is yours")

    async def sign_out(self, visit: Visit) -> Response:
        """End the session, and go to the start."""
        if visit.call.session is not None:
            await self._sessions.sign_out(visit.call.session, peer=visit.call.peer)
        visit.add_cookie(self._cookies.cookie_over(visit.call))
        return visit.redirect("/", "You have signed out")


def _sign_in(
    visit: Visit, forward: str, error: MailsacdError | None = None, name: str = ""
) -> Response:
    needs_code = error is not None and error.needs_code
    return visit.form("sign_in.html", error, name=name, next=forward, needs_code=needs_code)


def _sign_up(
    visit: Visit, fields: Mapping[str, Any], error: MailsacdError | None = None
) -> Response:
    shown = {name: str(fields.get(name, "")) for name in ("name", "email", "invitation")}
    return visit.form("sign_up.html", error, **shown)
