"""`/dashboard`: what an account has, and what happened to it of late."""

from typing import Final

from mailsacd.http.server.answer import Response
from mailsacd.mail.accounts.profile import Profiles
from mailsacd.mail.limits.warnings import mark_of
from mailsacd.mail.records.activity import Activity
from mailsacd.web.event_texts import text_of
from mailsacd.web.page import Page
from mailsacd.web.plot import percent_of
from mailsacd.web.visit import Visit

_EVENTS: Final = 8
_NAMED: Final = 10


class DashboardPage:
    """The page, and its declaration."""

    def __init__(self, profiles: Profiles, activity: Activity) -> None:
        self._profiles = profiles
        self._activity = activity

    def pages(self) -> tuple[Page, ...]:
        """Declare what is served here."""
        return (Page(path="/dashboard", id="dashboard", for_accounts=True, handler=self.show),)

    async def show(self, visit: Visit) -> Response:
        """The account's numbers beside its limits, the inboxes it works with, and some events."""
        profile = await self._profiles.of(visit.actor)
        stored, counts = await self._profiles.stored(visit.actor)
        events = await self._activity.list(visit.actor, limit=_EVENTS)
        limits, used = profile.limits, profile.used
        meters = (
            ("Messages kept", counts.held, limits.message_limit, "/messages"),
            ("Operations this month", profile.ops, limits.ops_per_month, "/usage"),
            ("Private addresses", used.addresses, limits.private_addresses, "/addresses"),
            ("Domains", used.domains, limits.domains, "/domains"),
            ("Recipients sent to this month", used.sends_this_month, limits.sends, "/outgoing"),
        )
        return visit.shown(
            "figures/dashboard.html",
            profile=profile,
            stored=stored,
            counts=counts,
            meters=[(*each, percent_of(each[1], each[2])) for each in meters],
            storage_mark=mark_of(counts.held, limits.message_limit),
            ops_mark=mark_of(profile.ops, limits.ops_per_month),
            events=[text_of(event) for event in events],
            named=_NAMED,
        )
