"""How webhooks are signed: https://www.standardwebhooks.com, version 1, symmetric."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Final

SECRET_BYTES: Final = 32
_PREFIX: Final = "whsec_"


def new_secret() -> bytes:
    """A new secret for signing: random bytes."""
    return secrets.token_bytes(SECRET_BYTES)


def shown_secret(secret: bytes) -> str:
    """``secret`` as receivers are given it: ``whsec_`` and base64."""
    return _PREFIX + base64.b64encode(secret).decode("ascii")


def signature_headers(
    delivery_id: str, time_s: int, body: bytes, keys: Iterable[bytes]
) -> dict[str, str]:
    """The fields that go with ``body``: one signature for each of ``keys``.

    ``time_s`` is of the attempt, in seconds since the epoch.
    """
    signed = f"{delivery_id}.{time_s}.".encode() + body
    digests = (hmac.digest(key, signed, hashlib.sha256) for key in keys)
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(time_s),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(d).decode('ascii')}" for d in digests),
    }
