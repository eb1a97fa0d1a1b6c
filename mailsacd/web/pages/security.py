"""`/account/security`: the second factor of whoever has signed in, and where else that login is."""

from base64 import b64encode
from typing import Any, Final
from urllib.parse import quote

from mailsacd.core.errors import MailsacdError
from mailsacd.http.api.bodies import struct_of
from mailsacd.http.calls.second_factor import ConfirmationBody, EnrolmentBody, ProofBody
from mailsacd.http.calls.session_list import SESSION_ID
from mailsacd.http.server.answer import Response
from mailsacd.mail.accounts.second_factor import SecondFactors
from mailsacd.mail.accounts.session_list import SessionList
from mailsacd.web.filters import plural
from mailsacd.web.page import Page, PageHandler
from mailsacd.web.refusals import REFUSALS
from mailsacd.web.visit import Visit

PATH: Final = "/account/security"


class SecurityPages:
    """What may be done is decided in mail.accounts. Secrets are shown once, and never kept."""

    def __init__(self, factors: SecondFactors, sessions: SessionList) -> None:
        self._factors = factors
        self._sessions = sessions

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these pages."""
        return (
            Page(path=PATH, id="security", for_accounts=True, handler=self.show),
            _form("second-factor", self.begin),
            _form("second-factor/confirm", self.confirm),
            _form("second-factor/codes", self.renew),
            _form("second-factor/disable", self.disable),
            _form("sessions/end-others", self.end_others),
            Page(
                method="POST",
                path=f"{PATH}/sessions/{{sessionId}}/end",
                id="security.end-session",
                parameters=(SESSION_ID,),
                for_accounts=True,
                handler=self.end,
            ),
        )

    async def show(self, visit: Visit) -> Response:
        """How it stands with the second factor, and the sessions."""
        return await self._shown(visit)

    async def begin(self, visit: Visit) -> Response:
        """Show a new secret for a device, this once."""
        try:
            body = struct_of(EnrolmentBody, visit.fields())
            made = await self._factors.begin(visit.actor, body.password)
        except REFUSALS as e:
            return await self._shown(visit, e, "begin", "password")
        picture = b64encode(made.picture.encode()).decode("ascii")
        return _confirming(visit, secret=made.secret, uri=made.uri, picture=picture)

    async def confirm(self, visit: Visit) -> Response:
        """Have signing in take a code, and show the recovery codes, this once."""
        try:
            body = struct_of(ConfirmationBody, visit.fields())
            codes = await self._factors.confirm(visit.actor, body.code)
        except REFUSALS as e:
            if not (await self._factors.status(visit.actor)).since:
                return _confirming(visit, e)
            return await self._shown(visit, e, "begin")
        return _codes(visit, codes, "Signing in takes a code from now on")

    async def renew(self, visit: Visit) -> Response:
        """Show new recovery codes, this once."""
        try:
            body = struct_of(ProofBody, visit.fields())
            codes = await self._factors.renew_codes(visit.actor, body.password, body.code)
        except REFUSALS as e:
            return await self._shown(visit, e, "codes", _at(e))
        return _codes(visit, codes, "The recovery codes before these are good no more")

    async def disable(self, visit: Visit) -> Response:
        """Have signing in take the password alone."""
        try:
            body = struct_of(ProofBody, visit.fields())
            await self._factors.disable(visit.actor, body.password, body.code)
        except REFUSALS as e:
            return await self._shown(visit, e, "disable", _at(e))
        return visit.redirect(PATH, "Signing in takes the password alone now")

    async def end(self, visit: Visit) -> Response:
        """End one session of the login."""
        await self._sessions.end(visit.actor, visit["sessionId"])
        return visit.redirect(f"{PATH}#sessions", "The session is over")

    async def end_others(self, visit: Visit) -> Response:
        """End all sessions of the login but this one."""
        ended = await self._sessions.end_others(visit.actor, visit.call.session or "")
        told = f"{plural(ended, 'session')} ended" if ended else "There was no other session"
        return visit.redirect(f"{PATH}#sessions", told)

    async def _shown(
        self, visit: Visit, error: MailsacdError | None = None, form: str = "", field: str = ""
    ) -> Response:
        """``form`` is the one that ``error`` is about, and ``field`` what of it."""
        return visit.form(
            "account/security.html",
            error,
            field,
            factor=await self._factors.status(visit.actor),
            sessions=await self._sessions.list(visit.actor, visit.call.session or ""),
            wrong=form,
        )


def _form(what: str, handler: PageHandler) -> Page:
    return Page(
        method="POST",
        path=f"{PATH}/{what}",
        id=f"security.{what.replace('/', '.')}",
        for_accounts=True,
        handler=handler,
    )


def _confirming(visit: Visit, error: MailsacdError | None = None, **secrets: Any) -> Response:
    """The form that takes the first code of a device: the secret is there with the first one."""
    values = {"secret": "", "uri": "", "picture": "", **secrets}
    return visit.form("account/second_factor.html", error, "code", **values)


def _codes(visit: Visit, codes: list[str], told: str) -> Response:
    text = "".join(f"{code}\n" for code in codes)
    return visit.shown(
        "account/recovery_codes.html", codes=codes, text=text, file=quote(text), told=told
    )


def _at(error: MailsacdError) -> str:
    """The field of a proof that an error is about, of those that name none."""
    return "code" if error.needs_code else "password"
