"""Mailpit's calls about the server itself."""

from collections import Counter
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from twisted.internet.interfaces import IReactorTime

from mailsacd.facades.mailpit import forms
from mailsacd.facades.mailpit.shelf import Shelf
from mailsacd.facades.mailpit.version import VERSION
from mailsacd.facades.routes import route
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.server.answer import TEXT, Response, json_response, problem

_NO_CHAOS: Final = "Chaos is not enabled here"
_OK: Final = Response(b"", TEXT)


class ServiceCalls:
    """The handlers of these calls, and their declarations."""

    def __init__(
        self, shelf: Shelf, ping: Callable[[], Awaitable[None]], clock: IReactorTime
    ) -> None:
        """``ping`` raises UnavailableError when the database does not answer."""
        self._shelf = shelf
        self._ping = ping
        self._clock = clock
        self._started_s = clock.seconds()

    def operations(self) -> tuple[Operation, ...]:
        """Declare the calls about the server."""
        return (
            route("GET", "/livez", self.live, is_open=True),
            route("GET", "/readyz", self.ready, is_open=True),
            route("GET", "/api/v1/info", self.info),
            route("GET", "/api/v1/webui", self.webui),
            route("GET", "/api/v1/chaos", self.chaos),
            route("PUT", "/api/v1/chaos", self.chaos),
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
