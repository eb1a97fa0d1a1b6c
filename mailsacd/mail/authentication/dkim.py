"""DKIM: what the signatures of a message are worth (RFC 6376 section 6.1).

A signature counts as `pass` only where all that a reader sees is signed: text after an ``l=``, and
a second Subject that is not signed, are `policy`. docs/authentication.md says why.
"""

from typing import Final

from mailsacd.core.authentication import DkimResult
from mailsacd.mail.authentication.evaluation import Evaluation, UnusableError
from mailsacd.mail.authentication.public_key import PublicKey, find_key
from mailsacd.mail.authentication.signature import Hashes, Signature, read_signature

MAX_SIGNATURES: Final = 8
"""So many of a message are looked at, the first ones: the last hosts on its way made them."""

FIELD: Final = "dkim-signature"


def read_signatures(hashes: Hashes, now_s: int) -> tuple[tuple[Signature, ...], int]:
    """Return the signatures of a message, and how many more there are than are looked at."""
    fields = hashes.message.named(FIELD)
    read = tuple(read_signature(field, hashes, now_s) for field in fields[:MAX_SIGNATURES])
    return read, max(0, len(fields) - MAX_SIGNATURES)


def check_signature(signature: Signature) -> Evaluation[DkimResult]:
    """Evaluate one signature."""
    key: PublicKey | None = None
    result, reason = signature.fault or ("pass", "")
    if signature.fault is None:
        try:
            key = yield from verify(signature)
        except UnusableError as e:
            result, reason = e.result, e.reason
    return DkimResult(
        result=result,
        domain=signature.domain,
        selector=signature.selector,
        algorithm=signature.algorithm,
        key_bits=None if key is None else key.bits,
        testing=key is not None and key.testing,
        reason=reason,
    )


def verify(signature: Signature) -> Evaluation[PublicKey]:
    """Return the key that made ``signature``. Raises UnusableError where none did."""
    if signature.fault is not None:
        raise UnusableError(*signature.fault)
    key = yield from find_key(signature.domain, signature.selector, signature.algorithm)
    if key.strict and signature.identity not in {"", signature.domain}:
        raise UnusableError("permerror", "the key is not one for subdomains")
    if not key.verifies(signature.signature, signature.digest):
        raise UnusableError("fail", "the signature is not of this header")
    return key
