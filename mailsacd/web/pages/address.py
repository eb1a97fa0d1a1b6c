"""`/addresses/{email}`: one private address, with all its settings."""

from typing import Any, Final

from mailsacd.core.errors import (
    Fault,
    ForbiddenError,
    InvalidInputError,
    MailsacdError,
    UnauthenticatedError,
)
from mailsacd.http.api.bodies import struct_of
from mailsacd.http.api.parameters import EMAIL
from mailsacd.http.calls.addresses import AddressSettingsBody, settings_of
from mailsacd.http.server.answer import Response
from mailsacd.mail.delivering.deliveries import Deliveries
from mailsacd.mail.delivering.webhook_tests import WebhookTests
from mailsacd.mail.ownership.address_view import AddressView
from mailsacd.mail.ownership.addresses import Addresses
from mailsacd.web.filters import segment
from mailsacd.web.page import Page, PageHandler
from mailsacd.web.pages.addresses import PATH as LIST
from mailsacd.web.parameters import in_path
from mailsacd.web.refusals import REFUSALS
from mailsacd.web.visit import Visit

PATH: Final = f"{LIST}/{{email}}"
LISTED: Final = 20
"""The newest deliveries, on the page of their address."""
_YES: Final = "yes"


class AddressPages:
    """What may be done is decided in mail.ownership.addresses."""

    def __init__(self, addresses: Addresses, deliveries: Deliveries, tests: WebhookTests) -> None:
        self._addresses = addresses
        self._deliveries = deliveries
        self._tests = tests

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these pages."""
        return (
            Page(
                path=PATH, id="address", parameters=(EMAIL,), for_accounts=True, handler=self.show
            ),
            _form("settings", self.change),
            _form("password", self.set_password),
            _form("release", self.release),
            _form("test", self.send_test),
            _form("deliveries/{deliveryId}/redeliver", self.redeliver),
        )

    async def show(self, visit: Visit) -> Response:
        """The address with its settings, or how to reserve it."""
        return await self._shown(visit)

    async def change(self, visit: Visit) -> Response:
        """Write the settings but for the password."""
        fields = visit.fields()
        try:
            settings = settings_of(struct_of(AddressSettingsBody, fields))
            view = await self._addresses.change(visit.actor, visit["email"], settings)
        except REFUSALS as e:
            return await self._shown(visit, e, given=fields)
        return visit.redirect(_path(view), "The settings are saved")

    async def set_password(self, visit: Visit) -> Response:
        """Set the password for mail programs, or clear it."""
        clears = visit.fields().get("clear") == _YES
        password = None if clears else str(visit.fields().get("password", ""))
        try:
            if password == "":
                problem = "is missing"
                raise InvalidInputError(problem, (Fault(field="password", problem=problem),))
            settings = settings_of(struct_of(AddressSettingsBody, {"password": password}))
            view = await self._addresses.change(visit.actor, visit["email"], settings)
        except REFUSALS as e:
            return await self._shown(visit, e)
        told = "The password is removed" if clears else "The password is set"
        return visit.redirect(_path(view), told)

    async def release(self, visit: Visit) -> Response:
        """Give the address up, with its mail if that is wanted."""
        deletes = visit.fields().get("deleteAddressMessages") == _YES
        try:
            view = await self._addresses.release(
                visit.actor, visit["email"], delete_messages=deletes
            )
        except REFUSALS as e:
            return await self._shown(visit, e)
        told = ", and its mail is deleted" if deletes else ", and its mail stays yours"
        return visit.redirect(LIST, f"{view.email} is released{told}")

    async def send_test(self, visit: Visit) -> Response:
        """Have webhook and Slack posted to once, about a message that is not kept."""
        view = await self._mine(visit)
        try:
            await self._tests.begin(visit.actor, view.email)
        except REFUSALS as e:
            return await self._shown(visit, e)
        told = "A test is posted: what comes of it is shown here"
        return visit.redirect(f"{_path(view)}#deliveries", told)

    async def redeliver(self, visit: Visit) -> Response:
        """Have a delivery tried again now."""
        try:
            await self._deliveries.redeliver(visit.actor, visit["deliveryId"])
        except REFUSALS as e:
            return await self._shown(visit, e)
        view = await self._mine(visit)
        return visit.redirect(f"{_path(view)}#deliveries", "It is tried again now")

    async def _mine(self, visit: Visit) -> AddressView:
        """The address. Raises ForbiddenError where it is another account's."""
        try:
            return await self._addresses.get(visit.actor, visit["email"], peer=visit.call.peer)
        except UnauthenticatedError as e:  # he has signed in: it would not help to do so again
            raise ForbiddenError(e.public) from e

    async def _shown(
        self, visit: Visit, error: MailsacdError | None = None, **values: Any
    ) -> Response:
        view = await self._mine(visit)
        template = "account/address_free.html" if view.address is None else "account/address.html"
        values = {"given": {}, **values}
        if view.address is not None:
            values["deliveries"] = await self._deliveries.list(
                visit.actor, address=view.email, state=None, limit=LISTED, skip=0
            )
            values["secret"] = await self._deliveries.secret(visit.actor)
        return visit.form(template, error, view=view, settings=view.address, **values)


def _form(what: str, handler: PageHandler) -> Page:
    parameters = (EMAIL, in_path("deliveryId")) if "{" in what else (EMAIL,)
    return Page(
        method="POST",
        path=f"{PATH}/{what}",
        id=f"address.{what.partition('/')[0]}",
        parameters=parameters,
        for_accounts=True,
        handler=handler,
    )


def _path(view: AddressView) -> str:
    return f"{LIST}/{segment(view.email)}"
