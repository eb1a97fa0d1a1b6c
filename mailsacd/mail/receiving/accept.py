"""Which recipients are taken, and into which inbox their mail goes: the answer to RCPT TO.

A recipient goes through, in this order: normalising, runs, the list of accepted domains,
plus-addressing, alternates, the domain's catch-all, forwards. Most need no look at the database
and are answered at once.
"""

import time
from collections.abc import Awaitable, Callable, Collection

from mailsacd.core.address import Address, parse_address
from mailsacd.core.cache import UNKNOWN
from mailsacd.core.domain_names import EVERY_DOMAIN, REGISTERED, DomainNames
from mailsacd.core.envelope import Recipient
from mailsacd.core.errors import ForbiddenError
from mailsacd.core.ownership import DomainFacts
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.receiving.forwarding import Forwarding
from mailsacd.store.alternates import find_alternate
from mailsacd.store.pool import Database


class RecipientPolicy:
    """Answers RCPT. Mail for a domain that is tested goes nowhere, but is counted.

    ``accepted_domains`` are as in the settings: ``*``, ``example.com``, ``*.ci.example``, and
    ``@registered`` for what accounts have added; the latter includes ``hosting`` and all below.
    """

    def __init__(
        self,
        database: Database,
        directory: Directory,
        accepted_domains: Collection[str],
        hosting: str = "",
        *,
        forwarding: Forwarding | None = None,
        seconds: Callable[[], float] = time.time,
    ) -> None:
        """``forwarding`` knows of which mail there are transcripts, too (None: of none).

        ``seconds`` is the time from the epoch.

        Raises ConfigurationError for what is no domain.
        """
        self._seconds = seconds
        self._database = database
        self._directory = directory
        self._forwarding = forwarding or Forwarding(directory)
        self._transcribes_all = self._forwarding.transcripts == "all"
        self._transcribes_chosen = self._forwarding.transcripts == "chosen"
        self._every_domain = EVERY_DOMAIN in accepted_domains
        self._registered = REGISTERED in accepted_domains
        self._named = DomainNames(accepted_domains, hosting if self._registered else "")

    def recipient(self, path: str) -> Recipient | Awaitable[Recipient]:
        """Where mail for ``path`` goes (the text between the angle brackets of RCPT).

        Raises BadAddressError for what is no address and ForbiddenError for a domain that is not
        accepted, at once or from the awaitable; that may raise UnavailableError too.
        """
        original = parse_address(path)
        untagged = original.without_tag()
        if untagged.is_of_run:
            return self._of_run(original, untagged)
        accepted = self._every_domain or original.domain in self._named
        if not accepted and not self._registered:
            raise _not_accepted(original)
        facts = self._directory.known_domain(original.domain)
        if facts is not UNKNOWN and (tested := self._tested(original, untagged, facts)):
            return tested
        if untagged.is_alternate:
            return self._alternate(original, untagged, accepted=accepted)
        if facts is UNKNOWN:
            return self._looked_up(original, accepted=accepted)
        if not accepted and (facts is None or not facts.claimed):
            raise _not_accepted(original)
        if self._is_plain(facts):
            return self._stays(original, untagged)
        return self._deliver(original, untagged)

    def _is_plain(self, facts: DomainFacts | None) -> bool:
        """Whether nothing is to be known of an address of the domain."""
        if facts is None:
            return True
        wants_transcripts = facts.transcripts and self._transcribes_chosen
        return not (facts.catch_all or facts.forwards or wants_transcripts)

    def _stays(self, original: Address, inbox: Address) -> Recipient:
        return Recipient(
            original_inbox=str(original),
            inbox=str(inbox),
            domain=inbox.domain,
            transcript=self._transcribes_all,
        )

    async def _of_run(self, original: Address, inbox: Address) -> Recipient:
        """To an address of a run, whatever the settings say of its domain, as long as it lasts."""
        facts = await self._directory.domain(inbox.domain)
        ends_ms = None if facts is None else facts.run_ends_ms
        if ends_ms is None or self._seconds() * 1000 >= ends_ms:
            raise ForbiddenError(f"There is no run {inbox.domain}, or it has ended")
        return self._stays(original, inbox)

    async def _looked_up(self, original: Address, *, accepted: bool) -> Recipient:
        facts = await self._directory.domain(original.domain)
        if not accepted and (facts is None or not facts.claimed):
            raise _not_accepted(original)
        untagged = original.without_tag()
        tested = self._tested(original, untagged, facts)
        return tested or await self._deliver(original, untagged)

    async def _alternate(
        self, original: Address, alternate: Address, *, accepted: bool
    ) -> Recipient:
        facts = await self._directory.domain(original.domain)
        if not accepted and (facts is None or not facts.claimed):
            raise _not_accepted(original)
        if tested := self._tested(original, alternate, facts):
            return tested
        found = await find_alternate(self._database, alternate.local)
        inbox = alternate if found is None else parse_address(found)
        return await self._deliver(original, inbox)

    def _tested(
        self, original: Address, inbox: Address, facts: DomainFacts | None
    ) -> Recipient | None:
        """The recipient while its domain is tested, whatever else becomes of its mail."""
        if facts is None or facts.load_test is None:
            return None
        if self._seconds() * 1000 >= facts.load_test.ends_ms:
            return None
        return Recipient(
            original_inbox=str(original),
            inbox=str(inbox),
            domain=inbox.domain,
            load_test=facts.load_test,
        )

    async def _deliver(self, original: Address, inbox: Address) -> Recipient:
        """To ``inbox``, or to its domain's catch-all when nobody reserved it; and on from there."""
        facts = await self._directory.domain(inbox.domain)
        if self._is_plain(facts):
            return self._stays(original, inbox)
        return await self._forwarding.follow(original, await self._directory.inbox_at(inbox))


def _not_accepted(original: Address) -> ForbiddenError:
    return ForbiddenError(f"Mail for {original.domain} is not accepted here")
