"""The calls about the account itself: what it may, has and holds; its settings; its end."""

from functools import partial
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta

from mailsacd.core.token import iso_time
from mailsacd.http.api import schemas
from mailsacd.http.api.bodies import Returnable
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.calls.sessions import OK, Code, Password, SessionCalls
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.accounts.profile import Profile, Profiles
from mailsacd.mail.limits.warnings import MARKS, mark_of

_TAG: Final = "Account"
_REFUSALS: Final = (400, 401, 403, 503)
_operation = partial(Operation, tag=_TAG, refusals=_REFUSALS)
_MAX_BODY_BYTES: Final = 262_144  # all labels, each character escaped

_COUNT: Final = {"type": "integer", "minimum": 0}
_FLAG: Final = {"type": "boolean"}
_TEXT: Final = {"type": "string"}
_TEXTS: Final = {"type": "array", "items": _TEXT}
_TEXT_OR_NULL: Final = {"type": ["string", "null"]}

_ME: Final[dict[str, Any]] = {
    "_id": {"type": "string", "description": "The account's name"},
    "email": _TEXT,
    "plan": _TEXT,
    "created": schemas.TIME,
    "labels": _TEXTS,
    "recents": {**_TEXTS, "description": "Addresses looked at of late, newest first"},
    "capturePrivate": {**_FLAG, "description": "What it captures is starred"},
    "disableSpam": {**_FLAG, "description": "Its mail is not rated"},
    "messageLimit": {**_COUNT, "description": "Messages kept"},
    "privateAddressCredits": {**_COUNT, "description": "Addresses that it may still reserve"},
    "privateDomain": {**_COUNT, "description": "Domains that it may still add"},
    "catchAll": {**_COUNT, "description": "Verified domains without a catch-all"},
    "sendsRemaining": {**_COUNT, "description": "Recipients of outgoing mail left this month"},
    "apiMonthlyLimit": {**_COUNT, "description": "Operations in a month"},
    "moAPICount": {**_COUNT, "description": "Operations of this month"},
    "usageWarning": {"enum": [None, *MARKS], "description": "Percent of them that are used up"},
    "apiAccess": {"enum": [0, 1]},
    "wsDomain": {"enum": [0, 1]},
    "manyKeys": {"enum": [0, 1]},
    "allowMultipleUsers": {"enum": [0, 1]},
    "userLimit": _COUNT,
    "apiKeyName": {**_TEXT_OR_NULL, "description": "Of the key that asks; null for a session"},
    "login": {**_TEXT_OR_NULL, "description": "Who signed in; null for a key"},
    "disabled": _TEXT_OR_NULL,
    "billingHold": _TEXT_OR_NULL,
}
_STATS: Final[dict[str, Any]] = {
    "addresses": {**_TEXTS, "description": "Private addresses, at most 1,000"},
    "domains": {**_TEXTS, "description": "Custom domains, at most 1,000"},
    "nonOwnedInboxes": {**_TEXTS, "description": "Others' inboxes with messages starred by it"},
    "starredMessages": _COUNT,
    "storedMessages": {**_COUNT, "description": "Of private addresses and verified domains"},
    "inboxBytes": {**_COUNT, "description": "Bytes of those"},
    "lastMonthOps": _COUNT,
    "defaultDomain": _TEXT_OR_NULL,
}


Label = Annotated[str, Meta(min_length=1, max_length=100)]
Recent = Annotated[str, Meta(min_length=1, max_length=254)]


class MeBody(Returnable, frozen=True, kw_only=True, omit_defaults=True):
    """Settings of the account: what is given is set, and the rest stays.

    Another ``email`` takes the ``password``.
    The account as GET answers it may be sent back.
    """

    ignored: ClassVar[frozenset[str]] = frozenset(_ME) - {
        "labels",
        "recents",
        "capturePrivate",
        "disableSpam",
        "email",
    }

    labels: Annotated[tuple[Label, ...], Meta(max_length=200)] | None = None
    recents: Annotated[tuple[Recent, ...], Meta(max_length=20)] | None = None
    capturePrivate: bool | None = None  # noqa: N815  the API's names
    disableSpam: bool | None = None  # noqa: N815
    email: Annotated[str, Meta(min_length=1, max_length=254)] | None = None
    password: Password | None = None


class RemovalBody(msgspec.Struct, frozen=True, kw_only=True):
    """The password once more, and a code of the second factor: there is no way back."""

    password: Password
    code: Code | None = None


