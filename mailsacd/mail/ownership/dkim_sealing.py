"""DKIM keys are made here, and their private halves sealed for the database.

A sealed key opens for the domain and selector that it was sealed for only (mail.accounts.sealing).
"""

import secrets
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from mailsacd.core.dkim import Algorithm
from mailsacd.mail.accounts.sealing import Sealer

RSA_BITS: Final = 2_048
"""RFC 8301 section 3.2 asks for that; the record of a longer key does not fit in one UDP answer."""

_PURPOSE: Final = b"mailsacd: private DKIM keys"
_SELECTOR_BYTES: Final = 5

PrivateKey = RSAPrivateKey | Ed25519PrivateKey


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
    return Sealer(secret, _PURPOSE).seal(plain, _place(domain, selector))


def unseal(secret: bytes, sealed: bytes, *, domain: str, selector: str) -> PrivateKey:
    """Return a private key that `seal` has sealed. Raises SealError."""
    plain = Sealer(secret, _PURPOSE).unseal(sealed, _place(domain, selector))
    # Nobody without the secret can have made it, and validating an RSA key takes 27 ms
    key = load_der_private_key(plain, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, PrivateKey)  # noqa: S101  as `seal` takes nothing else
    return key


def _place(domain: str, selector: str) -> bytes:
    return f"{selector}._domainkey.{domain}".encode("ascii")
