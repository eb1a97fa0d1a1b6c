"""`/account/team`: the team users of an account, and who of them manages it for a while."""

from typing import Any, Final

from mailsacd.core.actor import managed_account, own_account
from mailsacd.core.errors import MailsacdError
from mailsacd.http.api.bodies import struct_of
from mailsacd.http.calls.team import USER_NAME, ElevationBody, NewUserBody
from mailsacd.http.server.answer import Response
from mailsacd.mail.accounts.profile import Profiles
from mailsacd.mail.accounts.team import MAX_MINUTES, Team
from mailsacd.web.filters import full_time
from mailsacd.web.page import Page, PageHandler
from mailsacd.web.refusals import REFUSALS
from mailsacd.web.visit import Visit

PATH: Final = "/account/team"
USUAL_MINUTES: Final = 30


class TeamPages:
    """Only who manages the account sees any of these; its own login makes and elevates users."""

    def __init__(self, team: Team, profiles: Profiles) -> None:
        self._team = team
        self._profiles = profiles

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these pages."""
        return (
            Page(path=PATH, id="team", for_accounts=True, handler=self.show),
            Page(method="POST", path=PATH, id="team.add", for_accounts=True, handler=self.add),
            _of_user("remove", self.remove),
            _of_user("elevate", self.elevate),
            _of_user("end-elevation", self.end_elevation),
        )

    async def show(self, visit: Visit) -> Response:
        """The team users, and a form for another one."""
        return await self._shown(visit)

    async def add(self, visit: Visit) -> Response:
        """Make a team user, who signs in with the password of the form."""
        own_account(visit.actor)  # or else the form would be shown to who may not send it
        fields = visit.fields()
        try:
            body = struct_of(NewUserBody, fields)
            name = await self._team.add(visit.actor, body.name, body.password)
        except REFUSALS as e:
            name = str(fields.get("name", ""))
            return await self._shown(visit, name=name, error=e, field="name")
        return visit.redirect(PATH, f"{name} can sign in now: tell them the password")

    async def remove(self, visit: Visit) -> Response:
        """Delete a team user, whose sessions end at once."""
        await self._team.remove(visit.actor, visit["name"])
        return visit.redirect(PATH, f"{visit['name']} is removed and signed out everywhere")

    async def elevate(self, visit: Visit) -> Response:
        """Have a team user manage the account for so many minutes."""
        own_account(visit.actor)
        try:
            body = struct_of(ElevationBody, visit.fields())
            until = await self._team.elevate(visit.actor, visit["name"], body.minutes)
        except REFUSALS as e:
            return await self._shown(visit, wrong=visit["name"], error=e)
        return visit.redirect(PATH, f"{visit['name']} manages the account until {full_time(until)}")

    async def end_elevation(self, visit: Visit) -> Response:
        """Have a team user manage the account no more."""
        await self._team.end_elevation(visit.actor, visit["name"])
        return visit.redirect(PATH, f"{visit['name']} does not manage the account any more")

    async def _shown(
        self, visit: Visit, *, error: MailsacdError | None = None, field: str = "", **given: Any
    ) -> Response:
        """``wrong`` is the user whose form ``error`` is about; without one it is the new user."""
        managed_account(visit.actor)
        users = await self._team.list(visit.actor)
        room = (await self._profiles.of(visit.actor)).limits.users
        return visit.form(
            "account/team.html",
            error,
            field,
            users=users,
            left=max(room - len(users), 0),
            most=MAX_MINUTES,
            usual=USUAL_MINUTES,
            **{"name": "", "wrong": "", **given},
        )


def _of_user(what: str, handler: PageHandler) -> Page:
    return Page(
        method="POST",
        path=f"{PATH}/{{name}}/{what}",
        id=f"team.{what}",
        parameters=(USER_NAME,),
        for_accounts=True,
        handler=handler,
    )