class AccountCalls:
    """The handlers of the calls about the account itself, and their declarations."""

    def __init__(self, profiles: Profiles, session_calls: SessionCalls) -> None:
        self._profiles = profiles
        self._session_calls = session_calls

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls about the account itself."""
        return (*self._settings(), *self._all_of_it())

    def _settings(self) -> tuple[Operation, ...]:
        me = schemas.json_answer("The account", schemas.object_of(_ME))
        return (
            _operation(
                method="GET",
                path="/api/me",
                id="getMe",
                summary="The account: its settings, limits and what is left of them",
                answers=(me,),
                handler=self.me,
            ),
            _operation(
                method="PUT",
                path="/api/me",
                id="updateMe",
                summary="Change settings of the account; its mail address takes the password, too",
                body=MeBody,
                needs_account=True,
                max_body_bytes=_MAX_BODY_BYTES,
                answers=(me,),
                refusals=(*_REFUSALS, 409, 429),
                handler=self.update,
            ),
        )

    def _all_of_it(self) -> tuple[Operation, ...]:
        return (
            _operation(
                method="DELETE",
                path="/api/me",
                id="deleteMe",
                summary="Delete the account with all that it owns; takes a session and password",
                body=RemovalBody,
                needs_account=True,
                answers=(OK,),
                refusals=(*_REFUSALS, 404, 429),
                handler=self.remove,
            ),
            _operation(
                method="GET",
                path="/api/me/stats",
                id="getMyStats",
                summary="What is kept for the account",
                answers=(schemas.json_answer("The numbers", schemas.object_of(_STATS)),),
                handler=self.stats,
            ),
        )

    async def me(self, call: Call) -> Response:
        """Answer with the account: its settings, its limits and what is left of them."""
        return _answer(call, await self._profiles.of(call.actor))

    async def update(self, call: Call) -> Response:
        """Change the settings that the body gives, and answer with the account as it is then."""
        body: MeBody = call.body
        changed = await self._profiles.change(call.actor, changes_of(body), body.password)
        return _answer(call, changed)

    async def remove(self, call: Call) -> Response:
        """Delete the account with all that is its own, and take the session's cookie back."""
        body: RemovalBody = call.body
        await self._profiles.remove(call.actor, body.password, body.code)
        return self._session_calls.over(call)

    async def stats(self, call: Call) -> Response:
        """Answer with the numbers and names of what is kept for the account."""
        stored, counts = await self._profiles.stored(call.actor)
        return json_response(
            {
                "addresses": stored.addresses,
                "domains": stored.domains,
                "nonOwnedInboxes": stored.non_owned_inboxes,
                "starredMessages": counts.starred,
                "storedMessages": counts.owned,
                "inboxBytes": counts.owned_bytes,
                "lastMonthOps": stored.ops_last_month,
                "defaultDomain": stored.default_domain,
            }
        )


def changes_of(body: MeBody) -> dict[str, Any]:
    """What a body asks for, as Profiles.change takes it."""
    given = {
        "labels": None if body.labels is None else list(dict.fromkeys(body.labels)),
        "recents": None if body.recents is None else list(body.recents),
        "capture_private": body.capturePrivate,
        "disable_spam": body.disableSpam,
        "email": body.email,
    }
    return {name: value for name, value in given.items() if value is not None}


def _answer(call: Call, profile: Profile) -> Response:
    account, limits, used = profile.account, profile.limits, profile.used
    return json_response(
        {
            "_id": account.name,
            "email": account.email,
            "plan": account.plan,
            "created": iso_time(account.created),
            "labels": account.labels,
            "recents": account.recents,
            "capturePrivate": account.capture_private,
            "disableSpam": account.disable_spam,
            "messageLimit": limits.message_limit,
            "privateAddressCredits": max(limits.private_addresses - used.addresses, 0),
            "privateDomain": max(limits.domains - used.domains, 0),
            "catchAll": used.unused_catch_alls,
            "sendsRemaining": max(limits.sends - used.sends_this_month, 0),
            "apiMonthlyLimit": limits.ops_per_month,
            "moAPICount": profile.ops,
            "usageWarning": mark_of(profile.ops, limits.ops_per_month),
            "apiAccess": 1,
            "wsDomain": 1,
            "manyKeys": int(limits.keys > 1),
            "allowMultipleUsers": int(limits.users > 0),
            "userLimit": limits.users,
            "apiKeyName": call.actor.key_name,
            "login": call.actor.login,
            "disabled": None,
            "billingHold": None,
        }
    )
