"""What listens for HTTP: the API with all its calls, and WebSockets beside it."""

from collections.abc import Sequence

from twisted.internet.interfaces import IProtocolFactory
from twisted.protocols.tls import TLSMemoryBIOFactory

from mailsacd import __version__
from mailsacd.assembly.part import Ground
from mailsacd.core.dns import Dns
from mailsacd.http.app import Group, make_site, put_websockets
from mailsacd.http.calls.inbox import InboxCalls
from mailsacd.http.calls.marks import MarkCalls
from mailsacd.http.calls.validations import ValidationCalls
from mailsacd.http.calls.websocket import WebSockets
from mailsacd.mail.limits.usage import Metered
from mailsacd.mail.reading.access import AccessControl
from mailsacd.mail.reading.account_mail import AccountMail
from mailsacd.mail.reading.mailbox import Mailbox
from mailsacd.mail.reading.marks import Marks
from mailsacd.mail.validation.validate import Validator
from mailsacd.ports import TLS


class Web:
    """A part. ``factories`` are what listens, by the names of the ports."""

    def __init__(
        self,
        ground: Ground,
        access_control: AccessControl,
        callers: Metered,
        groups: Sequence[Group],
        websockets: WebSockets,
    ) -> None:
        """``groups`` are calls beside those about mail."""
        settings = ground.settings.http
        mailbox = Mailbox(ground.database, access_control, ground.lanes.readers)
        self._site = make_site(mailbox, callers, settings, __version__, ground.reactor, groups)
        put_websockets(self._site, websockets, settings)
        self.factories: dict[str, IProtocolFactory] = {"http": self._site}
        if settings.tls_port >= 0:
            self.factories["http" + TLS] = TLSMemoryBIOFactory(
                ground.tls, isClient=False, wrappedFactory=self._site
            )

    async def start(self) -> None:
        """Do nothing: the part has nothing to do before somebody calls."""

    async def drain(self) -> None:
        """Answer the requests under way, then close all connections."""
        await self._site.bounds.drain()

    async def finish(self) -> None:
        """Do nothing: `drain` leaves nothing."""


def mail_calls(ground: Ground, access_control: AccessControl, dns: Dns) -> tuple[Group, ...]:
    """The calls about what is done with stored mail, and about addresses anywhere."""
    validator = Validator(dns, reactor=ground.reactor)
    return (
        MarkCalls(Marks(ground.database, access_control)),
        InboxCalls(AccountMail(ground.database, access_control)),
        ValidationCalls(validator, anonymous_read=ground.settings.http.anonymous_read),
    )
