"""The public keys that domains publish, and what they say of a signature (RFC 6376 section 3.6.1).

RFC 8301 section 3.2 has verifiers take RSA keys of 1,024 to 4,096 bits. Longer ones, and unusual
exponents, are not taken: whoever publishes a key decides what verifying costs, on the reactor.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_der_public_key

from mailsacd.core.dns import Found
from mailsacd.core.errors import LookupFailedError
from mailsacd.mail.authentication.evaluation import Evaluation, Question, UnusableError
from mailsacd.mail.authentication.tags import decoded, parse_tags, split_list

MIN_BITS: Final = 1_024
MAX_BITS: Final = 4_096

_MAX_EXPONENT: Final = 65_537
_WHAT: Final = "the key record"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key of a domain. ``testing`` and ``strict`` are its flags ``t=y`` and ``t=s``."""

    key: RSAPublicKey | Ed25519PublicKey
    testing: bool
    strict: bool

    @property
    def bits(self) -> int:
        """How many bits the key has."""
        return self.key.key_size if isinstance(self.key, RSAPublicKey) else 256

    def verifies(self, signature: bytes, digest: bytes) -> bool:
        """Return whether ``signature`` was made of ``digest``, a SHA-256 sum."""
        try:
            if isinstance(self.key, RSAPublicKey):
                self.key.verify(signature, digest, PKCS1v15(), Prehashed(hashes.SHA256()))
            else:
                self.key.verify(signature, digest)
        except InvalidSignature:
            return False
        return True


def find_key(domain: str, selector: str, algorithm: str) -> Evaluation[PublicKey]:
    """Look up the key for signatures by ``algorithm`` (core.dkim). Raises UnusableError."""
    name = f"{selector}._domainkey.{domain}"
    try:
        found: Found[str] = yield Question("TXT", name)
    except LookupFailedError as e:
        raise UnusableError("temperror", e.public) from e
    if not found.records:
        raise UnusableError("permerror", f"there is no key at {name}")
    if len(found.records) > 1:  # section 3.6.2.2: they have to be unique
        raise UnusableError("permerror", f"there are several records at {name}")
    return read_key(found.records[0], algorithm)


def read_key(record: str, algorithm: str) -> PublicKey:
    """Return the key that ``record`` publishes for ``algorithm``. Raises UnusableError."""
    tags = parse_tags(record, _WHAT)
    if tags.get("v", "DKIM1") != "DKIM1" or ("v" in tags and next(iter(tags)) != "v"):
        raise UnusableError("permerror", f"{_WHAT} is of another version")
    if tags.get("p") is None:
        raise UnusableError("permerror", f"{_WHAT} has no key")
    if not tags["p"]:
        raise UnusableError("permerror", "the key is revoked")
    if f"{tags.get('k', 'rsa').lower()}-sha256" != algorithm:
        raise UnusableError("permerror", f"the key is not one for {algorithm}")
    if "h" in tags and "sha256" not in split_list(tags["h"]):
        raise UnusableError("permerror", "the key is not one for SHA-256")
    if not {"*", "email"} & set(split_list(tags.get("s", "*"))):
        raise UnusableError("permerror", "the key is not one for mail")
    flags = split_list(tags.get("t", ""))
    return PublicKey(_loaded(decoded(tags["p"], _WHAT), algorithm), "y" in flags, "s" in flags)


def _loaded(data: bytes, algorithm: str) -> RSAPublicKey | Ed25519PublicKey:
    try:
        if algorithm == "ed25519-sha256":
            return Ed25519PublicKey.from_public_bytes(data)
        key = load_der_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as e:
        raise UnusableError("permerror", f"{_WHAT} has no key that can be read") from e
    if not isinstance(key, RSAPublicKey):
        raise UnusableError("permerror", f"{_WHAT} has a key of another kind")
    if key.key_size < MIN_BITS:
        raise UnusableError("policy", f"a key of {key.key_size} bits is too short")
    if key.key_size > MAX_BITS:
        raise UnusableError("policy", f"a key of {key.key_size} bits is too long")
    if key.public_numbers().e > _MAX_EXPONENT:
        raise UnusableError("policy", "the exponent of the key is too large")
    return key


def digest_of(text: bytes) -> bytes:
    """Return the SHA-256 sum that is signed."""
    return sha256(text).digest()
