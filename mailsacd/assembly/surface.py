"""What is called and looked at by HTTP, made of all parts."""

from dataclasses import dataclass

from mailsacd.assembly.account_pages import account_pages
from mailsacd.assembly.delivering import Delivering
from mailsacd.assembly.evidence import evidence_calls
from mailsacd.assembly.feeds import Feeds
from mailsacd.assembly.figure_pages import figure_pages
from mailsacd.assembly.mail_pages import mail_pages
from mailsacd.assembly.mail_parts import MailParts
from mailsacd.assembly.message_checks import make_message_checks
from mailsacd.assembly.observing import Observing
from mailsacd.assembly.operating import Operating
from mailsacd.assembly.operator_pages import operator_pages
from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.assembly.records import Records
from mailsacd.assembly.runs import RunParts
from mailsacd.assembly.searching import make_search
from mailsacd.assembly.signing_in import SigningIn
from mailsacd.assembly.spam import Spam
from mailsacd.assembly.waiting import Waiting
from mailsacd.assembly.web import mail_calls
from mailsacd.http.app import Group
from mailsacd.http.calls.checks import CheckCalls
from mailsacd.web.page import PageGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts that calls and pages are about."""

    observing: Observing
    owners: Ownership
    records: Records
    delivering: Delivering
    spam: Spam
    mail: MailParts
    feeds: Feeds
    waiting: Waiting
    runs: RunParts


class Surface:
    """The groups of calls and of pages, in the order in which they are documented."""

    def __init__(self, ground: Ground, parts: Parts) -> None:
        self._ground = ground
        self._parts = parts
        self.signing_in = SigningIn.of(ground.settings, parts.owners, parts.records)
        self._operating = Operating(ground, parts.owners)
        self._checks = make_message_checks(ground, parts.owners, parts.records.throttle)
        self._search = make_search(ground, parts.owners)

    def pages(self) -> tuple[PageGroup, ...]:
        """Return the pages about what the parts do."""
        ground, parts, owners = self._ground, self._parts, self._parts.owners
        return (
            *mail_pages(ground, owners, self.signing_in, self._checks, parts.spam, self._search),
            *account_pages(ground, owners, self.signing_in, parts.mail, parts.delivering),
            *figure_pages(self.signing_in, parts.records),
            *operator_pages(self._operating),
        )

    def calls(self) -> tuple[Group, ...]:
        """Return the calls of all parts."""
        ground, parts, owners = self._ground, self._parts, self._parts.owners
        return (
            *mail_calls(ground, owners, parts.spam.moved, self._search),
            CheckCalls(self._checks),
            *evidence_calls(ground, owners, parts.mail.checking, parts.spam, self._checks),
            *owners.calls(),
            *self.signing_in.calls(),
            *self._operating.calls(),
            *parts.records.calls(),
            *parts.spam.calls(),
            *parts.mail.calls(),
            *parts.observing.calls(),
            *parts.delivering.calls(),
            *parts.feeds.calls(),
            *parts.waiting.calls(),
            *parts.runs.calls(self._search, parts.waiting.wait_calls, parts.feeds.listeners),
        )
