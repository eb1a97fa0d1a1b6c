"""The calls by which operators look after accounts and domains, whoever has them."""

from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from mailsacd.core.account import Account
from mailsacd.core.errors import NotFoundError
from mailsacd.core.ownership import Domain
from mailsacd.core.token import iso_time
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import LIMIT, SKIP, Parameter, text_up_to
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.operating.accounts import OperatorAccounts, Overview
from mailsacd.plan_settings import PlanSettings

_operation = partial(Operation, tag="Operator", refusals=(400, 401, 403, 503))
_MAX_NAME: Final = 63
_MAX_QUERY: Final = 254
_COUNT: Final = {"type": "integer", "minimum": 0}
_FLAG: Final = {"type": "boolean"}

QUERY: Final = Parameter(
    name="query",
    where="query",
    description="Only those of which this is a part.",
    schema={"type": "string"},
    convert=text_up_to(_MAX_QUERY),
    default="",
)
PAGE: Final = (QUERY, replace(LIMIT, description="At most so many."), SKIP)
"""The parameters of a list of which there may be very many."""


_ACCOUNT: Final[dict[str, Any]] = {
    "name": schemas.STRING,
    "email": schemas.STRING,
    "plan": schemas.STRING,
    "overrides": {"type": "object", "description": "Limits of this account alone"},
    "capturePrivate": _FLAG,
    "disableSpam": _FLAG,
    "suspended": _FLAG,
    "operator": {**_FLAG, "description": "It looks after the server"},
    "created": schemas.TIME,
}
_OVERVIEW: Final[dict[str, Any]] = {
    **_ACCOUNT,
    "limits": {"type": "object", "description": "Those in force"},
    "storedMessages": {**_COUNT, "description": "What counts against its limit"},
    "starredMessages": _COUNT,
    "storedBytes": {**_COUNT, "description": "Of raw messages"},
    "addresses": _COUNT,
    "domains": _COUNT,
    "users": _COUNT,
    "operationsThisMonth": _COUNT,
    "sendsThisMonth": _COUNT,
}
_DOMAIN: Final[dict[str, Any]] = {
    "_id": schemas.STRING,
    "owner": schemas.STRING,
    "created": schemas.TIME,
    "hosted": _FLAG,
    "isPrivate": _FLAG,
    "verified": _FLAG,
    "verifiedMx": _FLAG,
    "lastVerificationErrors": {"type": ["string", "null"]},
}


def _account_name(text: str) -> str:
    if len(text) > _MAX_NAME or not text.isprintable():
        raise NotFoundError("There is no such account")
    return text


ACCOUNT_NAME: Final = Parameter(
    name="account",
    where="path",
    description="The account's name.",
    schema={"type": "string"},
    convert=_account_name,
)
_ACCOUNTS: Final = schemas.list_of(schemas.object_of(_ACCOUNT))


class AccountChangeBody(msgspec.Struct, frozen=True, kw_only=True):
    """What is given is set. A limit that is null is the plan's again."""

    email: Annotated[str, Meta(min_length=1, max_length=254)] | None = None
    plan: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    suspended: bool | None = None
    limits: dict[str, int | bool | None] | None = None


class OperatorAccountCalls:
    """The handlers of these calls, and their declarations."""

    def __init__(self, accounts: OperatorAccounts) -> None:
        self._accounts = accounts

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls of operators about accounts and domains."""
        return (self._listing(), *self._one(), self._domains())

    def _listing(self) -> Operation:
        return _operation(
            method="GET",
            path="/api/operator/accounts",
            id="operatorListAccounts",
            summary="Accounts by name; of a query the name or the mail address",
            parameters=PAGE,
            answers=(schemas.json_answer("The list", _ACCOUNTS),),
            handler=self.list,
        )

    def _one(self) -> tuple[Operation, ...]:
        path, answer = "/api/operator/accounts/{account}", schemas.object_of(_OVERVIEW)
        return (
            _operation(
                method="GET",
                path=path,
                id="operatorGetAccount",
                summary="An account with its limits and what it has used of them",
                parameters=(ACCOUNT_NAME,),
                answers=(schemas.json_answer("The account", answer),),
                refusals=(400, 401, 403, 404, 503),
                handler=self.get,
            ),
            _operation(
                method="PUT",
                path=path,
                id="operatorUpdateAccount",
                summary="Change an account's plan, limits or mail address, suspend or resume it",
                parameters=(ACCOUNT_NAME,),
                body=AccountChangeBody,
                needs_account=True,
                answers=(schemas.json_answer("The account", answer),),
                refusals=(400, 401, 403, 404, 409, 503),
                handler=self.change,
            ),
        )

    def _domains(self) -> Operation:
        return _operation(
            method="GET",
            path="/api/operator/domains",
            id="operatorListDomains",
            summary="Domains of all accounts by name; of a query the name or the account",
            parameters=PAGE,
            answers=(schemas.json_answer("The list", schemas.list_of(schemas.object_of(_DOMAIN))),),
            handler=self.domains,
        )

    async def list(self, call: Call) -> Response:
        """Answer with accounts, in the order of their names."""
        found = await self._accounts.list(
            call.actor, query=call["query"], limit=call["limit"], skip=call["skip"]
        )
        return json_response([_account_json(account) for account in found])

    async def get(self, call: Call) -> Response:
        """Answer with an account, its limits and what it has used of them."""
        return _answer(await self._accounts.get(call.actor, call["account"]))

    async def change(self, call: Call) -> Response:
        """Change an account, and answer with it as it is then."""
        body: AccountChangeBody = call.body
        given = {
            "email": body.email,
            "plan": body.plan,
            "suspended": body.suspended,
            "overrides": body.limits,
        }
        changes = {name: value for name, value in given.items() if value is not None}
        return _answer(await self._accounts.change(call.actor, call["account"], changes))

    async def domains(self, call: Call) -> Response:
        """Answer with domains of all accounts, in the order of their names."""
        found = await self._accounts.domains(
            call.actor, query=call["query"], limit=call["limit"], skip=call["skip"]
        )
        return json_response([_domain_json(domain) for domain in found])


def account_json(account: Account, limits: PlanSettings) -> dict[str, Any]:
    """An account with the limits in force, as operators are shown it."""
    return {**_account_json(account), "limits": msgspec.structs.asdict(limits)}


def _account_json(account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "email": account.email,
        "plan": account.plan,
        "overrides": dict(account.overrides),
        "capturePrivate": account.capture_private,
        "disableSpam": account.disable_spam,
        "suspended": account.suspended,
        "operator": account.operator,
        "created": iso_time(account.created),
    }


def _answer(overview: Overview) -> Response:
    used, counts = overview.used, overview.counts
    return json_response(
        {
            **account_json(overview.account, overview.limits),
            "storedMessages": counts.held,
            "starredMessages": counts.starred,
            "storedBytes": counts.bytes,
            "addresses": used.addresses,
            "domains": used.domains,
            "users": used.users,
            "operationsThisMonth": used.ops_this_month,
            "sendsThisMonth": used.sends_this_month,
        }
    )


def _domain_json(domain: Domain) -> dict[str, Any]:
    return {
        "_id": domain.name,
        "owner": domain.owner,
        "created": iso_time(domain.created),
        "hosted": domain.hosted,
        "isPrivate": domain.is_private,
        "verified": domain.verified,
        "verifiedMx": domain.verified_mx,
        "lastVerificationErrors": "; ".join(domain.errors) or None,
    }
