"""`/keys`: the API keys of an account."""

from typing import Any

from mailsacd.core.actor import own_account
from mailsacd.core.errors import MailsacdError
from mailsacd.http.api.bodies import struct_of
from mailsacd.http.calls.keys import NewKeyBody
from mailsacd.http.server.answer import Response
from mailsacd.mail.accounts.keys import Keys
from mailsacd.web.page import Page
from mailsacd.web.parameters import in_path
from mailsacd.web.refusals import REFUSALS
from mailsacd.web.visit import Visit

PATH = "/keys"


class KeyPages:
    """Who manages the account sees keys and takes them back; its own login makes them."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these pages."""
        return (
            Page(path=PATH, id="keys", for_accounts=True, handler=self.list),
            Page(method="POST", path=PATH, id="keys.make", for_accounts=True, handler=self.make),
            Page(
                method="POST",
                path=f"{PATH}/{{keyId}}/remove",
                id="keys.remove",
                parameters=(in_path("keyId"),),
                for_accounts=True,
                handler=self.remove,
            ),
        )

    async def list(self, visit: Visit) -> Response:
        """The keys, and a form for another one."""
        return await self._shown(visit)

    async def make(self, visit: Visit) -> Response:
        """Make a key. The page that says so is the only one that ever shows its value."""
        own_account(visit.actor)  # or else the form would be shown to who may not send it
        fields = visit.filled_in()
        try:
            body = struct_of(NewKeyBody, fields)
            key, value = await self._keys.add(visit.actor, body.name)
        except REFUSALS as e:
            return await self._shown(visit, e, name=fields.get("name", ""))
        return await self._shown(visit, made=key, value=value)

    async def remove(self, visit: Visit) -> Response:
        """Take a key back: programs that use it are refused from now on."""
        await self._keys.remove(visit.actor, visit["keyId"])
        return visit.redirect(PATH, "The key is good for nothing any more")

    async def _shown(
        self, visit: Visit, error: MailsacdError | None = None, name: str = "", **made: Any
    ) -> Response:
        keys = await self._keys.list(visit.actor)
        values = {"keys": keys, "name": name, "made": None, "value": "", **made}
        return visit.form("account/keys.html", error, "name", **values)
