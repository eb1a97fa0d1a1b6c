"""`/operator/denylist` and `/operator/queue`: whose mail is refused, and mail on its way out."""

from functools import partial
from typing import Any, Final, get_args

from mailsacd.core.errors import BadAddressError, MailsacdError
from mailsacd.core.outgoing import OPEN_STATES
from mailsacd.http.api.bodies import struct_of
from mailsacd.http.api.parameters import SKIP
from mailsacd.http.calls.operator_mail import DenyBody, QueueChangeBody
from mailsacd.http.calls.outgoing import OUTGOING_ID
from mailsacd.http.server.answer import Response
from mailsacd.mail.operating.mail import OperatorMail
from mailsacd.mail.sending.outgoing_queue import selected
from mailsacd.store.outgoing_queue import Change
from mailsacd.web.filters import plural
from mailsacd.web.page import Page
from mailsacd.web.paging import paged
from mailsacd.web.parameters import in_query
from mailsacd.web.refusals import REFUSALS
from mailsacd.web.visit import Visit

DENYLIST: Final = "/operator/denylist"
QUEUE: Final = "/operator/queue"
PER_PAGE: Final = 50
QUEUED_PER_PAGE: Final = 20
RECIPIENTS: Final = 500
"""So many recipients of a message are shown at most."""

_DONE: Final[dict[Change, str]] = {
    "retry": "sent at once",
    "cancel": "sent no more",
    "hold": "held until it is released",
    "release": "sent again",
}


class OperatorMailPages:
    """Everybody but an operator gets ForbiddenError from mail.operating.mail."""

    def __init__(self, mail: OperatorMail) -> None:
        self._mail = mail

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these pages."""
        return (*self._denylist(), *self._queue())

    def _denylist(self) -> tuple[Page, ...]:
        return (
            Page(
                path=DENYLIST,
                id="operator.denylist",
                parameters=(in_query("find", most=254), SKIP),
                for_accounts=True,
                handler=self.denied,
            ),
            Page(
                method="POST",
                path=DENYLIST,
                id="operator.deny",
                for_accounts=True,
                handler=self.deny,
            ),
            Page(
                method="POST",
                path=f"{DENYLIST}/remove",
                id="operator.allow",
                for_accounts=True,
                handler=self.allow,
            ),
        )

    def _queue(self) -> tuple[Page, ...]:
        selection = (in_query("account", most=254), in_query("domain", most=254), in_query("ended"))
        changes: tuple[Change, ...] = get_args(Change)
        return (
            Page(
                path=QUEUE,
                id="operator.queue",
                parameters=(*selection, SKIP),
                for_accounts=True,
                handler=self.queue,
            ),
            Page(
                path=f"{QUEUE}/{{outgoingId}}",
                id="operator.queued",
                parameters=(OUTGOING_ID,),
                for_accounts=True,
                handler=self.queued,
            ),
            Page(
                method="POST",
                path=QUEUE,
                id="operator.queue.change",
                for_accounts=True,
                handler=self.change_all,
            ),
            *(
                Page(
                    method="POST",
                    path=f"{QUEUE}/{{outgoingId}}/{change}",
                    id=f"operator.queue.{change}",
                    parameters=(OUTGOING_ID,),
                    for_accounts=True,
                    handler=partial(self.change, change),
                )
                for change in changes
            ),
        )

    async def denied(self, visit: Visit) -> Response:
        """The denylist, those entries that have a text in entry or reason."""
        return await self._denied(visit, find=visit["find"], skip=visit["skip"])

    async def deny(self, visit: Visit) -> Response:
        """Put an entry on the denylist, or change its reason and time."""
        fields = visit.filled_in()
        try:
            body = struct_of(DenyBody, fields)
            entry = await self._mail.deny(
                visit.actor, body.entry, body.reason, recipient=body.recipient, lasting=body.lasting
            )
        except REFUSALS as e:
            return await self._denied(visit, e, given=fields)
        told = f"Mail {'to' if body.recipient else 'from'} {entry} is refused"
        return visit.redirect(DENYLIST, told)

    async def allow(self, visit: Visit) -> Response:
        """Take an entry off the denylist."""
        fields = visit.fields()
        entry, recipient = str(fields.get("entry", "")), fields.get("recipient") == "true"
        await self._mail.allow(visit.actor, entry, recipient=recipient)
        told = f"Mail {'to' if recipient else 'from'} {entry} is taken again"
        return visit.redirect(visit.back(DENYLIST), told)

    async def queue(self, visit: Visit) -> Response:
        """Mail on its way out, that of an account or to a domain, the oldest first."""
        return await self._queued(
            visit,
            account=visit["account"],
            domain=visit["domain"],
            ended=visit["ended"] == "true",
            skip=visit["skip"],
        )

    async def queued(self, visit: Visit) -> Response:
        """What has become of each recipient of a message."""
        message = await self._mail.outgoing_message(visit.actor, visit["outgoingId"])
        return visit.shown("operator/queued.html", message=message, most=RECIPIENTS)

    async def change(self, change: Change, visit: Visit) -> Response:
        """Change all recipients of a message that are not done with."""
        back = visit.back(QUEUE)
        try:
            await self._mail.change(visit.actor, change, visit["outgoingId"])
        except REFUSALS as e:
            return await self._queued(visit, e)
        return visit.redirect(back, f"The message is {_DONE[change]}")

    async def change_all(self, visit: Visit) -> Response:
        """Change all that waits of an account or domain."""
        fields = visit.filled_in()
        account, domain = str(fields.get("account", "")), str(fields.get("domain", ""))
        try:
            body = struct_of(QueueChangeBody, fields)
            which = selected(body.account, body.domain)
            count = await self._mail.change_all(visit.actor, body.change, which)
        except REFUSALS as e:
            return await self._queued(visit, e, account=account, domain=domain)
        told = f"{plural(count, 'recipient')}: {_DONE[body.change]}"
        return visit.redirect(visit.back(QUEUE), told)

    async def _denied(
        self,
        visit: Visit,
        error: MailsacdError | None = None,
        *,
        find: str = "",
        skip: int = 0,
        **given: Any,
    ) -> Response:
        found = await self._mail.denied(visit.actor, query=find, limit=PER_PAGE + 1, skip=skip)
        return visit.form(
            "operator/denylist.html",
            error,
            "entry",
            **{"given": {}, **given},
            denied=found[:PER_PAGE],
            find=find,
            **paged(found, skip=skip, step=PER_PAGE),
        )

    async def _queued(
        self,
        visit: Visit,
        error: MailsacdError | None = None,
        *,
        account: str = "",
        domain: str = "",
        ended: bool = False,
        skip: int = 0,
    ) -> Response:
        try:
            found = await self._mail.outgoing(
                visit.actor,
                selected(account, domain),
                ended=ended,
                limit=QUEUED_PER_PAGE + 1,
                skip=skip,
            )
        except BadAddressError:
            if error is None:
                raise
            found = []  # it is what is told already
        return visit.form(
            "operator/queue.html",
            error,
            messages=found[:QUEUED_PER_PAGE],
            open_states=OPEN_STATES,
            account=account,
            domain=domain,
            ended=ended,
            **paged(found, skip=skip, step=QUEUED_PER_PAGE),
        )
