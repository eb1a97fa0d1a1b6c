"""What listens for HTTP: the API with all its calls, and WebSockets beside it."""

from collections.abc import Sequence

from twisted.internet.interfaces import IProtocolFactory, IReactorTime
from twisted.protocols.tls import TLSMemoryBIOFactory

from mailsacd import __version__
from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.assembly.records import Records
from mailsacd.core.message import Filing
from mailsacd.http.app import Group, make_site, put_websockets
from mailsacd.http.calls.attachments import AttachmentCalls
from mailsacd.http.calls.inbox import InboxCalls
from mailsacd.http.calls.inbox_links import InboxLinkCalls
from mailsacd.http.calls.marks import MarkCalls
from mailsacd.http.calls.messages import MessageCalls
from mailsacd.http.calls.reading import ReadingCalls
from mailsacd.http.calls.search import SearchCalls
from mailsacd.http.calls.service import ServiceCalls
from mailsacd.http.calls.transcripts import TranscriptCalls
from mailsacd.http.calls.validations import ValidationCalls
from mailsacd.http.calls.websocket import WebSockets
from mailsacd.mail.limits.usage import Metered
from mailsacd.mail.reading.account_mail import AccountMail
from mailsacd.mail.reading.mailbox import Mailbox
from mailsacd.mail.reading.marks import Marks
from mailsacd.mail.reading.saved_searches import SavedSearches
from mailsacd.mail.reading.search import Search
from mailsacd.mail.reading.transcripts import Transcripts
from mailsacd.mail.validation.validate import Validator
from mailsacd.mcp.calls import McpCalls
from mailsacd.mcp.catalogue import READING, SENDING
from mailsacd.ports import TLS
from mailsacd.settings import HttpSettings
from mailsacd.work.threads import Lane


class Web:
    """A part. ``factories`` are what listens, by the names of the ports."""

    def __init__(
        self,
        ground: Ground,
        owners: Ownership,
        records: Records,
        groups: Sequence[Group],
        websockets: WebSockets,
    ) -> None:
        """``groups`` have the calls of all parts."""
        settings, lane = ground.settings.http, ground.lanes.readers
        self.site = make_site(
            (*groups, *mcp_calls(settings, groups, lane)),
            Metered(owners.authenticator, records.usage),
            settings,
            lane,
            ground.reactor,
            throttle=records.throttle,
        )
        self.site.bounds.declare(ground.telemetry)
        self.site.bounds.count_in(ground.limits)
        put_websockets(self.site, websockets)
        self.factories: dict[str, IProtocolFactory] = {"http": self.site}
        if settings.tls_port >= 0:
            self.factories["http" + TLS] = TLSMemoryBIOFactory(
                ground.tls, isClient=False, wrappedFactory=self.site
            )

    async def start(self) -> None:
        """Do nothing: the part has nothing to do before somebody calls."""

    async def drain(self) -> None:
        """Answer the requests under way, then close all connections."""
        await self.site.bounds.drain()

    async def finish(self) -> None:
        """Do nothing: `drain` leaves nothing."""


def mcp_calls(settings: HttpSettings, groups: Sequence[Group], lane: Lane) -> tuple[Group, ...]:
    """The tools for language models, as far as the settings let them be there."""
    if settings.mcp == "off":
        return ()
    tools = READING if settings.mcp == "read" else (*READING, *SENDING)
    operations = [operation for group in groups for operation in group.operations()]
    return (McpCalls(tools, operations, lane),)


def mail_calls(
    ground: Ground, owners: Ownership, filing: Filing, search: Search
) -> tuple[Group, ...]:
    """The calls about stored mail, about addresses anywhere, and about the server itself.

    ``filing`` is told of what is moved.
    """
    access_control = owners.access_control
    validator = Validator(owners.resolver, reactor=ground.reactor)
    return (
        *message_calls(owners.mailbox, ground.reactor),
        InboxLinkCalls(owners.links, MessageCalls(owners.shared_mailbox)),
        MarkCalls(Marks(ground.database, access_control, filing)),
        TranscriptCalls(Transcripts(ground.database, access_control)),
        InboxCalls(AccountMail(ground.database, access_control, ground.reads)),
        SearchCalls(search, SavedSearches(ground.database)),
        ValidationCalls(validator, anonymous_read=ground.settings.http.anonymous_read),
    )


def message_calls(mailbox: Mailbox, reactor: IReactorTime) -> tuple[Group, ...]:
    """The calls that read messages, and those about the server itself."""
    return (
        MessageCalls(mailbox),
        ReadingCalls(mailbox),
        AttachmentCalls(mailbox),
        ServiceCalls(mailbox, __version__, reactor),
    )
