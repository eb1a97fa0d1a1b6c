"""ARC: whether the chain of hosts that sealed a message on its way is whole (RFC 8617).

What it says of who sent the message is another matter: that depends on whom one trusts.
"""

import re
from dataclasses import dataclass
from typing import Final

from mailsacd.core.authentication import ArcResult
from mailsacd.mail.authentication.canonical import RawField, RawMessage, relaxed_field
from mailsacd.mail.authentication.dkim import verify
from mailsacd.mail.authentication.evaluation import Evaluation, UnusableError
from mailsacd.mail.authentication.public_key import digest_of
from mailsacd.mail.authentication.signature import (
    Hashes,
    Signature,
    check_maker,
    read_message_seal,
    unsigned_field,
)
from mailsacd.mail.authentication.tags import decoded, parse_tags

MAX_INSTANCES: Final = 10
"""Longer chains fail: each link costs a look-up and a verification. RFC 8617 allows 50."""

_RESULTS: Final = "arc-authentication-results"
_MESSAGE: Final = "arc-message-signature"
_SEAL: Final = "arc-seal"
_INSTANCE: Final = re.compile(r"\s*i\s*=\s*([0-9]{1,3})\s*(?:;|\Z)")


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain without its keys: what was signed, the newest first.

    Of ``instances`` hosts. ``domain`` sealed it last. With a ``fault`` nothing need be looked up.
    """

    instances: int
    domain: str = ""
    signatures: tuple[Signature, ...] = ()
    fault: str = ""


def read_chain(hashes: Hashes, now_s: int) -> Chain:
    """Read the chain of a message; the time ``now_s`` counts from the epoch. Never raises."""
    fields = hashes.message
    count = len(fields.named(_SEAL))
    if not count and not fields.named(_MESSAGE) and not fields.named(_RESULTS):
        return Chain(0)
    if count > MAX_INSTANCES:
        return Chain(count, fault=f"the chain has more than {MAX_INSTANCES} links")
    try:
        sets = _sets(fields, count)
        seals = [parse_tags(each[2].text, "the seal") for each in sets]
        _check_states([tags.get("cv", "").lower() for tags in seals])
        signatures = [read_message_seal(sets[-1][1], hashes, now_s)]
        signatures += [_seal(sets, seals, number) for number in range(count, 0, -1)]
        return Chain(count, seals[-1].get("d", "").lower()[:255], tuple(signatures))
    except UnusableError as e:
        return Chain(count, fault=e.reason)


def check_chain(chain: Chain) -> Evaluation[ArcResult]:
    """Evaluate a chain (section 5.2)."""
    if not chain.instances and not chain.fault:
        return ArcResult(result="none", instances=0)
    make = ArcResult(result="pass", instances=chain.instances, domain=chain.domain)
    if chain.fault:
        return _failed(make, chain.fault)
    for number, signature in enumerate(chain.signatures):
        try:
            yield from verify(signature)
        except UnusableError as e:
            at = chain.instances - max(0, number - 1)
            what = "seal" if number else "signature"
            return _failed(make, f"{what} {at}: {e.reason}", is_temporary=e.result == "temperror")
    return make


def _failed(chain: ArcResult, reason: str, *, is_temporary: bool = False) -> ArcResult:
    return ArcResult(
        result="temperror" if is_temporary else "fail",
        instances=chain.instances,
        domain=chain.domain,
        reason=reason,
    )


def _sets(message: RawMessage, count: int) -> list[tuple[RawField, RawField, RawField]]:
    """The three fields of each instance, the oldest first."""
    found: list[dict[int, RawField]] = []
    for name in (_RESULTS, _MESSAGE, _SEAL):
        by_instance: dict[int, RawField] = {}
        for field in message.named(name):
            instance = _INSTANCE.match(field.text) or _anywhere(field)
            by_instance[int(instance[1]) if instance else 0] = field
        if len(message.named(name)) != count or set(by_instance) != set(range(1, count + 1)):
            raise UnusableError("fail", "the chain has not three fields of each link")
        found.append(by_instance)
    results, messages, seals = found
    return [(results[i], messages[i], seals[i]) for i in range(1, count + 1)]


def _anywhere(field: RawField) -> re.Match[str] | None:
    """The instance of a signature, whose tags may be in any order."""
    parts = field.text.split(";")[:40]
    return next((found for part in parts if (found := _INSTANCE.match(part))), None)


def _check_states(states: list[str]) -> None:
    """What each host says of the chain before it (section 5.2, steps 2 and 3)."""
    if states[-1] == "fail":
        raise UnusableError("fail", "the last host found the chain broken")
    if states != ["none"] + ["pass"] * (len(states) - 1):
        raise UnusableError("fail", "the seals do not say that the chain was whole")


def _seal(
    sets: list[tuple[RawField, RawField, RawField]], seals: list[dict[str, str]], number: int
) -> Signature:
    """The seal of an instance: all fields up to it are signed, relaxed (section 5.1.1)."""
    tags = seals[number - 1]
    algorithm = check_maker(tags)
    if "h" in tags or "bh" in tags:
        raise UnusableError("fail", "a seal names fields")
    fields = [field for each in sets[:number] for field in each]
    fields[-1] = unsigned_field(fields[-1])
    return Signature(
        domain=tags["d"].lower().rstrip("."),
        selector=tags["s"],
        algorithm=algorithm,
        signature=decoded(tags.get("b", ""), "the seal"),
        digest=digest_of(b"\r\n".join(map(relaxed_field, fields))),
    )
