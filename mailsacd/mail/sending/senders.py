"""Who may send as whom.

An account sends as its private addresses, as any address of its verified domains, and as those
addresses of the operator's own domains that nobody has reserved: nobody else's. Where domains are
listed whose mail is accepted, a private address at another one is none that mail is sent from.
"""

from collections.abc import Collection

from mailsacd.core.address import Address, parse_address
from mailsacd.core.domain_names import EVERY_DOMAIN, DomainNames
from mailsacd.core.errors import ForbiddenError
from mailsacd.core.ownership import CATCH_ALL_LOCAL
from mailsacd.mail.ownership.directory import Directory


class Senders:
    """``accepted_domains`` are as in the settings: those that are named there are the operator's
    own, as are ``hosting`` and what is below it."""

    def __init__(
        self, directory: Directory, accepted_domains: Collection[str], hosting: str = ""
    ) -> None:
        """Raises ConfigurationError for what is no domain."""
        self._directory = directory
        self._every_domain = EVERY_DOMAIN in accepted_domains
        self._own = DomainNames(accepted_domains, hosting)

    async def check(self, account: str, from_address: str, only_as: str | None = None) -> None:
        """Return if ``account`` may send as ``from_address``, without a name beside it.

        With a tag it is the address without it that counts. ``only_as`` is an inbox of the
        account's: of a catch-all all addresses of its domain are meant. Raises ForbiddenError,
        BadAddressError for what is no address, and UnavailableError.
        """
        address = parse_address(from_address).without_tag()
        if only_as not in {None, str(address), f"{CATCH_ALL_LOCAL}@{address.domain}"}:
            raise ForbiddenError(
                f"{address} is not {only_as}, and it is that one's password that was given"
            )
        if not await self._may(account, address):
            raise ForbiddenError(
                f"{address} is not yours to send from: it is no private address, nor at a verified"
                " domain of yours"
            )

    def is_own(self, domain: str) -> bool:
        """Tell whether ``domain`` (normal) is one of the operator's own."""
        return domain in self._own

    async def _may(self, account: str, address: Address) -> bool:
        # Nobody reads an alternate, and it stands for somebody's address: nobody writes as it
        if address.is_alternate or address.local == CATCH_ALL_LOCAL:
            return False
        owner = await self._directory.owner(str(address))
        facts = await self._directory.domain(address.domain)
        verified_by = facts.owner if facts is not None else None
        if owner is not None:
            # Anybody's address may be reserved: it counts where its mail comes here
            comes_here = self._every_domain or verified_by or self.is_own(address.domain)
            return owner == account and bool(comes_here)
        if verified_by is not None:
            return verified_by == account
        return self.is_own(address.domain)
