"""Which recipients are taken, and into which inbox their mail goes: the answer to RCPT TO.

A recipient goes through, in this order: normalising, the list of accepted domains, alternates,
plus-addressing. Most need no look at the database and are answered at once.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Iterable
from typing import Final

from mailsacd.core.address import Address, normal_domain, parse_address
from mailsacd.core.envelope import Recipient
from mailsacd.core.errors import BadAddressError, ConfigurationError, ForbiddenError
from mailsacd.store.alternates import find_alternate
from mailsacd.store.pool import Database

EVERY_DOMAIN: Final = "*"
_CACHED_ALTERNATES: Final = 10_000


class Accept:
    """Answers RCPT.

    ``accepted_domains`` are as in the settings: ``*``, ``example.com``, ``*.ci.example``.
    """

    def __init__(self, database: Database, accepted_domains: Iterable[str]) -> None:
        self._database = database
        self._domains: set[str] = set()
        self._parents: set[str] = set()
        self._every_domain = False
        # An alternate never changes, so what was found stays true: only the size needs a bound.
        self._alternates: OrderedDict[str, Address] = OrderedDict()
        for entry in accepted_domains:
            self._add_domain(entry)

    def recipient(self, path: str) -> Recipient | Awaitable[Recipient]:
        """Where mail for ``path`` goes (the text between the angle brackets of RCPT).

        Raises BadAddressError for what is no address and ForbiddenError for a domain that is not
        accepted; the awaitable of an alternate may raise UnavailableError.
        """
        original = parse_address(path)
        if not self._accepts(original.domain):
            raise ForbiddenError(f"Mail for {original.domain} is not accepted here")
        if original.is_alternate:
            known = self._alternates.get(original.local)
            return self._from_alternate(original) if known is None else _recipient(original, known)
        return _recipient(original, original.without_tag())

    def _add_domain(self, entry: str) -> None:
        try:
            if entry == EVERY_DOMAIN:
                self._every_domain = True
            elif entry.startswith("*."):
                self._parents.add(normal_domain(entry[2:]))
            else:
                self._domains.add(normal_domain(entry))
        except BadAddressError as e:
            raise ConfigurationError(f"message.accepted_domains: {e.public}") from e

    def _accepts(self, domain: str) -> bool:
        if self._every_domain or domain in self._domains:
            return True
        parent = domain
        while self._parents and parent:
            parent = parent.partition(".")[2]
            if parent in self._parents:
                return True
        return False

    async def _from_alternate(self, original: Address) -> Recipient:
        found = await find_alternate(self._database, original.local)
        if found is None:
            return _recipient(original, original)
        address = parse_address(found)
        self._alternates[original.local] = address
        if len(self._alternates) > _CACHED_ALTERNATES:
            self._alternates.popitem(last=False)
        return _recipient(original, address)


def inbox_of(email: str) -> Address:
    """The inbox that a reader of ``email`` means. Raises BadAddressError.

    Nobody reads an alternate: taken literally, its inbox is empty once it stands for an address.
    """
    address = parse_address(email)
    return address if address.is_alternate else address.without_tag()


def _recipient(original: Address, inbox: Address) -> Recipient:
    return Recipient(original_inbox=str(original), inbox=str(inbox), domain=inbox.domain)
