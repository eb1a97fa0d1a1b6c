"""Signatures of a message, read and hashed: all that can be said without their keys.

This is what costs: it is linear in the size of the message, whatever signatures there are, and
runs in any thread.
"""

import base64
import re
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Final

from mailsacd.core.address import is_domain
from mailsacd.core.authentication import Result
from mailsacd.core.dkim import ALGORITHMS, Algorithm
from mailsacd.mail.authentication.canonical import BODY_FORMS, FIELD_FORMS, RawField, RawMessage
from mailsacd.mail.authentication.evaluation import UnusableError
from mailsacd.mail.authentication.public_key import digest_of
from mailsacd.mail.authentication.tags import decoded, parse_tags, split_list, without_space

SINGLE: Final = (
    "from", "sender", "reply-to", "to", "cc", "date", "subject", "message-id", "mime-version",
    "content-type", "content-transfer-encoding",
)  # fmt: skip
"""Fields that a message may have once (RFC 5322 section 3.6): readers show any one of several."""

_NUMBER: Final = re.compile(r"[0-9]{1,15}\Z")
_SELECTOR: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,98}[A-Za-z0-9_])?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature: who made it, and the digest that it was made of.

    ``identity`` is the domain of ``i=``. With a ``fault``, a result and why, the key need not be
    looked up: the signature is worth that, whatever the key says.
    """

    domain: str
    selector: str
    algorithm: str
    identity: str = ""
    signature: bytes = b""
    digest: bytes = b""
    fault: tuple[Result, str] | None = None


class Hashes:
    """What is signed of one message, each made once, however many signatures ask for it."""

    def __init__(self, message: RawMessage) -> None:
        self.message = message
        self._lines: dict[tuple[str, str, int], bytes] = {}
        self._bodies: dict[str, bytes] = {}
        self._sums: dict[tuple[str, int], str] = {}

    def line(self, form: str, name: str, place: int) -> bytes:
        """Return the field at ``place`` of those called ``name`` in a form (FIELD_FORMS)."""
        key = form, name, place
        if key not in self._lines:
            self._lines[key] = FIELD_FORMS[form](self.message.named(name)[place])
        return self._lines[key]

    def body_sum(self, form: str, length: int | None) -> tuple[str, int]:
        """Return the sum in base64 of ``length`` bytes of the body (None: all), and how many more
        there are. Raises UnusableError when there are fewer."""
        if form not in self._bodies:
            self._bodies[form] = BODY_FORMS[form](self.message.body)
        body = self._bodies[form]
        end = len(body) if length is None else length
        if end > len(body):
            raise UnusableError("fail", "the body is shorter than what was signed")
        if (form, end) not in self._sums:
            digest = digest_of(body[:end] if end < len(body) else body)
            self._sums[form, end] = base64.b64encode(digest).decode("ascii")
        return self._sums[form, end], len(body) - end


def read_signature(field: RawField, hashes: Hashes, now_s: int) -> Signature:
    """Read a DKIM-Signature field. The time ``now_s`` counts from the epoch. Never raises."""
    return _read(field, hashes, now_s, dkim=True)


def read_message_seal(field: RawField, hashes: Hashes, now_s: int) -> Signature:
    """Read an ARC-Message-Signature field (RFC 8617 section 4.1.2). Never raises."""
    return _read(field, hashes, now_s, dkim=False)


def _read(field: RawField, hashes: Hashes, now_s: int, *, dkim: bool) -> Signature:
    try:
        tags = parse_tags(field.text, "the signature")
    except UnusableError as e:
        return Signature(domain="", selector="", algorithm="", fault=(e.result, e.reason))
    make = partial(
        Signature,
        domain=tags.get("d", "").lower().rstrip(".")[:255],
        selector=tags.get("s", "")[:100],
        algorithm=tags.get("a", "").lower()[:40],
    )
    try:
        check_maker(tags)
        if dkim:
            _check_version(tags)
        identity = _identity(tags) if dkim else ""
        _check_times(tags, now_s)
        digest = digest_of(_signed_header(field, tags, hashes))
        _check_body(tags, hashes)
        return make(
            identity=identity, digest=digest, signature=decoded(tags.get("b", ""), "the signature")
        )
    except UnusableError as e:
        return make(fault=(e.result, e.reason))


def check_maker(tags: dict[str, str]) -> Algorithm:
    """Return the algorithm of a signature. Raises UnusableError for a bad ``a``, ``d`` or ``s``."""
    algorithm = tags.get("a", "").lower()
    if algorithm == "rsa-sha1":
        raise UnusableError("policy", "SHA-1 is not good any more")  # RFC 8301 section 3.1
    if algorithm not in ALGORITHMS:
        raise UnusableError("permerror", "the algorithm is not known")
    if not is_domain(tags.get("d", "")) or not _SELECTOR.match(tags.get("s", "")):
        raise UnusableError("permerror", "the signature names no domain and selector")
    return algorithm


def _check_version(tags: dict[str, str]) -> None:
    if tags.get("v") != "1":
        raise UnusableError("permerror", "the signature is of another version")
    if "dns/txt" not in split_list(tags.get("q", "dns/txt")):
        raise UnusableError("permerror", "the key is to be asked for in a way that is not known")


def _identity(tags: dict[str, str]) -> str:
    domain = tags["d"].lower().rstrip(".")
    identity = tags.get("i", f"@{domain}").rpartition("@")[2].lower().rstrip(".")
    if identity != domain and not identity.endswith(f".{domain}"):
        raise UnusableError("permerror", "the identity is not of the domain that signs")
    return identity


def _check_times(tags: dict[str, str], now_s: int) -> None:
    made, expires = tags.get("t", "0"), tags.get("x")
    if not _NUMBER.match(made) or (expires is not None and not _NUMBER.match(expires)):
        raise UnusableError("permerror", "the signature has times that are no numbers")
    if expires is None:
        return
    if int(expires) < int(made):
        raise UnusableError("permerror", "the signature expires before it is made")
    if int(expires) < now_s:
        raise UnusableError("fail", "the signature has expired")


def _forms(tags: dict[str, str]) -> tuple[str, str]:
    header, _, body = tags.get("c", "simple/simple").lower().partition("/")
    body = body or "simple"
    if header not in FIELD_FORMS or body not in BODY_FORMS:
        raise UnusableError("permerror", "the canonical form is not known")
    return header, body


def _check_body(tags: dict[str, str], hashes: Hashes) -> None:
    length = tags.get("l")
    if length is not None and not _NUMBER.match(length):
        raise UnusableError("permerror", "the signed length is no number")
    form = _forms(tags)[1]
    digest, more = hashes.body_sum(form, None if length is None else int(length))
    if digest != without_space(tags.get("bh", "")):
        raise UnusableError("fail", "the body was changed")
    if more:
        raise UnusableError("policy", f"{more} bytes of the body are not signed")


def _signed_header(field: RawField, tags: dict[str, str], hashes: Hashes) -> bytes:
    """The fields that ``h`` names, from the last one up, and the signature without its value."""
    names = split_list(tags.get("h", ""))
    if "from" not in names:
        raise UnusableError("permerror", "From is not signed")
    if hashes.message.fault:
        raise UnusableError("policy", hashes.message.fault)
    signed = Counter(names)
    for name in SINGLE:
        if len(hashes.message.named(name)) > max(1, signed[name]):
            raise UnusableError("policy", f"a field {name} is not signed, among several")
    form = _forms(tags)[0]
    left = {name: len(hashes.message.named(name)) for name in signed}
    lines: list[bytes] = []
    for name in names:
        if left[name]:
            left[name] -= 1
            lines.append(hashes.line(form, name, left[name]))
    lines.append(FIELD_FORMS[form](unsigned_field(field)))
    return b"\r\n".join(lines)


def unsigned_field(field: RawField) -> RawField:
    """Return a field of a signature with an empty ``b=`` (RFC 6376 section 3.7)."""
    name, colon, value = field.raw.partition(b":")
    parts = value.split(b";")
    for place, part in enumerate(parts):
        tag, equals, _ = part.partition(b"=")
        if equals and tag.strip(b" \t\r\n") == b"b":
            parts[place] = tag + equals
    return RawField(field.name, name + colon + b";".join(parts))
