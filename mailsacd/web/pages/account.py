"""`/account`: the settings of an account, its password, and its end."""

from typing import Any, Final

from mailsacd.core.actor import own_account
from mailsacd.core.errors import ForbiddenError, MailsacdError, ThrottledError
from mailsacd.http.api.bodies import struct_of
from mailsacd.http.calls.account import MeBody, RemovalBody, changes_of
from mailsacd.http.calls.sessions import PasswordChangeBody, SessionCalls
from mailsacd.http.server.answer import Response
from mailsacd.mail.accounts.profile import Profiles
from mailsacd.mail.accounts.sessions import Sessions
from mailsacd.web.page import SIGN_IN, Page, PageHandler
from mailsacd.web.refusals import REFUSALS
from mailsacd.web.visit import Visit

PATH: Final = "/account"
REMOVE: Final = f"{PATH}/remove"


class AccountPages:
    """What may be done is decided in mail.accounts. ``cookies`` takes back that of a session."""

    def __init__(self, profiles: Profiles, sessions: Sessions, cookies: SessionCalls) -> None:
        self._profiles = profiles
        self._sessions = sessions
        self._cookies = cookies

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these pages."""
        return (
            Page(path=PATH, id="account", for_accounts=True, handler=self.show),
            _form("settings", self.change),
            _form("email", self.change_email),
            _form("password", self.change_password),
            Page(path=REMOVE, id="account.removal", for_accounts=True, handler=self.ask),
            _form("remove", self.remove),
        )

    async def show(self, visit: Visit) -> Response:
        """The account: what it may, has and wants."""
        return await self._shown(visit)

    async def change(self, visit: Visit) -> Response:
        """Write labels and switches."""
        fields = visit.fields()
        lines = str(fields.get("labels", "")).splitlines()
        labels = [label for line in lines if (label := line.strip())]
        switches = {n: _is_on(fields.get(n)) for n in ("capturePrivate", "disableSpam")}
        try:
            changes = changes_of(struct_of(MeBody, {"labels": labels, **switches}))
            await self._profiles.change(visit.actor, changes)
        except REFUSALS as e:
            return await self._shown(visit, e, labels="\n".join(labels))
        return visit.redirect(PATH, "The settings are saved")

    async def change_email(self, visit: Visit) -> Response:
        """Have letters, as that with a link for a new password, go elsewhere."""
        fields = visit.fields()
        email = str(fields.get("email", "")).strip()
        try:
            changes = changes_of(struct_of(MeBody, {"email": email}))
            password = str(fields.get("emailPassword", ""))
            await self._profiles.change(visit.actor, changes, password)
        except REFUSALS as e:
            of_password = isinstance(e, (ForbiddenError, ThrottledError))
            field = "emailPassword" if of_password else "email"
            return await self._shown(visit, e, field, email=email)
        return visit.redirect(PATH, "The mail address is changed")

    async def change_password(self, visit: Visit) -> Response:
        """Set the password of who has signed in, which ends all sessions of that login."""
        try:
            body = struct_of(PasswordChangeBody, visit.fields())
            await self._sessions.change_password(visit.actor, body.password, body.newPassword)
        except REFUSALS as e:
            return await self._shown(visit, e, "password")
        return visit.redirect(SIGN_IN, "The password is changed: sign in with it")

    async def ask(self, visit: Visit) -> Response:
        """The form that asks for the password once more."""
        own_account(visit.actor)
        return _asked(visit)

    async def remove(self, visit: Visit) -> Response:
        """Delete the account with all that it owns."""
        own_account(visit.actor)  # or else the form would be shown to who may not send it
        try:
            body = struct_of(RemovalBody, visit.filled_in())
            account = await self._profiles.remove(visit.actor, body.password, body.code)
        except REFUSALS as e:
            return _asked(visit, e)
        visit.add_cookie(self._cookies.cookie_over(visit.call))
        return visit.redirect("/", f"The account {account} is deleted")

    async def _shown(
        self, visit: Visit, error: MailsacdError | None = None, field: str = "", **given: Any
    ) -> Response:
        profile = await self._profiles.of(visit.actor)
        account = profile.account
        return visit.form(
            "account/account.html",
            error,
            field,
            **{"labels": "\n".join(account.labels), "email": account.email, **given},
            account=account,
            limits=profile.limits,
            used=profile.used,
            ops=profile.ops,
        )


def _asked(visit: Visit, error: MailsacdError | None = None) -> Response:
    field = "code" if error is not None and error.needs_code else "password"
    return visit.form("account/account_removal.html", error, field)


def _is_on(value: Any) -> bool:
    return bool(value == "true")


def _form(what: str, handler: PageHandler) -> Page:
    return Page(
        method="POST",
        path=f"{PATH}/{what}",
        id=f"account.{what}",
        for_accounts=True,
        handler=handler,
    )
