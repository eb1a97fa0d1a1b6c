"""`/addresses`: the private addresses of an account, and the reservation of others."""

import re
from typing import Final

from mailsacd.core.errors import InvalidInputError, MailsacdError
from mailsacd.http.api.parameters import SKIP
from mailsacd.http.server.answer import Response
from mailsacd.mail.accounts.profile import Profiles
from mailsacd.mail.ownership.addresses import MAX_BULK, Addresses
from mailsacd.web.filters import plural, segment
from mailsacd.web.page import Page
from mailsacd.web.paging import paged
from mailsacd.web.parameters import in_query
from mailsacd.web.refusals import REFUSALS
from mailsacd.web.visit import Visit

PATH: Final = "/addresses"
STEP: Final = 50
"""Addresses on one page."""
MAX_FORM_BYTES: Final = 131_072  # of MAX_BULK long addresses, encoded
_BETWEEN: Final = re.compile(r"[\s,;]+")
_PLACE: Final = re.compile(r"addresses\[(\d+)\]")


class AddressListPages:
    """What may be done is decided in mail.ownership.addresses."""

    def __init__(self, addresses: Addresses, profiles: Profiles) -> None:
        self._addresses = addresses
        self._profiles = profiles

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these pages."""
        return (
            Page(
                path=PATH,
                id="addresses",
                parameters=(in_query("find"), SKIP),
                for_accounts=True,
                handler=self.list,
            ),
            Page(
                method="POST",
                path=PATH,
                id="addresses.reserve",
                for_accounts=True,
                handler=self.reserve,
            ),
            Page(
                method="POST",
                path=f"{PATH}/several",
                id="addresses.reserve-all",
                for_accounts=True,
                max_body_bytes=MAX_FORM_BYTES,
                handler=self.reserve_all,
            ),
        )

    async def list(self, visit: Visit) -> Response:
        """The addresses, those of them that have a text in name or note."""
        return await self._shown(visit, find=visit["find"], skip=visit["skip"])

    async def reserve(self, visit: Visit) -> Response:
        """Reserve one address, and go to its settings."""
        email = str(visit.fields().get("address", "")).strip()
        try:
            view = await self._addresses.reserve(visit.actor, email)
        except REFUSALS as e:
            return await self._shown(visit, e, "address", address=email)
        return visit.redirect(f"{PATH}/{segment(view.email)}", f"{view.email} is yours")

    async def reserve_all(self, visit: Visit) -> Response:
        """Reserve all addresses of a text, or none."""
        text = str(visit.fields().get("addresses", ""))
        emails = [email for email in _BETWEEN.split(text) if email]
        try:
            views = await self._addresses.reserve_all(visit.actor, emails)
        except REFUSALS as e:
            return await self._shown(visit, _of_lines(e, emails), addresses=text)
        told = f"{plural(len(views), 'address', 'addresses')} are yours now"
        return visit.redirect(PATH, told if len(views) > 1 else f"{views[0].email} is yours")

    async def _shown(
        self,
        visit: Visit,
        error: MailsacdError | None = None,
        field: str = "addresses",
        *,
        find: str = "",
        skip: int = 0,
        **given: str,
    ) -> Response:
        found = await self._addresses.search(visit.actor, find, limit=STEP + 1, skip=skip)
        profile = await self._profiles.of(visit.actor)
        total = profile.used.addresses
        return visit.form(
            "account/addresses.html",
            error,
            field,
            **{"address": "", "addresses": "", **given},
            found=found[:STEP],
            total=total,
            left=max(profile.limits.private_addresses - total, 0),
            find=find,
            **paged(found, skip=skip, step=STEP),
            most=MAX_BULK,
        )


def _of_lines(error: MailsacdError, emails: list[str]) -> MailsacdError:
    """``error`` as one of the field that the addresses were typed into, each fault on a line."""
    if not isinstance(error, InvalidInputError) or not error.faults:
        return error
    lines = []
    for fault in error.faults:
        place = _PLACE.match(fault.field)
        lines.append(f"{emails[int(place[1])]}: {fault.problem}" if place else error.public)
    return InvalidInputError("\n".join(lines))
