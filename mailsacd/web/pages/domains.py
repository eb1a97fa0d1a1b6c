"""`/domains`: the domains of an account, and each with its records, settings and load tests."""

from typing import Final

from mailsacd.core.errors import MailsacdError, NotFoundError
from mailsacd.core.load_test import MAX_HOURS
from mailsacd.http.api.bodies import struct_of
from mailsacd.http.api.parameters import DOMAIN
from mailsacd.http.calls.domains import DomainFlagsBody, flags_of
from mailsacd.http.calls.load_tests import LoadTestBody
from mailsacd.http.server.answer import Response
from mailsacd.mail.load_testing.load_tests import LoadTests
from mailsacd.mail.load_testing.summary import summary
from mailsacd.mail.ownership.domains import Domains
from mailsacd.mail.reading.account_mail import AccountMail
from mailsacd.web.filters import segment
from mailsacd.web.page import Page, PageHandler
from mailsacd.web.refusals import REFUSALS
from mailsacd.web.visit import Visit

LIST: Final = "/domains"
PATH: Final = f"{LIST}/{{domain}}"


class DomainPages:
    """What may be done is decided in mail.ownership.domains and mail.load_testing."""

    def __init__(self, domains: Domains, account_mail: AccountMail, tests: LoadTests) -> None:
        self._domains = domains
        self._account_mail = account_mail
        self._tests = tests

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these pages."""
        return (
            Page(path=LIST, id="domains", for_accounts=True, handler=self.list),
            Page(method="POST", path=LIST, id="domains.add", for_accounts=True, handler=self.add),
            Page(
                path=PATH, id="domain", parameters=(DOMAIN,), for_accounts=True, handler=self.show
            ),
            _form("settings", self.change),
            _form("check", self.check),
            _form("delete-mail", self.delete_mail),
            _form("remove", self.remove),
            _form("load-test", self.start_test),
            _form("load-test/end", self.end_test),
        )

    async def list(self, visit: Visit) -> Response:
        """The domains, and a form for another one."""
        return await self._listed(visit)

    async def add(self, visit: Visit) -> Response:
        """Add a domain, and go to the records that prove whose it is."""
        name = str(visit.fields().get("domain", "")).strip()
        try:
            view = await self._domains.add(visit.actor, name)
        except REFUSALS as e:
            return await self._listed(visit, e, name)
        told = "is yours" if view.domain.verified else "is added: publish its records next"
        return visit.redirect(_path(view.domain.name), f"{view.domain.name} {told}")

    async def show(self, visit: Visit) -> Response:
        """The domain with its records and settings."""
        return await self._shown(visit)

    async def change(self, visit: Visit) -> Response:
        """Write the settings, all or none of them."""
        try:
            flags = flags_of(struct_of(DomainFlagsBody, visit.fields()))
            view = await self._domains.change(visit.actor, visit["domain"], **flags)
        except REFUSALS as e:
            return await self._shown(visit, e)
        return visit.redirect(_path(view.domain.name), "The settings are saved")

    async def check(self, visit: Visit) -> Response:
        """Look at its DNS records now."""
        try:
            view = await self._domains.verify(visit.actor, visit["domain"])
        except REFUSALS as e:
            return await self._shown(visit, e)
        missing = [record for record in view.records if not record.published]
        told = "Some records are not there yet" if missing else "All records are there"
        return visit.redirect(_path(view.domain.name), told)

    async def delete_mail(self, visit: Visit) -> Response:
        """Delete all its mail, what is starred too."""
        try:
            await self._account_mail.purge_domain(visit.actor, visit["domain"])
        except REFUSALS as e:
            return await self._shown(visit, e)
        return await self._back(visit, "All its mail is deleted")

    async def remove(self, visit: Visit) -> Response:
        """Give the domain up, and go to those that are left."""
        name = await self._domains.remove(visit.actor, visit["domain"])
        return visit.redirect(LIST, f"{name} is removed. Its mail stays yours")

    async def start_test(self, visit: Visit) -> Response:
        """Count its mail for a while, and keep none of it."""
        try:
            body = struct_of(LoadTestBody, visit.filled_in())
            await self._tests.start(
                visit.actor, visit["domain"], hours=body.hours, header=body.latencyHeader
            )
        except REFUSALS as e:
            return await self._shown(visit, e)
        return await self._back(visit, "The load test has begun: mail is counted, and not kept")

    async def end_test(self, visit: Visit) -> Response:
        """Have its mail kept again."""
        await self._tests.end(visit.actor, visit["domain"])
        return await self._back(visit, "The load test has ended: mail is kept again")

    async def _back(self, visit: Visit, notice: str) -> Response:
        view, _, _ = await self._domains.get(visit.actor, visit["domain"])
        return visit.redirect(_path(view.domain.name), notice)

    async def _listed(
        self, visit: Visit, error: MailsacdError | None = None, domain: str = ""
    ) -> Response:
        views = await self._domains.of_account(visit.actor)
        return visit.form("account/domains.html", error, "domain", views=views, domain=domain)

    async def _shown(self, visit: Visit, error: MailsacdError | None = None) -> Response:
        view, count, catch_all = await self._domains.get(visit.actor, visit["domain"])
        try:
            test = summary(await self._tests.get(visit.actor, view.domain.name))
        except NotFoundError:
            test = None
        return visit.form(
            "account/domain.html",
            error,
            view=view,
            domain=view.domain,
            count=count,
            catch_all=catch_all,
            test=test,
            most_hours=MAX_HOURS,
        )


def _form(what: str, handler: PageHandler) -> Page:
    return Page(
        method="POST",
        path=f"{PATH}/{what}",
        id=f"domain.{what}",
        parameters=(DOMAIN,),
        for_accounts=True,
        handler=handler,
    )


def _path(name: str) -> str:
    return f"{LIST}/{segment(name)}"
