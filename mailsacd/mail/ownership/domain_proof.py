"""What a look at a domain's DNS has for consequences: a claim is proved, lost, or taken over.

All runs in one transaction that holds the domain: two who prove their claims at once take turns.
"""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from mailsacd.core.audit import SERVER, Act, Author
from mailsacd.core.errors import NotFoundError
from mailsacd.core.ownership import Domain
from mailsacd.mail.ownership.directory import announce
from mailsacd.mail.ownership.domain_lookup import DnsEvidence
from mailsacd.mail.records.audit import audit
from mailsacd.store import domains as store
from mailsacd.store.addresses import evict_addresses
from mailsacd.store.transaction import Transaction

GRACE: Final = timedelta(days=7)
"""How long a verified domain stays so without its proof: records get lost by mistake too."""

PATIENCE: Final = timedelta(days=30)
"""How long a claim that was never proved is looked at by itself."""

_FIRST_AGAIN_S: Final = 300
_JITTER: Final = 0.1
_TAKEN_OVER: Final = "Another account has proved that the domain is its own"


async def apply_evidence(
    transaction: Transaction,
    claim: Domain,
    evidence: DnsEvidence,
    now: datetime,
    recheck_s: int,
    by: Author,
) -> list[str]:
    """Write down what was seen; the addresses and domains that have changed hands by it.

    ``by`` is who had the domain looked at. Raises NotFoundError when the claim is gone.
    """
    await store.lock_domain(transaction, claim.name)
    current = await store.find_domain(transaction, claim.owner, claim.name)
    if current is None:
        raise NotFoundError(f"The account has no domain {claim.name}")
    errors = list(evidence.errors)
    proved = evidence.proves(current.verification_txt)
    changed: list[str] = []
    verified = current.verified
    if proved and not verified:
        verified = await _take(transaction, current, evidence, errors, changed)
    missing = verified and evidence.texts is not None and not proved
    if missing and current.missing_since is not None and now - current.missing_since > GRACE:
        verified = missing = False
        changed.append(claim.name)
    elif missing:
        errors.append(f"Without it the domain is no longer verified after {GRACE.days} days")
    seen = replace(
        current,
        verified=verified,
        verified_mx=evidence.mail_comes_here,
        errors=tuple(errors),
        found=evidence.found(current.verification_txt),
    )
    again_s = _again_s(seen, now, recheck_s)
    await store.record_verification(transaction, seen, missing=missing, again_s=again_s)
    if verified != current.verified:
        act = Act("domain", "verified" if verified else "unverified", claim.name)
        await audit(transaction, claim.owner, by, act)
    await announce(transaction, *changed)
    return changed


async def _take(
    transaction: Transaction,
    claim: Domain,
    evidence: DnsEvidence,
    errors: list[str],
    changed: list[str],
) -> bool:
    """Give the domain to who proves the claim now, unless its holder proves another one too."""
    holder = await store.proved_claim(transaction, claim.name)
    if holder is not None:
        if holder.hosted or evidence.proves(holder.verification_txt):
            errors.append(
                "Another account's proof is published as well: take its TXT record away first"
            )
            return False
        await store.dismiss_claim(transaction, holder, _TAKEN_OVER)
        act = Act("domain", "unverified", claim.name, _TAKEN_OVER)
        await audit(transaction, holder.owner, SERVER, act)
    evicted = await evict_addresses(transaction, claim.name, claim.owner)
    for email, owner in evicted:
        act = Act("address", "released", email, _TAKEN_OVER)
        await audit(transaction, owner, SERVER, act)
    changed += [claim.name, *(email for email, _ in evicted)]
    return True


def _again_s(claim: Domain, now: datetime, recheck_s: int) -> int | None:
    """In how long the claim is looked at again: the longer it waits to be proved, the later."""
    age = now - claim.created
    if not claim.verified and age > PATIENCE:
        return None
    wait_s = recheck_s if claim.verified else max(_FIRST_AGAIN_S, age.total_seconds() / 2)
    return int(min(wait_s, recheck_s) * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311
