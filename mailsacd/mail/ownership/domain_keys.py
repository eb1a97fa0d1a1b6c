"""The DKIM keys of domains: made, looked for in the DNS, changed.

A domain has two, RSA and Ed25519, from when it is claimed. A key signs once the DNS has its record,
because a signature that nobody can check is worth nothing. When keys are changed the new ones are
published beside the old ones, which sign until then, and stay published for KEPT_DAYS after that
for the mail that is under way. docs/dkim.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

from twisted.logger import Logger

from mailsacd.core.allowance import Allowance, Clock
from mailsacd.core.dkim import ALGORITHMS, Algorithm, DkimKey, is_record_of
from mailsacd.core.dns import Dns
from mailsacd.core.errors import LookupFailedError, NotFoundError, ThrottledError, UnavailableError
from mailsacd.mail.ownership.directory import announce
from mailsacd.mail.ownership.dkim_sealing import new_key, new_selector, seal
from mailsacd.store import dkim as store
from mailsacd.store.alternates import server_secret
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction
from mailsacd.work.threads import Lane

KEPT_DAYS: Final = 14
"""So long is a key published after its last signature: mail is tried for 5 days, and looked at
again by who gets it."""

EVERY_S: Final = 60.0
MADE_AT_ONCE: Final = 100
MADE_AGAIN_S: Final = 60.0
"""For so many domains are keys made at once for an account, and then for one a minute."""

AT_A_TIME: Final = 10
"""So many domains are looked at in a step of the loop, and so many get keys."""

_ACCOUNTS: Final = 10_000

_log = Logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    key: DkimKey
    sealed: bytes


class DomainKeys:
    """Keys are of an account's claim to a domain or, with ``owner`` None, of the operator's domain.

    They are made in ``lane``. Domains below ``lent``, the operator's hosting domain, have none of
    their own: their mail is signed with its keys.
    """

    def __init__(
        self, database: Database, dns: Dns, lane: Lane, *, lent: str, clock: Clock
    ) -> None:
        self._database = database
        self._dns = dns
        self._lane = lane
        self._lent = lent
        self._allowance = Allowance(
            clock, at_once=MADE_AT_ONCE, again_s=MADE_AGAIN_S, remembered=_ACCOUNTS
        )

    def has_own(self, domain: str) -> bool:
        """Return whether ``domain`` (normal) is to have keys of its own."""
        return not self._lent or not domain.endswith("." + self._lent)

    async def of_domain(self, domain: str, owner: str | None) -> list[DkimKey]:
        """Return the keys of a domain, the oldest first."""
        return await store.keys_of_domain(self._database, domain, owner)

    async def of_account(self, account: str) -> Mapping[str, Sequence[DkimKey]]:
        """Return the keys of all domains that an account claims, by domain."""
        found: dict[str, list[DkimKey]] = {}
        for key in await store.keys_of_owner(self._database, account):
            found.setdefault(key.domain, []).append(key)
        return found

    async def have(self, domain: str, owner: str | None) -> None:
        """Make a domain's keys where it has none. What cannot be done now is done later."""
        if not self.has_own(domain) or await self.of_domain(domain, owner):
            return
        try:
            if owner is not None:
                self._allowance.spend(owner, "The account had too many keys made of late")
            await self._add(domain, owner)
        except (UnavailableError, ThrottledError, NotFoundError) as e:
            _log.warn("no DKIM keys for {domain} yet: {why}", domain=domain, why=e.public)

    async def change(self, domain: str, owner: str | None) -> list[DkimKey]:
        """Make new keys, which sign when the DNS has their records. Returns all keys of the domain.

        New ones that wait for that already are taken for these. Raises NotFoundError when the claim
        is gone, OverloadedError when too much else is to be done.
        """
        if not any(key.state == "waiting" for key in await self.of_domain(domain, owner)):
            await self._add(domain, owner)
        return await self.of_domain(domain, owner)

    async def look(self, domain: str, owner: str | None) -> list[str]:
        """Look for the records of a domain's keys; those that are there sign from now on.

        Returns what is amiss. Does not fail for what the DNS says or does not say.
        """
        errors: list[str] = []
        seen: list[tuple[DkimKey, bool]] = []
        for key in await self.of_domain(domain, owner):
            try:
                texts = (await self._dns.texts(key.record_name, at_source=True)).records
            except LookupFailedError as e:
                errors.append(f"DKIM: {e.public}")
                continue
            is_there = is_record_of(key, texts)
            if texts and not is_there:
                errors.append(f"The TXT record of {key.record_name} is not the key of this server")
            seen.append((key, is_there))
        await self._record(domain, owner, seen)
        return errors

    async def activate(self, domain: str, owner: str | None) -> list[DkimKey]:
        """Have the newest keys of a domain sign from now on, whatever the DNS says.

        Returns all of its keys.
        """

        async def work(transaction: Transaction) -> None:
            for key in await store.keys_of_domain(transaction, domain, owner):
                if key.state == "waiting":
                    await store.record_look(
                        transaction, key, published=key.published, activate=True
                    )
            await self._changed(transaction, domain, owner)

        await self._database.transaction(work)
        return await self.of_domain(domain, owner)

    async def keep(self) -> float | None:
        """A step of the loop: what is due is looked at, what is missing made, what is old deleted.

        Returns 0.0 when there is more to do.
        """
        await store.forget_retired(self._database, days=KEPT_DAYS)
        missing = await store.domains_without_keys(self._database, lent=self._lent, limit=AT_A_TIME)
        for domain, account in missing:
            await self.have(domain, account)
        due = await store.claim_due_looks(self._database, limit=AT_A_TIME)
        for domain, owner in dict.fromkeys(due):
            await self.look(domain, owner)
        return 0.0 if len(due) == AT_A_TIME else None

    async def _record(
        self, domain: str, owner: str | None, seen: Sequence[tuple[DkimKey, bool]]
    ) -> None:
        new = [(key, is_there) for key, is_there in seen if _is_news(key, is_there=is_there)]
        if not new:
            return

        async def work(transaction: Transaction) -> None:
            for key, is_there in new:
                await store.record_look(transaction, key, published=is_there, activate=is_there)
            await self._changed(transaction, domain, owner)

        await self._database.transaction(work)

    async def _changed(self, transaction: Transaction, domain: str, owner: str | None) -> None:
        await store.retire_older(transaction, domain, owner)
        await announce(transaction, domain)

    async def _add(self, domain: str, owner: str | None) -> None:
        secret = await server_secret(self._database)
        made = [
            await self._lane.run_in_thread(partial(_make, secret, domain, owner, algorithm))
            for algorithm in ALGORITHMS
        ]

        async def work(transaction: Transaction) -> None:
            if not await store.lock_keys(transaction, domain, owner):
                raise NotFoundError(f"The account has no domain {domain}")
            there = await store.keys_of_domain(transaction, domain, owner)
            if any(key.state == "waiting" for key in there):
                return  # somebody else has made them meanwhile
            for each in made:
                await store.add_key(transaction, each.key, each.sealed)

        await self._database.transaction(work)


def _make(secret: bytes, domain: str, owner: str | None, algorithm: Algorithm) -> _Made:
    private, public = new_key(algorithm)
    selector = new_selector(algorithm)
    key = DkimKey(
        domain=domain,
        owner=owner,
        selector=selector,
        algorithm=algorithm,
        public=public,
        created=datetime.now(UTC),
        active_since=None,
        retired=None,
        published=False,
    )
    return _Made(key=key, sealed=seal(secret, private, domain=domain, selector=selector))


def _is_news(key: DkimKey, *, is_there: bool) -> bool:
    return key.published != is_there or (is_there and key.state == "waiting")
