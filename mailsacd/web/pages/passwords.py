"""`/forgotten` and `/reset-password`: a new password for who has forgotten the old one."""

from mailsacd.core.errors import MailsacdError
from mailsacd.http.api.bodies import struct_of
from mailsacd.http.calls.password_links import ForgottenPasswordBody
from mailsacd.http.calls.sessions import PasswordResetBody
from mailsacd.http.server.answer import Response
from mailsacd.mail.accounts.sessions import Sessions
from mailsacd.mail.sending.account_mail import AccountMail
from mailsacd.web.page import SIGN_IN, Page
from mailsacd.web.parameters import in_query
from mailsacd.web.refusals import REFUSALS
from mailsacd.web.visit import Visit

FORGOTTEN = "/forgotten"
RESET = "/reset-password"
"""Where letters and the operator's links lead to."""


class PasswordPages:
    """Who asks for a link learns nothing of whether there is such an account."""

    def __init__(self, account_mail: AccountMail, sessions: Sessions) -> None:
        self._account_mail = account_mail
        self._sessions = sessions

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these pages."""
        return (
            Page(path=FORGOTTEN, id="forgotten", handler=self.ask),
            Page(method="POST", path=FORGOTTEN, id="forgotten.send", handler=self.asked),
            Page(path=RESET, id="reset", parameters=(in_query("token"),), handler=self.reset),
            Page(method="POST", path=RESET, id="reset.send", handler=self.was_reset),
        )

    async def ask(self, visit: Visit) -> Response:
        """The form that asks for a link."""
        return self._forgotten(visit)

    async def asked(self, visit: Visit) -> Response:
        """Have the link sent, if there is such an account."""
        fields = visit.fields()
        try:
            body = struct_of(ForgottenPasswordBody, fields)
            self._account_mail.ask_for_reset(body.name, peer=visit.call.peer)
        except REFUSALS as e:
            return self._forgotten(visit, e, str(fields.get("name", "")))
        told = "If there is such an account, a link is on its way to its mail address"
        return visit.redirect(SIGN_IN, told)

    async def reset(self, visit: Visit) -> Response:
        """The form for the new password."""
        return self._reset(visit, visit["token"])

    async def was_reset(self, visit: Visit) -> Response:
        """Set the password, and have it typed in once to sign in."""
        fields = visit.fields()
        try:
            body = struct_of(PasswordResetBody, fields)
            await self._sessions.reset_password(body.token, body.password, peer=visit.call.peer)
        except REFUSALS as e:
            return self._reset(visit, str(fields.get("token", "")), e)
        return visit.redirect(SIGN_IN, "The password is set: sign in with it")

    def _forgotten(
        self, visit: Visit, error: MailsacdError | None = None, name: str = ""
    ) -> Response:
        return visit.form("forgotten.html", error, "name", name=name)

    def _reset(self, visit: Visit, token: str, error: MailsacdError | None = None) -> Response:
        return visit.form("reset.html", error, token=token)
