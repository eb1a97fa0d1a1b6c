"""The calls about private addresses. What may be done is decided in mail.ownership.addresses."""

from functools import partial
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from mailsacd.core.http_url import MAX_URL_CHARACTERS
from mailsacd.core.token import iso_time
from mailsacd.http.api import schemas
from mailsacd.http.api.bodies import MULTILINE, Returnable
from mailsacd.http.api.operation import Answer, Call, Operation
from mailsacd.http.api.parameters import EMAIL, Parameter, yes_or_no
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.ownership.address_settings import (
    MAX_INFO_CHARACTERS,
    MAX_PASSWORD_CHARACTERS,
    AddressSettings,
    checked_settings,
)
from mailsacd.mail.ownership.address_view import AddressView
from mailsacd.mail.ownership.addresses import MAX_BULK, Addresses

_TAG: Final = "Addresses"
_REFUSALS: Final = (400, 401, 503)
_operation = partial(Operation, tag=_TAG, refusals=_REFUSALS)
_MAX_BODY_BYTES: Final = 262_144  # of MAX_BULK addresses, each character escaped

_Url = Annotated[str, msgspec.Meta(max_length=MAX_URL_CHARACTERS)] | UnsetType | None
_Flag = bool | Literal[""] | UnsetType | None

DELETE_MESSAGES: Final = Parameter(
    name="deleteAddressMessages",
    where="query",
    description="`true` deletes the account's messages of the address too, starred ones as well.",
    schema={"type": "string", "enum": ["true", "false", "1", "0"], "default": "false"},
    convert=yes_or_no,
    default=False,
)


class AddressSettingsBody(Returnable, frozen=True, kw_only=True):
    """Settings of an address: what is left out stays, and `""` or null clears.

    An address object as GET answers it may be sent back. It never tells the password: null stands
    there for one that stays as it is.
    """

    ignored: ClassVar[frozenset[str]] = frozenset(
        {"owner", "encryptedInbox", "catchAll", "implicit", "created", "updated"}
    )
    spellings: ClassVar[dict[str, str]] = {"enabledws": "enablews"}

    object_id: Any = msgspec.field(default=UNSET, name="_id")

    info: (
        Annotated[str, MULTILINE, msgspec.Meta(max_length=MAX_INFO_CHARACTERS)] | UnsetType | None
    ) = UNSET
    forward: Annotated[str, msgspec.Meta(max_length=320)] | UnsetType | None = UNSET
    enablews: _Flag = UNSET
    webhook: _Url = UNSET
    webhookSlack: _Url = UNSET  # noqa: N815  the API's spelling
    webhookSlackToFrom: _Flag = UNSET  # noqa: N815  the API's spelling
    transcript: _Flag = UNSET
    password: (
        Annotated[str, msgspec.Meta(max_length=MAX_PASSWORD_CHARACTERS)] | UnsetType | None
    ) = UNSET


class BulkAddressesBody(msgspec.Struct, frozen=True, kw_only=True):
    """The addresses that are to be reserved, all or none."""

    addresses: Annotated[
        list[Annotated[str, msgspec.Meta(max_length=320)]],
        msgspec.Meta(min_length=1, max_length=MAX_BULK),
    ]


