"""What the forms of our pages have in them, and what no page of another site can know.

It follows from a secret that the browser keeps in a cookie: that of the session, or, for who has
not signed in, one that is for forms alone. So nothing is stored here.
"""

import hmac
import secrets
from hashlib import sha256
from typing import Final

FORM_COOKIE: Final = b"mailsacd_form"
_SECRET_BYTES: Final = 18
_PURPOSE: Final = b"mailsacd form"


def new_secret() -> str:
    """A secret for the cookie FORM_COOKIE."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def token_of(secret: str) -> str:
    """The token that goes with ``secret``, in hex. It does not tell the secret."""
    return hmac.new(secret.encode(), _PURPOSE, sha256).hexdigest()


def is_token(given: str, secret: str) -> bool:
    """Whether ``given`` is the token that goes with ``secret``; takes as long if it is not."""
    return hmac.compare_digest(given.encode(), token_of(secret).encode())
