"""Mail goes on from address to address, as their owner has set it up: it moves, and is stored once.

What is set up has neither loops nor long chains (see mail.ownership.address_settings). Mail that
meets one all the same, while things change, stays at an address of its way: it is never lost. What
changes between this and the commit is seen to by the storing statement: the mail stays the
account's.
"""

from mailsacd.core.activity import REFUSED
from mailsacd.core.address import Address, parse_address
from mailsacd.core.envelope import Recipient
from mailsacd.core.ownership import MAX_FORWARDS
from mailsacd.core.transcript import Scope
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.records.activity import Activity


class Forwarding:
    """Follows forwards, as far as they stay with one account."""

    def __init__(
        self,
        directory: Directory,
        activity: Activity | None = None,
        transcripts: Scope = "none",
    ) -> None:
        """``transcripts`` says of which mail there are any."""
        self.transcripts = transcripts
        self._directory = directory
        self._activity = activity

    async def follow(self, original: Address, inbox: Address) -> Recipient:
        """Where mail for ``original`` goes that has come to ``inbox``. May raise UnavailableError.

        A loop ends at the address where it begins. There is a transcript if any address that the
        mail comes to wants one.
        """
        path = [inbox]
        facts = await self._directory.address(str(inbox))
        owner = facts.owner if facts else None
        wants = facts is not None and facts.transcript
        while facts is not None and facts.forward is not None:
            target = await self._directory.inbox_at(parse_address(facts.forward))
            if target in path:
                self._refused(owner, [*path, target], "is a loop")
                del path[path.index(target) + 1 :]
                break
            facts = await self._directory.address(str(target))
            if owner != (facts.owner if facts else await self._domain_owner(target)):
                self._refused(owner, [*path, target], "leaves the account")
                break
            if len(path) == MAX_FORWARDS:
                self._refused(owner, [*path, target], "is too long")
                break
            path.append(target)
            wants = wants or (facts is not None and facts.transcript)
        transcript = self.transcripts == "all" or (self.transcripts == "chosen" and wants)
        return _recipient(original, path, owner, transcript=transcript)

    async def _domain_owner(self, address: Address) -> str | None:
        facts = await self._directory.domain(address.domain)
        return facts.owner if facts else None

    def _refused(self, owner: str | None, path: list[Address], why: str) -> None:
        if self._activity is not None:
            detail = f"the chain of forwards {why}: {' to '.join(map(str, path[-2:]))}"
            self._activity.record(REFUSED, account=owner, subject=str(path[0]), detail=detail)


def _recipient(
    original: Address, path: list[Address], owner: str | None, *, transcript: bool
) -> Recipient:
    """Mail for ``original`` goes to the last inbox of ``path``, through the others."""
    *passed, inbox = path
    return Recipient(
        original_inbox=str(original),
        inbox=str(inbox),
        domain=inbox.domain,
        passed=tuple(map(str, passed)),
        forwarder=owner if passed else None,
        transcript=transcript,
    )
