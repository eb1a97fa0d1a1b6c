"""Signs outgoing mail with the DKIM keys of the domain that it comes from.

The keys are remembered unsealed, and forgotten on every node as soon as something about the domain
changes (see store.notices).
"""

from typing import Any, Final

from twisted.logger import Logger

from mailsacd.core.address import normal_domain
from mailsacd.core.cache import UNKNOWN, Recent
from mailsacd.core.errors import BadAddressError
from mailsacd.mail.accounts.sealing import SealError
from mailsacd.mail.ownership.dkim_sealing import unseal
from mailsacd.mime.dkim import SigningKey, signed
from mailsacd.outbound.smtp.wire import canonical, has_to_be_encoded, with_crlf
from mailsacd.store.alternates import server_secret
from mailsacd.store.dkim import signing_keys
from mailsacd.store.notices import DIRECTORY, Notices
from mailsacd.store.pool import Database
from mailsacd.work.threads import LARGE_BYTES, Lane

REMEMBERED: Final = 2_000
"""Domains whose keys are in memory, at some 5 KB each."""

Keys = tuple[str, tuple[SigningKey, ...]]
"""The domain that signs, and its keys: one of each algorithm, or none."""

_log = Logger()


class Signer:
    """Large messages are signed in ``lane``. Mail from below ``lent``, the operator's hosting
    domain, is signed by that domain: who has a name there cannot publish a key."""

    def __init__(
        self, database: Database, notices: Notices, lane: Lane, *, lent: str, reactor: Any
    ) -> None:
        """It has to be made before ``notices`` starts."""
        self._database = database
        self._notices = notices
        self._lane = lane
        self._lent = lent
        self._reactor = reactor
        self._known: Recent[str, Keys] = Recent(REMEMBERED)
        self._changes = 0
        notices.subscribe(DIRECTORY, self._came, self._forget_all)

    async def sign(self, header_from_domain: str, content: bytes) -> bytes:
        """Return ``content`` with a signature by each key of the domain, as it goes over the wire.

        ``header_from_domain`` is of the From field, ``content`` a whole message with CRLF line
        ends. What is signed is in the form that no host has to be sent another of
        (`wire.canonical`). It is returned as it is where the domain has no key that signs. Raises
        UnavailableError.
        """
        domain, keys = await self._keys(header_from_domain)
        if not keys:
            return content
        now = int(self._reactor.seconds())
        size = len(content)
        if size <= LARGE_BYTES and not has_to_be_encoded(content):
            return signed(with_crlf(content), domain, keys, now)
        return await self._lane.run_in_thread(
            lambda: signed(canonical(content), domain, keys, now), size
        )

    async def _keys(self, header_from_domain: str) -> Keys:
        try:
            domain = normal_domain(header_from_domain)
        except BadAddressError:
            return header_from_domain, ()
        found = await self._keys_of(domain)
        if not found[1] and self._lent and domain.endswith("." + self._lent):
            return await self._keys_of(self._lent)
        return found

    async def _keys_of(self, domain: str) -> Keys:
        known = self._known.get(domain)
        if known is not UNKNOWN:
            return known
        changes = self._changes
        found = (domain, await self._unsealed(domain))
        if self._notices.listening and changes == self._changes:
            self._known.remember(domain, found)
        return found

    async def _unsealed(self, domain: str) -> tuple[SigningKey, ...]:
        """The newest active key of each algorithm, RSA first: some hosts look at one signature."""
        found: dict[str, SigningKey] = {}
        sealed_keys = await signing_keys(self._database, domain)
        secret = await server_secret(self._database) if sealed_keys else b""
        for key, sealed in sealed_keys:
            if key.algorithm in found:
                continue
            try:
                private = unseal(secret, sealed, domain=domain, selector=key.selector)
            except SealError as e:
                _log.error(
                    "mail of {domain} is not signed with the key {selector}: {why}",
                    domain=domain,
                    selector=key.selector,
                    why=str(e),
                )
                continue
            found[key.algorithm] = SigningKey(selector=key.selector, private=private)
        return tuple(found.values())

    def _came(self, name: str) -> None:
        self._changes += 1
        if name:
            self._known.forget(name)  # of an address nothing is known here
        else:
            self._known.clear()

    def _forget_all(self) -> None:
        self._came("")
