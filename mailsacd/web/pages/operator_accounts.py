"""`/operator/accounts` and `/operator/domains`: whoever has them, for operators alone."""

from typing import Any, Final

from mailsacd.core.errors import MailsacdError
from mailsacd.http.api.bodies import struct_of
from mailsacd.http.api.parameters import SKIP
from mailsacd.http.calls.operator_accounts import ACCOUNT_NAME, AccountChangeBody
from mailsacd.http.server.answer import Response
from mailsacd.mail.operating.accounts import OperatorAccounts
from mailsacd.web.filters import segment
from mailsacd.web.page import Page
from mailsacd.web.paging import paged
from mailsacd.web.parameters import in_query
from mailsacd.web.refusals import REFUSALS
from mailsacd.web.visit import Visit

PATH: Final = "/operator/accounts"
PER_PAGE: Final = 50
FIND: Final = in_query("find", most=254)


class OperatorAccountPages:
    """Everybody but an operator gets ForbiddenError from mail.operating.accounts."""

    def __init__(self, accounts: OperatorAccounts) -> None:
        self._accounts = accounts

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these pages."""
        one, named = f"{PATH}/{{account}}", (ACCOUNT_NAME,)
        return (
            Page(
                path=PATH,
                id="operator.accounts",
                parameters=(FIND, SKIP),
                for_accounts=True,
                handler=self.list,
            ),
            Page(
                path=one,
                id="operator.account",
                parameters=named,
                for_accounts=True,
                handler=self.show,
            ),
            Page(
                method="POST",
                path=one,
                id="operator.account.change",
                parameters=named,
                for_accounts=True,
                handler=self.change,
            ),
            Page(
                path="/operator/domains",
                id="operator.domains",
                parameters=(FIND, SKIP),
                for_accounts=True,
                handler=self.domains,
            ),
        )

    async def list(self, visit: Visit) -> Response:
        """Accounts by name, those that have a text in name or mail address."""
        find, skip = visit["find"], visit["skip"]
        found = await self._accounts.list(visit.actor, query=find, limit=PER_PAGE + 1, skip=skip)
        return visit.shown(
            "operator/accounts.html",
            accounts=found[:PER_PAGE],
            find=find,
            **paged(found, skip=skip, step=PER_PAGE),
        )

    async def show(self, visit: Visit) -> Response:
        """One account with its limits and what it has used of them."""
        return await self._shown(visit)

    async def change(self, visit: Visit) -> Response:
        """Change plan and mail address, or suspend or resume the account."""
        fields = visit.fields()
        try:
            body = struct_of(AccountChangeBody, fields)
            given = {"plan": body.plan, "email": body.email, "suspended": body.suspended}
            changes = {name: value for name, value in given.items() if value is not None}
            changed = await self._accounts.change(visit.actor, visit["account"], changes)
        except REFUSALS as e:
            field = "email" if "email" in fields else ""
            return await self._shown(visit, e, field, given=fields)
        told = "The account is changed"
        if body.suspended is not None:
            told = "The account is suspended" if body.suspended else "The account may go on"
        return visit.redirect(f"{PATH}/{segment(changed.account.name)}", told)

    async def domains(self, visit: Visit) -> Response:
        """Domains by name, those that have a text in name or account."""
        find, skip = visit["find"], visit["skip"]
        found = await self._accounts.domains(visit.actor, query=find, limit=PER_PAGE + 1, skip=skip)
        return visit.shown(
            "operator/domains.html",
            domains=found[:PER_PAGE],
            find=find,
            **paged(found, skip=skip, step=PER_PAGE),
        )

    async def _shown(
        self, visit: Visit, error: MailsacdError | None = None, field: str = "", **given: Any
    ) -> Response:
        overview = await self._accounts.get(visit.actor, visit["account"])
        return visit.form(
            "operator/account.html",
            error,
            field,
            **{"given": {}, **given},
            view=overview,
            plans=self._accounts.plans,
        )
