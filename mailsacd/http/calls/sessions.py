"""The calls by which people sign up, in and out, and set passwords.

The session cookie is HttpOnly (no script reads it), SameSite=Lax (no other site's page sends it
along with a write), for what is below the server's prefix alone and, where there is TLS, Secure.
Writes that it authorises are checked for their origin in http.api.credentials on top of that.
"""

from functools import partial
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from mailsacd.core.token import iso_time
from mailsacd.http.api import schemas
from mailsacd.http.api.credentials import SESSION_COOKIE
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.accounts.passwords import MAX_CHARACTERS, MIN_CHARACTERS
from mailsacd.mail.accounts.sessions import Sessions, SignedIn

_TAG: Final = "Sessions"
_REFUSALS: Final = (400, 401, 403, 429, 503)
_operation = partial(Operation, tag=_TAG, refusals=_REFUSALS)
_DAY_S: Final = 86_400
_SIGNED_IN: Final = schemas.json_answer(
    "A session has begun: its token is in the cookie",
    schemas.object_of(
        {
            "_id": {"type": "string", "description": "The account"},
            "login": {"type": "string", "description": "Who signed in"},
            "team": {"type": "boolean", "description": "A team user, not the account's own login"},
            "expires": schemas.TIME,
        }
    ),
)
OK: Final = schemas.json_answer("Done", schemas.object_of({"ok": {"const": True}}))

Name = Annotated[str, Meta(min_length=1, max_length=254)]
Token = Annotated[str, Meta(min_length=1, max_length=100)]
Password = Annotated[str, Meta(max_length=MAX_CHARACTERS)]
Code = Annotated[str, Meta(max_length=40)]
NewPassword = Annotated[str, Meta(min_length=MIN_CHARACTERS, max_length=MAX_CHARACTERS)]


class SignUpBody(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants an account, with which password."""

    name: Name
    email: Name
    password: NewPassword
    invitation: Token | None = None


class SignInBody(msgspec.Struct, frozen=True, kw_only=True):
    """``name`` is of an account or a team user, or an account's mail address.

    ``code`` is of the second factor, where the login has one: of the device, or a recovery code.
    """

    name: Name
    password: Password
    code: Code | None = None


class PasswordChangeBody(msgspec.Struct, frozen=True, kw_only=True):
    """The password as it is, and the one that it is to be."""

    password: Password
    newPassword: NewPassword  # noqa: N815  the API's name


class PasswordResetBody(msgspec.Struct, frozen=True, kw_only=True):
    """``token`` is from a link that the operator gave out, or mail did."""

    token: Token
    password: NewPassword


class SessionCalls:
    """The handlers of the calls about sessions and passwords, and their declarations."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls about sessions and passwords."""
        return (*self._beginning_and_end(), *self._passwords())

    def _beginning_and_end(self) -> tuple[Operation, ...]:
        return (
            _operation(
                method="POST",
                path="/api/auth/sign-up",
                id="signUp",
                summary="Make an account, where the server's settings let people do so",
                body=SignUpBody,
                answers=(_SIGNED_IN,),
                refusals=(*_REFUSALS, 409),
                handler=self.sign_up,
            ),
            _operation(
                method="POST",
                path="/api/auth/login",
                id="signIn",
                summary="Begin a session",
                description="Where the login has a second factor, a right password without its "
                "`code`, or with a wrong one, is 401 with `secondFactor: true`.",
                body=SignInBody,
                answers=(_SIGNED_IN,),
                handler=self.sign_in,
            ),
            self._sign_out("/api/auth/logout", "signOut"),
            self._sign_out("/api/logout", "logout"),
        )

    def _passwords(self) -> tuple[Operation, ...]:
        return (
            _operation(
                method="PUT",
                path="/api/auth/password",
                id="changePassword",
                summary="Set another password; all sessions of the login end, this one too",
                body=PasswordChangeBody,
                needs_account=True,
                answers=(OK,),
                handler=self.change_password,
            ),
            _operation(
                method="POST",
                path="/api/auth/reset",
                id="resetPassword",
                summary="Set a password by the token of a link; all sessions of the login end",
                body=PasswordResetBody,
                answers=(OK,),
                handler=self.reset_password,
            ),
        )

    def _sign_out(self, path: str, operation_id: str) -> Operation:
        return _operation(
            method="POST",
            path=path,
            id=operation_id,
            summary="End the session of the cookie, if there is one",
            answers=(OK,),
            handler=self.sign_out,
        )

    async def sign_up(self, call: Call) -> Response:
        """Make an account, and begin a session of it."""
        body: SignUpBody = call.body
        signed_in = await self._sessions.sign_up(
            body.name,
            body.email,
            body.password,
            invitation=body.invitation,
            peer=call.peer,
            agent=call.agent,
        )
        return self._begun(call, signed_in)

    async def sign_in(self, call: Call) -> Response:
        """Begin a session, whose token is in the cookie of the answer."""
        body: SignInBody = call.body
        signed_in = await self._sessions.sign_in(
            body.name, body.password, code=body.code, peer=call.peer, agent=call.agent
        )
        return self._begun(call, signed_in)

    async def sign_out(self, call: Call) -> Response:
        """End the session of the cookie, if there is one, and take the cookie back."""
        if call.session is not None:
            await self._sessions.sign_out(call.session, peer=call.peer)
        return self.over(call)

    async def change_password(self, call: Call) -> Response:
        """Set another password, and take the cookie back: all sessions end."""
        body: PasswordChangeBody = call.body
        await self._sessions.change_password(call.actor, body.password, body.newPassword)
        return self.over(call)

    async def reset_password(self, call: Call) -> Response:
        """Set a password by the token of a link; whoever has set it signs in with it next."""
        body: PasswordResetBody = call.body
        await self._sessions.reset_password(body.token, body.password, peer=call.peer)
        return json_response({"ok": True})

    def over(self, call: Call) -> Response:
        """An answer that takes the session's cookie back."""
        answer = json_response({"ok": True})
        return Response(answer.body, headers=((b"Set-Cookie", self.cookie_over(call)),))

    def cookie_begun(self, call: Call, signed_in: SignedIn) -> bytes:
        """The cookie of a session that has begun, as Set-Cookie has it."""
        return call.new_cookie(SESSION_COOKIE, signed_in.token, self._sessions.days * _DAY_S)

    def cookie_over(self, call: Call) -> bytes:
        """What takes the cookie back, as Set-Cookie has it."""
        return call.new_cookie(SESSION_COOKIE, "", 0)

    def _begun(self, call: Call, signed_in: SignedIn) -> Response:
        login = signed_in.login
        answer = json_response(
            {
                "_id": login.account,
                "login": login.name,
                "team": login.team,
                "expires": iso_time(signed_in.expires),
            }
        )
        cookie = self.cookie_begun(call, signed_in)
        return Response(answer.body, headers=((b"Set-Cookie", cookie),))
