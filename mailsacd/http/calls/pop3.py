"""The call that tells what to type into a mail program."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from mailsacd.core.actor import account_of
from mailsacd.core.errors import NotFoundError
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import EMAIL
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.ownership.addresses import Addresses

_TAG: Final = "Addresses"
_operation = partial(Operation, tag=_TAG)


class Pop3Calls:
    """The handler of the call about POP3, and its declaration.

    ``host`` is the server's name for mail programs, ``ports`` those of the listeners; with
    ``starttls`` TLS may be begun on the plain one.
    """

    def __init__(
        self, addresses: Addresses, host: str, ports: Mapping[str, int], *, starttls: bool
    ) -> None:
        self._addresses = addresses
        self._host = host
        self._ports = ports
        self._security = "STARTTLS" if starttls else "none"

    def operations(self) -> tuple[Operation, ...]:
        """Declare the one call about POP3."""
        return (
            _operation(
                method="GET",
                path="/api/addresses/{email}/pop3",
                id="getPop3Settings",
                summary="The settings with which a mail program fetches a private address",
                description="For the owner of the address. The password is one of the account's "
                "API keys, or the one that the address was given (`hasPassword`); neither is told.",
                parameters=(EMAIL,),
                answers=(schemas.json_answer("What to type in", schemas.named("Pop3Settings")),),
                refusals=(400, 401, 404, 503),
                handler=self.get,
            ),
        )

    async def get(self, call: Call) -> Response:
        """Answer with what to type into a mail program, as a Pop3Settings object."""
        account_of(call.actor)
        view = await self._addresses.get(call.actor, call["email"])
        if view.owner is None:
            raise NotFoundError(f"The address {view.email} is public: it has no POP3")
        return json_response(
            {
                "email": view.email,
                "username": view.email,
                "hasPassword": view.address is not None and view.address.has_password,
                "host": self._host,
                "port": self._ports["pop3"],
                "security": self._security,
                "tlsPort": self._ports.get("pop3_tls"),
                "authentication": ["USER", "SASL PLAIN", "SASL LOGIN"],
                "uniqueIds": "message ids",
            }
        )