class AddressCalls:
    """The handlers of the calls about private addresses, and their declarations."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls about private addresses."""
        return (
            *self._reading(),
            self._availability(),
            *self._reserving(),
            self._reserving_several(),
            *self._changing(),
        )

    def _reading(self) -> tuple[Operation, ...]:
        return (
            _operation(
                method="GET",
                path="/api/addresses",
                id="listAddresses",
                summary="The private addresses of the account",
                answers=(
                    schemas.json_answer("The list", schemas.list_of(schemas.named("Address"))),
                ),
                handler=self.list,
            ),
            _operation(
                method="GET",
                path="/api/addresses/{email}",
                id="getAddress",
                summary="An address of the account, or one that nobody owns",
                description="`owner` is left out when nobody owns it; 401 when another account "
                "does. `encryptedInbox` delivers to it without telling its name.",
                parameters=(EMAIL,),
                answers=(_address_answer("The address"),),
                handler=self.get,
            ),
        )

    def _availability(self) -> Operation:
        return _operation(
            method="GET",
            path="/api/addresses/{email}/availability",
            id="checkAvailability",
            summary="Whether an address can be reserved",
            parameters=(EMAIL,),
            answers=(schemas.json_answer("What is known", schemas.named("Availability")),),
            handler=self.availability,
        )

    def _reserving(self) -> tuple[Operation, ...]:
        return (
            _operation(
                method="POST",
                path="/api/addresses/{email}",
                id="createAddress",
                summary="Reserve an address: its mail is the account's from now on",
                description="400 when the account has it already, or no credits left; 401 when "
                "it is another account's.",
                parameters=(EMAIL,),
                body=AddressSettingsBody,
                needs_account=True,
                answers=(_address_answer("It is the account's"),),
                handler=self.reserve,
            ),
            _operation(
                method="DELETE",
                path="/api/addresses/{email}",
                id="deleteAddress",
                summary="Release an address: its later mail is public",
                description="400 when it is not the account's, 401 when it is another's.",
                parameters=(EMAIL, DELETE_MESSAGES),
                answers=(_address_answer("The address as it was"),),
                handler=self.release,
            ),
        )

    def _reserving_several(self) -> Operation:
        return _operation(
            method="POST",
            path="/api/private-addresses-bulk",
            id="createAddresses",
            summary=f"Reserve up to {MAX_BULK} addresses: all, or none",
            body=BulkAddressesBody,
            needs_account=True,
            max_body_bytes=_MAX_BODY_BYTES,
            answers=(
                schemas.json_answer(
                    "They are the account's", schemas.list_of(schemas.named("Address"))
                ),
            ),
            handler=self.reserve_all,
        )

    def _changing(self) -> tuple[Operation, ...]:
        def operation(path: str, operation_id: str) -> Operation:
            return _operation(
                method="PUT",
                path=path,
                id=operation_id,
                summary="Set up a private address: forwarding, webhooks, WebSocket, password",
                description="`forward` has to be another address of the account, and must not "
                "come back in a loop. 401 for another account's address. An address object as GET "
                "answers it may be sent back.",
                parameters=(EMAIL,),
                body=AddressSettingsBody,
                needs_account=True,
                answers=(_address_answer("The address as it is now"),),
                refusals=(*_REFUSALS, 404),
                handler=self.change,
            )

        return (
            operation("/api/addresses/{email}", "updateAddress"),
            operation("/api/private-address-forwarding/{email}", "updateForwarding"),
        )

    async def list(self, call: Call) -> Response:
        """Answer with the account's addresses, as a list of address objects."""
        return json_response(
            [address_json(v) for v in await self._addresses.of_account(call.actor)]
        )

    async def get(self, call: Call) -> Response:
        """Answer with one address, as an address object."""
        found = await self._addresses.get(call.actor, call["email"], peer=call.peer)
        return json_response(address_json(found))

    async def availability(self, call: Call) -> Response:
        """Answer whether an address can be reserved: ``{email, available, owned}``."""
        found = await self._addresses.availability(call.actor, call["email"])
        return json_response(
            {"email": found.email, "available": found.available, "owned": found.owned}
        )

    async def reserve(self, call: Call) -> Response:
        """Reserve an address, and answer with it as an address object."""
        settings = settings_of(call.body)
        view = await self._addresses.reserve(call.actor, call["email"], settings)
        return json_response(address_json(view))

    async def reserve_all(self, call: Call) -> Response:
        """Reserve several addresses, and answer with them in the order asked for."""
        views = await self._addresses.reserve_all(call.actor, call.body.addresses)
        return json_response([address_json(view) for view in views])

    async def change(self, call: Call) -> Response:
        """Change the settings that the body gives, and answer with the address object."""
        settings = settings_of(call.body)
        return json_response(
            address_json(await self._addresses.change(call.actor, call["email"], settings))
        )

    async def release(self, call: Call) -> Response:
        """Release an address, and answer with it as it was, as an address object."""
        view = await self._addresses.release(
            call.actor, call["email"], delete_messages=call["deleteAddressMessages"]
        )
        return json_response(address_json(view))


def address_json(view: AddressView) -> dict[str, Any]:
    """An address object of the API.

    ``owner`` is left out of one that nobody owns; nothing else ever is.
    """
    address = view.address
    owner = {} if view.owner is None else {"owner": view.owner}
    return {
        "_id": view.email,
        **owner,
        "info": address and address.info,
        "forward": address and address.forward,
        "enablews": address is not None and address.enablews,
        "webhook": address and address.webhook,
        "webhookSlack": address and address.webhook_slack,
        "webhookSlackToFrom": address is None or address.webhook_slack_to_from,
        "transcript": address is not None and address.transcript,
        "encryptedInbox": view.alternate,
        "catchAll": address.domain if address and address.catch_all else None,
        "implicit": view.implicit,
        "password": None,
        "created": address and iso_time(address.created),
        "updated": address and iso_time(address.updated),
    }


def settings_of(body: AddressSettingsBody) -> AddressSettings:
    """The settings that a body asks for. Raises InvalidInputError with a fault for each bad one."""
    settings = msgspec.structs.asdict(body)
    is_whole_object = settings.pop("object_id") is not UNSET
    if is_whole_object and body.password is None:
        settings["password"] = UNSET
    return checked_settings(**settings)


def _address_answer(description: str) -> Answer:
    return schemas.json_answer(description, schemas.named("Address"))
