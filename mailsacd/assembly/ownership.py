"""Who there is, how they prove it, and what they own."""

from functools import partial

from mailsacd.assembly.part import Ground
from mailsacd.assembly.pruning import Pruning
from mailsacd.http.app import Group
from mailsacd.http.calls.addresses import AddressCalls
from mailsacd.http.calls.domains import DomainCalls
from mailsacd.jobs.verify import VerifyJob
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.mail.accounts.auth import Authenticator
from mailsacd.mail.accounts.guesses import Guesses
from mailsacd.mail.accounts.passwords import Passwords
from mailsacd.mail.accounts.plans import Plans
from mailsacd.mail.ownership.addresses import Addresses
from mailsacd.mail.ownership.alternates import Alternates
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.ownership.domain_keys import EVERY_S as KEYS_EVERY_S
from mailsacd.mail.ownership.domain_keys import DomainKeys
from mailsacd.mail.ownership.domain_records import DomainRecords
from mailsacd.mail.ownership.domain_rules import rules_of
from mailsacd.mail.ownership.domains import Domains
from mailsacd.mail.ownership.erasing import Erasing
from mailsacd.mail.ownership.transcript_wishes import TranscriptWishes
from mailsacd.mail.ownership.unverified import UnverifiedDomains
from mailsacd.mail.reading.access import AccessControl
from mailsacd.mail.reading.inbox_links import InboxLinks
from mailsacd.mail.reading.mailbox import Mailbox
from mailsacd.outbound.dns import Resolver
from mailsacd.store.notices import Notices
from mailsacd.store.sessions import forget_expired
from mailsacd.work.loop import Loop


class Ownership:
    """A part. Whoever subscribes to ``notices`` does so before it starts."""

    def __init__(self, ground: Ground) -> None:
        """Raises ConfigurationError."""
        database, reactor = ground.database, ground.reactor
        settings = ground.settings
        self.notices = Notices(ground.data.direct_dsn, ground.lanes.rest, reactor=reactor)
        self.guesses = Guesses(reactor, ground.limits)
        self.authenticator = Authenticator(database, self.notices, self.guesses, reactor=reactor)
        plans = Plans(settings.plans, settings.accounts.default_plan)
        self.passwords = Passwords(ground.lanes.passwords)
        self.accounts = Accounts(database, plans, self.authenticator.forget, ground.reads)
        self.directory = Directory(database, self.notices)
        self.access_control = AccessControl(
            self.directory, anonymous_read=settings.http.anonymous_read
        )
        self.mailbox = Mailbox(database, self.access_control, ground.lanes.readers)
        self.shared_mailbox = Mailbox(
            database, self.access_control, ground.lanes.readers, shows_marks=False
        )
        self.links = InboxLinks(database, self.access_control)
        alternates = Alternates(database, reactor=reactor)
        self.transcript_wishes = TranscriptWishes(
            database, self.notices, settings.transcripts.of, reactor=reactor
        )
        self.addresses = Addresses(
            database,
            self.directory,
            plans,
            self.passwords,
            alternates,
            self.transcript_wishes,
        )
        self.resolver = Resolver(settings.dns, reactor)
        self.domain_rules = rules_of(settings.domains, ground.hostname)
        lent = self.domain_rules.hosting
        keys = DomainKeys(database, self.resolver, ground.lanes.keys, lent=lent, clock=reactor)
        records = DomainRecords(self.resolver, self.domain_rules, keys)
        self.domains = Domains(database, self.addresses, self.directory, plans, records)
        self._look_after(ground, keys, alternates)

    def _look_after(self, ground: Ground, keys: DomainKeys, alternates: Alternates) -> None:
        database, reactor = ground.database, ground.reactor
        self._signing_keys = Loop(
            "look for DKIM keys", keys.keep, every_s=KEYS_EVERY_S, clock=reactor, cancels=True
        )
        self._verifying = VerifyJob(self.domains, reactor)
        unverified = UnverifiedDomains(database, self.directory, self.domain_rules.unverified_days)
        self._pruning = Pruning(
            {
                "forget alternates": alternates.forget_old,
                "forget sessions and links": partial(forget_expired, database),
                "give up unverified domains": unverified.give_up,
            },
            reactor,
        )
        self._erasing = Erasing(database, self.accounts, reactor=reactor)

    def calls(self) -> tuple[Group, ...]:
        """Return the calls about addresses and domains."""
        return (AddressCalls(self.addresses), DomainCalls(self.domains))

    async def start(self) -> None:
        """Hear what changes, and go on with what a crash broke off."""
        self.notices.start()
        self.transcript_wishes.start()
        self.authenticator.start()
        self._verifying.start()
        self._signing_keys.start()
        self._erasing.start()
        self._pruning.start()

    async def finish(self) -> None:
        """Write down when keys were used last, and listen to notices no more."""
        await self._pruning.stop()
        await self._signing_keys.stop()
        await self._erasing.stop()
        await self._verifying.stop()
        await self.authenticator.finish()
        await self.transcript_wishes.finish()
        await self.notices.stop()
