"""DKIM keys are made here, and their private halves sealed for the database.

They are sealed with AES-256-GCM under a key that is made of the server's secret for this alone
(HKDF, RFC 5869). A sealed key opens for the domain and selector that it was sealed for only.
"""

import os
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from mailsacd.core.dkim import Algorithm

RSA_BITS: Final = 2_048
"""RFC 8301 section 3.2 asks for that; the record of a longer key does not fit in one UDP answer."""

_PURPOSE: Final = b"mailsacd: private DKIM keys"
_NONCE_BYTES: Final = 12
_SELECTOR_BYTES: Final = 5

PrivateKey = RSAPrivateKey | Ed25519PrivateKey


class SealError(Exception):
    """A sealed key does not open: it was sealed with another server's secret, or is damaged."""


def new_key(algorithm: Algorithm) -> tuple[PrivateKey, bytes]:
    """Make a key. Returns it with the public half as its DNS record has it.

    An RSA key takes some 50 to 300 ms, in which the interpreter is free.
    """
    if algorithm == "rsa-sha256":
        rsa = generate_private_key(public_exponent=65_537, key_size=RSA_BITS)
        return rsa, rsa.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ed25519 = Ed25519PrivateKey.generate()
    return ed25519, ed25519.public_key().public_bytes_raw()


def new_selector(algorithm: Algorithm) -> str:
    """Return a selector that nothing else at the domain has: ``mailsacd-3f9c2a71b0-rsa``."""
    return f"mailsacd-{secrets.token_hex(_SELECTOR_BYTES)}-{algorithm.partition('-')[0]}"


def seal(secret: bytes, private: PrivateKey, *, domain: str, selector: str) -> bytes:
    """Return a private key sealed with the server's ``secret``."""
    plain = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + _cipher(secret).encrypt(nonce, plain, _place(domain, selector))


def unseal(secret: bytes, sealed: bytes, *, domain: str, selector: str) -> PrivateKey:
    """Return a private key that `seal` has sealed. Raises SealError."""
    nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        plain = _cipher(secret).decrypt(nonce, text, _place(domain, selector))
    except (InvalidTag, ValueError) as e:
        raise SealError(f"the DKIM key {selector} of {domain} was sealed by another server") from e
    # Nobody without the secret can have made it, and validating an RSA key takes 27 ms
    key = load_der_private_key(plain, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, PrivateKey)  # noqa: S101  as `seal` takes nothing else
    return key


def _cipher(secret: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret))


def _place(domain: str, selector: str) -> bytes:
    return f"{selector}._domainkey.{domain}".encode("ascii")
