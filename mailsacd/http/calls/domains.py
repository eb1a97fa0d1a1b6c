"""The calls about domains. What may be done is decided in mail.ownership.domains."""

from functools import partial
from typing import Any, ClassVar, Final, Literal

from msgspec import UNSET, UnsetType

from mailsacd.core.token import iso_time
from mailsacd.http.api import schemas
from mailsacd.http.api.bodies import Returnable
from mailsacd.http.api.operation import Answer, Call, Handler, Operation
from mailsacd.http.api.parameters import DOMAIN, Parameter, yes_or_no
from mailsacd.http.calls.addresses import address_json
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.ownership.domain_records import DomainView
from mailsacd.mail.ownership.domains import Domains

_TAG: Final = "Domains"
_REFUSALS: Final = (400, 401, 403, 404, 503)
_operation = partial(Operation, tag=_TAG, refusals=_REFUSALS)

IS_PRIVATE: Final = Parameter(
    name="isPrivateBoolean",
    where="path",
    description="`true` keeps the domain's mail to the account, `false` shows it to everybody.",
    schema={"type": "string", "enum": ["true", "false", "1", "0"]},
    convert=yes_or_no,
)


class DomainFlagsBody(Returnable, frozen=True, kw_only=True):
    """Flags of a domain: what is left out stays, and `""` or null clears.

    A domain as GET answers it, alone or in a list, may be sent back.
    """

    ignored: ClassVar[frozenset[str]] = frozenset(
        {
            "_id",
            "owner",
            "created",
            "updated",
            "hosted",
            "verified",
            "verifiedMx",
            "verificationTxt",
            "lastVerificationErrors",
            "records",
            "domain",
            "totalMessages",
            "catchAllAddress",
        }
    )
    spellings: ClassVar[dict[str, str]] = {"enabledws": "enablews"}

    enablews: bool | Literal[""] | UnsetType | None = UNSET
    isDefault: bool | Literal[""] | UnsetType | None = UNSET  # noqa: N815  the API's spelling
    isPrivate: bool | UnsetType = UNSET  # noqa: N815  the API's spelling
    catchAll: bool | Literal[""] | UnsetType | None = UNSET  # noqa: N815  the API's spelling


def _change(path: str, operation_id: str, summary: str, handler: Handler, **more: Any) -> Operation:
    return _operation(
        method="PUT",
        path=path,
        id=operation_id,
        summary=summary,
        answers=(_domain_answer("The domain as it is now"),),
        handler=handler,
        **{"parameters": (DOMAIN,), **more},
    )


