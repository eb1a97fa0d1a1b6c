"""`/compose`: a message is written, or answered, and queued to be sent."""

from typing import Any, Final

from mailsacd.core.errors import MailsacdError
from mailsacd.core.ownership import CATCH_ALL_LOCAL
from mailsacd.http.api.bodies import struct_of
from mailsacd.http.server.answer import Response
from mailsacd.mail.accounts.profile import Profiles
from mailsacd.mail.ownership.addresses import Addresses
from mailsacd.mail.ownership.domains import Domains
from mailsacd.mail.reading.mailbox import Mailbox
from mailsacd.mail.sending.message_fields import MessageFields
from mailsacd.mail.sending.submission import Submission
from mailsacd.web.answering import answer_to
from mailsacd.web.filters import plural, segment
from mailsacd.web.page import Page
from mailsacd.web.parameters import in_query
from mailsacd.web.refusals import REFUSALS
from mailsacd.web.visit import Visit

PATH: Final = "/compose"
MAX_SENDERS: Final = 200
"""So many of the account's addresses are suggested; others may be typed in."""

_ANY_SIZE: Final = 2**31  # http.max_body_bytes and message.max_bytes are the limits
_SHOWN: Final = (
    "from", "to", "cc", "bcc", "replyTo", "subject", "text", "html", "inReplyTo", "references",
)  # fmt: skip


class ComposePages:
    """What may be sent is decided in mail.sending.submission."""

    def __init__(
        self,
        submission: Submission,
        mailbox: Mailbox,
        addresses: Addresses,
        domains: Domains,
        profiles: Profiles,
    ) -> None:
        self._submission = submission
        self._mailbox = mailbox
        self._addresses = addresses
        self._domains = domains
        self._profiles = profiles

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these pages."""
        return (
            Page(
                path=PATH,
                id="compose",
                parameters=(in_query("reply"), in_query("to"), in_query("from")),
                for_accounts=True,
                handler=self.compose,
            ),
            Page(
                method="POST",
                path=PATH,
                id="compose.send",
                for_accounts=True,
                max_body_bytes=_ANY_SIZE,
                handler=self.send,
            ),
        )

    async def compose(self, visit: Visit) -> Response:
        """The form; of an answer with what it begins with. Raises NotFoundError."""
        given = {"to": visit["to"], "from": visit["from"]}
        inbox, _, message_id = visit["reply"].rpartition("/")
        if message_id:
            answer = await self._mailbox.view(visit.actor, inbox, message_id, answer_to)
            given |= {
                "to": answer.to,
                "from": given["from"] or inbox,
                "subject": answer.subject,
                "text": answer.text,
                "inReplyTo": answer.in_reply_to,
                "references": answer.references,
            }
        return await self._shown(visit, given)

    async def send(self, visit: Visit) -> Response:
        """Queue the message, and go to where one sees what becomes of it."""
        form = visit.filled_in()
        try:
            sent = await self._submission.send(visit.actor, struct_of(MessageFields, form))
        except REFUSALS as e:
            return await self._shown(visit, form, e)
        notice = f"Queued for {plural(len(sent.to), 'recipient')}"
        return visit.redirect(f"/outgoing/{segment(sent.id)}", notice)

    async def _shown(
        self, visit: Visit, given: Any, error: MailsacdError | None = None
    ) -> Response:
        found = await self._addresses.search(visit.actor, limit=MAX_SENDERS)
        domains = await self._domains.of_account(visit.actor)
        profile = await self._profiles.of(visit.actor)
        senders = [a.email for a in found if not a.email.startswith(f"{CATCH_ALL_LOCAL}@")]
        shown = {name: str(given.get(name, "")) for name in _SHOWN}
        had_files = any(isinstance(each, dict) for each in visit.all_of("attachments"))
        return visit.form(
            "account/compose.html",
            error,
            given={**shown, "from": shown["from"] or next(iter(senders), "")},
            senders=senders,
            domains=[each.domain.name for each in domains if each.domain.verified],
            left=max(profile.limits.sends - profile.used.sends_this_month, 0),
            had_files=had_files,
        )
