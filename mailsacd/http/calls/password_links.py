"""The call by which somebody who has forgotten a password is sent a link."""

from functools import partial
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.sending.account_mail import AccountMail

_operation = partial(Operation, tag="Sessions", refusals=(400, 429, 503))
_OK: Final = schemas.json_answer(
    "Whether there is such an account or not",
    {"type": "object", "required": ["ok"], "properties": {"ok": {"const": True}}},
)


class ForgottenPasswordBody(msgspec.Struct, frozen=True, kw_only=True):
    """``name`` is of an account, or its mail address."""

    name: Annotated[str, Meta(min_length=1, max_length=254)]


class PasswordLinkCalls:
    """The handler of the call, and its declaration."""

    def __init__(self, account_mail: AccountMail) -> None:
        self._account_mail = account_mail

    def operations(self) -> tuple[Operation, ...]:
        """Declare the one call of this group."""
        return (
            _operation(
                method="POST",
                path="/api/auth/forgot-password",
                id="forgotPassword",
                summary="Have a link that sets a new password sent to an account's mail address",
                description="The answer is the same, and comes as fast, whether there is such an "
                "account or not. The link's token is for `POST /api/auth/reset`.",
                body=ForgottenPasswordBody,
                answers=(_OK,),
                handler=self.send_link,
            ),
        )

    async def send_link(self, call: Call) -> Response:
        """Have the link sent, and answer before it is."""
        body: ForgottenPasswordBody = call.body
        self._account_mail.ask_for_reset(body.name, peer=call.peer)
        return json_response({"ok": True})
