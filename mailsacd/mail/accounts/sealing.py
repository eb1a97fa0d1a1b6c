"""Secrets that have to be read again are sealed for the database.

They are sealed with AES-256-GCM under a key that is made of the server's secret for one purpose
alone (HKDF, RFC 5869). What is sealed opens for the place that it was sealed for only.
"""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES: Final = 12


class SealError(Exception):
    """What is sealed does not open: it is another server's, for another place, or damaged."""


class Sealer:
    """Seals with the server's ``secret``, for ``purpose``."""

    def __init__(self, secret: bytes, purpose: bytes) -> None:
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret)
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """Return ``plain`` sealed for ``place``."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, place)

    def unseal(self, sealed: bytes, place: bytes) -> bytes:
        """Return what `seal` was given. Raises SealError."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place)
        except (InvalidTag, ValueError) as e:
            raise SealError("it was sealed by another server, or for another place") from e
