"""Mailpit's calls about the server itself, and by which programs hand a message in."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Final

from twisted.internet.interfaces import IReactorTime

from mailsacd.core.actor import Actor
from mailsacd.core.errors import InvalidInputError, NotFoundError
from mailsacd.facades.mailpit import forms
from mailsacd.facades.mailpit.messages import clean_tags
from mailsacd.facades.mailpit.sent_message import Sent, message_of, recipients_of
from mailsacd.facades.mailpit.shelf import Shelf
from mailsacd.facades.mailpit.version import VERSION
from mailsacd.facades.routes import body_as, route
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.server.answer import TEXT, Response, json_response, problem
from mailsacd.mail.receiving.hand_in import HandIn

SEND: Final = "/api/v1/send"

_NO_CHAOS: Final = "Chaos is not enabled here"
_OK: Final = Response(b"", TEXT)


class ServiceCalls:
    """The handlers of these calls, and their declarations."""

    def __init__(
        self,
        shelf: Shelf,
        hand_in: HandIn,
        ping: Callable[[], Awaitable[None]],
        max_message_bytes: int,
        clock: IReactorTime,
    ) -> None:
        """``ping`` raises UnavailableError when the database does not answer."""
        self._shelf = shelf
        self._hand_in = hand_in
        self._ping = ping
        self._max_message_bytes = max_message_bytes
        self._clock = clock
        self._started_s = clock.seconds()

    def operations(self) -> tuple[Operation, ...]:
        """Declare the calls about the server, and the one to send."""
        return (
            route("GET", "/livez", self.live, is_open=True),
            route("GET", "/readyz", self.ready, is_open=True),
            route("GET", "/api/v1/info", self.info),
            route("GET", "/api/v1/webui", self.webui),
            route("GET", "/api/v1/chaos", self.chaos),
            route("PUT", "/api/v1/chaos", self.chaos),
            route(
                "POST",
                SEND,
                self.send,
                within_scope=False,
                max_body_bytes=2 * self._max_message_bytes,
            ),
        )

    async def live(self, _: Call) -> Response:
        """Answer that the server runs."""
        return _OK

    async def ready(self, _: Call) -> Response:
        """Answer that the database answers."""
        await self._ping()
        return _OK

    async def info(self, call: Call) -> Response:
        """Answer with what the server is, and how much there is."""
        mails = await self._shelf.mail.newest(call.actor)
        figures = ("MessagesDeleted", "SMTPAccepted", "SMTPAcceptedSize", "SMTPIgnored",
                   "SMTPRejected", "Memory")  # fmt: skip
        uptime_s = int(self._clock.seconds() - self._started_s)
        return json_response(
            {
                "Version": VERSION,
                "LatestVersion": VERSION,
                "Database": "mailsacd",
                "DatabaseSize": sum(mail.first.size for mail in mails),
                "Messages": len(mails),
                "Unread": forms.unread(mails),
                "Tags": Counter(label for mail in mails for label in mail.labels),
                "RuntimeStats": {"Uptime": uptime_s, **dict.fromkeys(figures, 0)},
            }
        )

    async def webui(self, _: Call) -> Response:
        """Answer with what Mailpit's page would offer."""
        texts = ("AllowedRecipients", "BlockedRecipients", "OverrideFrom", "RecipientAllowlist",
                 "ReturnPath", "SMTPServer")  # fmt: skip
        relay = {"Enabled": False, "PreserveMessageIDs": False, **dict.fromkeys(texts, "")}
        switches = ("ChaosEnabled", "DuplicatesIgnored", "HideDeleteAllButton", "SpamAssassin")
        return json_response(
            {"Label": "mailsacd", "MessageRelay": relay, **dict.fromkeys(switches, False)}
        )

    async def chaos(self, _: Call) -> Response:
        """Answer that there is no chaos, as Mailpit does where it is off."""
        return problem(HTTPStatus.BAD_REQUEST, _NO_CHAOS)

    async def send(self, call: Call) -> Response:
        """Take a message in as if it had come by SMTP: nothing is sent anywhere.

        What is wrong is told as ``{"Error": …}``.
        """
        await self._shelf.mail.sees_public(call.actor)  # who sees nothing here hands nothing in
        try:
            sent = body_as(call, Sent)
            clean_tags(sent.tags)
            content = message_of(sent, self._max_message_bytes)
            envelope_id = await self._hand_in.store(
                call.actor.at(call.peer), sent.sender.email, recipients_of(sent), content
            )
        except InvalidInputError as e:
            return json_response({"Error": e.public}, HTTPStatus.BAD_REQUEST)
        if sent.tags:
            await self._tag(call.actor, envelope_id, sent.tags)
        return json_response({"ID": envelope_id})

    async def _tag(self, actor: Actor, envelope_id: str, tags: Sequence[str]) -> None:
        """Label a message, unless the actor does not see it."""
        with suppress(NotFoundError):
            mail = await self._shelf.mail.find(actor, envelope_id)
            await self._shelf.mail.set_labels(actor, mail, clean_tags(tags))
