"""Links that let whoever has them read one inbox for a while: signed texts, kept by nobody here.

A token is ``ID.EXPIRES.INBOX.SIGNATURE``: of the secret that it was signed with, seconds since the
epoch in decimal digits, a normal address in base64url, and an HMAC-SHA-256 of all that, cut to 128
bits, in base64url.
"""

import binascii
import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

MAX_TOKEN_CHARACTERS: Final = 500

_FORM: Final = re.compile(
    r"([a-z0-9]{16})\.([0-9]{1,12})\.([A-Za-z0-9_-]{1,400})\.[A-Za-z0-9_-]{22}\Z"
)
_SIGNATURE_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxLink:
    """A link to ``inbox`` (a normal address) that ``expires`` (seconds since the epoch).

    ``secret_id`` names what it is signed with.
    """

    secret_id: str
    expires: int
    inbox: str

    def token(self, secret: bytes) -> str:
        """The link as a text, signed with ``secret``."""
        said = f"{self.secret_id}.{self.expires}.{_written(self.inbox.encode())}"
        digest = hmac.new(secret, b"inbox link " + said.encode(), hashlib.sha256).digest()
        return f"{said}.{_written(digest[:_SIGNATURE_BYTES])}"

    def is_signed(self, token: str, secret: bytes) -> bool:
        """Whether ``token``, which this was read from, was signed with ``secret``."""
        return hmac.compare_digest(self.token(secret), token)


def read_token(token: str) -> InboxLink | None:
    """What a token says, whose signature is yet to be checked; None for what is none."""
    found = _FORM.match(token) if len(token) <= MAX_TOKEN_CHARACTERS else None
    if found is None:
        return None
    try:
        inbox = urlsafe_b64decode(found[3] + "=" * (-len(found[3]) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return InboxLink(secret_id=found[1], expires=int(found[2]), inbox=inbox)


def _written(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
