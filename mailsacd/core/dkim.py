"""DKIM keys as values, and the DNS records that tell of them (RFC 6376 section 3.6.1, RFC 8463)."""

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

Algorithm = Literal["rsa-sha256", "ed25519-sha256"]
ALGORITHMS: Final[tuple[Algorithm, ...]] = ("rsa-sha256", "ed25519-sha256")

_KEY_TYPES: Final[dict[Algorithm, str]] = {"rsa-sha256": "rsa", "ed25519-sha256": "ed25519"}
_SPACE: Final = re.compile(r"[ \t\r\n]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimKey:
    """A key of a domain; its private half is known to ``store.dkim`` alone, and sealed there.

    ``owner`` is the account whose claim to the domain it belongs to, None for a domain of the
    operator's. ``public`` is what the DNS record has: the DER form of an RSA key
    (SubjectPublicKeyInfo), the 32 bytes of an Ed25519 key. It signs from ``active_since`` until
    ``retired``; ``published`` tells whether the last look found its record.
    """

    domain: str
    owner: str | None
    selector: str
    algorithm: Algorithm
    public: bytes
    created: datetime
    active_since: datetime | None
    retired: datetime | None
    published: bool

    @property
    def record_name(self) -> str:
        """The name at which its record is published."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def record_text(self) -> str:
        """What the TXT record says."""
        key_type = _KEY_TYPES[self.algorithm]
        return f"v=DKIM1; k={key_type}; p={base64.b64encode(self.public).decode('ascii')}"

    @property
    def state(self) -> Literal["waiting", "active", "retired"]:
        """Whether it is to sign, signs, or has signed and is published for the mail under way."""
        if self.retired is not None:
            return "retired"
        return "waiting" if self.active_since is None else "active"


def is_record_of(key: DkimKey, texts: Iterable[str]) -> bool:
    """Return whether one of ``texts``, TXT records, publishes ``key``."""
    return any(_tags(text) == _tags(key.record_text) for text in texts)


def _tags(text: str) -> tuple[str, str]:
    """The type and data of the key in a record; both are empty for what is no key record.

    Other tags do not change which key it is.
    """
    pairs = (part.partition("=")[::2] for part in text.split(";"))
    tags = {name.strip(): _SPACE.sub("", value) for name, value in pairs}
    if tags.get("v", "DKIM1") != "DKIM1" or "p" not in tags:
        return "", ""
    return tags.get("k", "rsa"), tags["p"]
