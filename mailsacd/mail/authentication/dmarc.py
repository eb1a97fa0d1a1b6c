"""DMARC: whether the domain in From stands behind a message (RFC 7489)."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

from mailsacd.core.authentication import DkimResult, DmarcResult, Policy, SpfResult
from mailsacd.core.dns import Found
from mailsacd.core.errors import LookupFailedError
from mailsacd.mail.authentication.evaluation import Evaluation, Question, UnusableError
from mailsacd.mail.authentication.tags import parse_tags

_POLICIES: Final = ("none", "quarantine", "reject")
_VERSION: Final = "v=DMARC1"
_PERCENT: Final = re.compile(r"[0-9]{1,3}\Z")

Organizational = Callable[[str], str]
"""Returns the organizational domain of a domain (section 3.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DmarcRecord:
    """What a domain publishes. ``percent`` is of messages that ``policy`` is asked for."""

    policy: Policy
    percent: int
    strict_spf: bool
    strict_dkim: bool


Published = DmarcRecord | UnusableError | None


def find_published(domain: str, organizational: Organizational) -> Evaluation[Published]:
    """Look up what is published for ``domain``; None: nothing. Never raises.

    Where it has no record, that of its organizational domain is taken (section 6.6.3).
    """
    try:
        record = yield from _record_at(domain)
        if record is not None:
            return _parsed(record, is_own=True)
        parent = organizational(domain)
        record = None if parent == domain else (yield from _record_at(parent))
        return None if record is None else _parsed(record, is_own=False)
    except UnusableError as e:
        return e


def judge(
    domain: str,
    published: Published,
    spf: SpfResult,
    dkim: Sequence[DkimResult],
    organizational: Organizational,
) -> DmarcResult:
    """Return what it comes to: one aligned identifier that passes is enough (section 3.1)."""
    if published is None:
        return DmarcResult(result="none", domain=domain, reason="no policy is published")
    if isinstance(published, UnusableError):
        return DmarcResult(result=published.result, domain=domain, reason=published.reason)

    def is_aligned(other: str, *, strict: bool) -> bool:
        return other == domain or (not strict and organizational(other) == organizational(domain))

    aligned: list[Literal["spf", "dkim"]] = []
    by_spf = is_aligned(spf.domain, strict=published.strict_spf)
    theirs = [each for each in dkim if is_aligned(each.domain, strict=published.strict_dkim)]
    if by_spf and spf.result == "pass":
        aligned.append("spf")
    if any(each.result == "pass" and not each.testing for each in theirs):
        aligned.append("dkim")
    is_unknown = (by_spf and spf.result == "temperror") or any(
        each.result == "temperror" for each in theirs
    )
    return DmarcResult(
        result="pass" if aligned else "temperror" if is_unknown else "fail",
        domain=domain,
        policy=published.policy,
        percent=published.percent,
        aligned=tuple(aligned),
        reason="" if aligned else _why(theirs, by_spf=by_spf, spf=spf),
    )


def _why(theirs: Iterable[DkimResult], *, by_spf: bool, spf: SpfResult) -> str:
    """Why nothing is aligned."""
    reasons = [f"SPF of {spf.domain} is {spf.result}" if by_spf else "SPF is of another domain"]
    found = list(theirs)
    if not found:
        reasons.append("no signature is of the author's domain")
    for each in found:
        testing = each.result == "pass" and each.testing
        told = "only being tried out" if testing else each.result
        reasons.append(f"the signature of {each.domain} is {told}")
    return "; ".join(reasons)


def _record_at(domain: str) -> Evaluation[str | None]:
    try:
        found: Found[str] = yield Question("TXT", f"_dmarc.{domain}")
    except LookupFailedError as e:
        raise UnusableError("temperror", e.public) from e
    records = [text for text in found.records if text.startswith(_VERSION)]
    if len(records) > 1:
        raise UnusableError("permerror", f"{domain} has several DMARC records")
    return records[0] if records else None


def _parsed(text: str, *, is_own: bool) -> DmarcRecord:
    """Read a record (section 6.3). Raises UnusableError."""
    tags = parse_tags(text, "the DMARC record")
    if tags.get("v") != "DMARC1":
        raise UnusableError("permerror", "the DMARC record is of another version")
    policy = tags.get("p", "").lower()
    if policy not in _POLICIES:
        if not tags.get("rua"):  # section 6.6.3, step 6
            raise UnusableError("permerror", "the DMARC record has no policy")
        policy = "none"
    subdomain = tags.get("sp", policy).lower()
    chosen = policy if is_own or subdomain not in _POLICIES else subdomain
    percent = tags.get("pct", "100")
    return DmarcRecord(
        policy=cast(Policy, chosen),
        percent=min(100, int(percent)) if _PERCENT.match(percent) else 100,
        strict_spf=tags.get("aspf", "r").lower() == "s",
        strict_dkim=tags.get("adkim", "r").lower() == "s",
    )