class DomainCalls:
    """The handlers of the calls about the account's domains, and their declarations."""

    def __init__(self, domains: Domains) -> None:
        self._domains = domains

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls about the account's domains."""
        return (*self._reading(), *self._owning(), *self._changing())

    def _reading(self) -> tuple[Operation, ...]:
        return (
            _operation(
                method="GET",
                path="/api/domains",
                id="listDomains",
                summary="The domains of the account, the default one first",
                answers=(
                    schemas.json_answer("The list", schemas.list_of(schemas.named("Domain"))),
                ),
                refusals=(400, 401, 503),
                handler=self.list,
            ),
            _operation(
                method="GET",
                path="/api/domains/{domain}",
                id="getDomain",
                summary="A domain of the account, its number of messages, its catch-all",
                parameters=(DOMAIN,),
                answers=(schemas.json_answer("The domain", schemas.named("DomainAndCount")),),
                refusals=(400, 401, 404, 503),
                handler=self.get,
            ),
        )

    def _owning(self) -> tuple[Operation, ...]:
        return (
            _operation(
                method="POST",
                path="/api/domains/{domain}",
                id="createDomain",
                summary="Add a domain, to be verified next",
                description="Several accounts may add a domain; whoever verifies it has it. 409 "
                "when the account has added it already, and for a name below the hosting domain "
                "that is in use; 400 when the account has no credits left.",
                parameters=(DOMAIN,),
                answers=(_domain_answer("It is added"),),
                refusals=(400, 401, 403, 409, 503),
                handler=self.add,
            ),
            _operation(
                method="DELETE",
                path="/api/domains/{domain}",
                id="deleteDomain",
                summary="Remove a domain; its mail stays the account's",
                parameters=(DOMAIN,),
                answers=(schemas.json_answer("It is removed", schemas.named("DomainRemoval")),),
                handler=self.remove,
            ),
        )

    def _changing(self) -> tuple[Operation, ...]:
        return (
            _change(
                "/api/domains/{domain}",
                "updateDomain",
                "Set flags of a domain",
                self.change,
                body=DomainFlagsBody,
                needs_account=True,
                description="`catchAll` reserves `*@domain`, for a credit, where that is not done.",
            ),
            _change(
                "/api/domains/{domain}/verify",
                "verifyDomain",
                "Look at the domain's DNS records now",
                self.verify,
                description="The TXT record proves that the domain is the account's, the MX record "
                "that its mail comes here. What is amiss is in `lastVerificationErrors`.",
                refusals=(*_REFUSALS, 429),
            ),
            _change(
                "/api/domains/{domain}/privacy/{isPrivateBoolean}",
                "setDomainPrivacy",
                "Keep the domain's mail to the account, or show it to everybody",
                self.set_privacy,
                parameters=(DOMAIN, IS_PRIVATE),
            ),
        )

    async def list(self, call: Call) -> Response:
        """Answer with the account's domains, the default one first."""
        return json_response([domain_json(v) for v in await self._domains.of_account(call.actor)])

    async def get(self, call: Call) -> Response:
        """Answer with a domain: ``{domain, totalMessages, catchAllAddress}``."""
        view, count, catch_all = await self._domains.get(call.actor, call["domain"])
        return json_response(
            {
                "domain": domain_json(view),
                "totalMessages": count,
                "catchAllAddress": catch_all and address_json(catch_all),
            }
        )

    async def add(self, call: Call) -> Response:
        """Add a domain to the account, and answer with it as a domain object."""
        return json_response(domain_json(await self._domains.add(call.actor, call["domain"])))

    async def remove(self, call: Call) -> Response:
        """Take a domain from the account, and answer with its name: ``{message, _id}``."""
        name = await self._domains.remove(call.actor, call["domain"])
        return json_response({"message": "Domain was removed.", "_id": name})

    async def verify(self, call: Call) -> Response:
        """Look at the domain's DNS records now, and answer with what was found."""
        return json_response(domain_json(await self._domains.verify(call.actor, call["domain"])))

    async def set_privacy(self, call: Call) -> Response:
        """Keep the domain's mail to the account, or not, and answer with the domain object."""
        view = await self._domains.set_privacy(
            call.actor, call["domain"], is_private=call["isPrivateBoolean"]
        )
        return json_response(domain_json(view))

    async def change(self, call: Call) -> Response:
        """Set the flags that the body gives, and answer with the domain object."""
        flags = flags_of(call.body)
        return json_response(
            domain_json(await self._domains.change(call.actor, call["domain"], **flags))
        )


def domain_json(view: DomainView) -> dict[str, Any]:
    """A domain object of the API, with the DNS records that it is to have."""
    domain = view.domain
    return {
        "_id": domain.name,
        "owner": domain.owner,
        "created": iso_time(domain.created),
        "updated": iso_time(domain.updated),
        "enablews": domain.enablews,
        "hosted": domain.hosted,
        "isDefault": domain.is_default,
        "isPrivate": domain.is_private,
        "verified": domain.verified,
        "verifiedMx": domain.verified_mx,
        "verificationTxt": domain.verification_txt,
        "lastVerificationErrors": "; ".join(domain.errors) or None,
        "records": [
            {
                "purpose": record.purpose,
                "type": record.type,
                "name": record.name,
                "value": record.value,
                "published": record.published,
            }
            for record in view.records
        ],
    }


def flags_of(body: DomainFlagsBody) -> dict[str, bool | None]:
    """What a body asks for, as Domains.change takes it; None: as it is."""
    return {
        "enablews": _flag(body.enablews),
        "is_default": _flag(body.isDefault),
        "is_private": _flag(body.isPrivate),
        "catch_all": _flag(body.catchAll),
    }


def _flag(value: bool | Literal[""] | UnsetType | None) -> bool | None:
    return None if value is UNSET else bool(value)


def _domain_answer(description: str) -> Answer:
    return schemas.json_answer(description, schemas.named("Domain"))
