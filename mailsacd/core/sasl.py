"""SASL PLAIN and LOGIN, the server's side, for every protocol that logs people in.

Both send the secret as it is, so whoever offers them sees to it that the connection is safe. What
goes over the wire is base64 between protocol words that this module does not know: SMTP writes
``334 `` before a challenge and POP3 ``+ ``.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

MECHANISMS: Final = ("PLAIN", "LOGIN")

MAX_LINE_OCTETS: Final = 4_096
"""A response may be so long, in base64 and without CRLF: enough for RFC 4616's three times 255
characters of any script. RFC 4954 section 4 asks for what the offered mechanisms need."""

MAX_NAME_OCTETS: Final = 512
"""Of a name, decoded: an address has at most 254."""

MAX_SECRET_OCTETS: Final = 1_024
"""Of a password or key, decoded: 256 characters of any script."""

_BASE64: Final = re.compile(
    rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?\Z"
)
"""Some clients leave the padding out."""
_EMPTY_INITIAL_RESPONSE: Final = b"="  # RFC 4954 section 4, RFC 5034 section 4
_CANCEL: Final = b"*"
_ASK_NAME: Final = base64.b64encode(b"Username:")
_ASK_SECRET: Final = base64.b64encode(b"Password:")


class SaslError(Exception):
    """The exchange is over without credentials: a response is malformed, and the text says how."""


class UnknownMechanismError(SaslError):
    """The mechanism is none of MECHANISMS."""


class TooLongError(SaslError):
    """A response is longer than any that could be right."""


class CancelledError(SaslError):
    """The client has cancelled the exchange."""


class AuthorizationIdentityError(SaslError):
    """The client wants to act as somebody else than it logs in as (RFC 4616 section 2)."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What to send: base64, empty where the mechanism has nothing to say."""

    text: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """Who the client says it is, and the proof. Either may be empty, and of any characters
    but NUL."""

    name: str
    secret: str


Step = Challenge | Credentials


class SaslExchange:
    """One exchange: `start` it once, then `respond` with a line for each Challenge.

    Both raise SaslError, after which the exchange is over.
    """

    __slots__ = ("_mechanism", "_name")

    def __init__(self, mechanism: bytes) -> None:
        """``mechanism`` is as the client wrote it. Raises UnknownMechanismError."""
        self._mechanism = mechanism.decode("ascii", "replace").upper()
        if self._mechanism not in MECHANISMS:
            raise UnknownMechanismError("Unknown mechanism")
        self._name: str | None = None

    def start(self, initial_response: bytes | None = None) -> Step:
        """Begin, with what the client sent along: base64, ``=`` for an empty one, None for none."""
        if initial_response is None:
            return Challenge(b"" if self._mechanism == "PLAIN" else _ASK_NAME)
        if initial_response == _EMPTY_INITIAL_RESPONSE:
            return self._take(b"")
        return self._take(_decoded(initial_response))

    def respond(self, line: bytes) -> Step:
        """Go on with a line of the client's, without its CRLF."""
        line = line.rstrip(b" \t")
        if line == _CANCEL:
            raise CancelledError("Cancelled")
        return self._take(_decoded(line))

    def _take(self, response: bytes) -> Step:
        if self._mechanism == "PLAIN":
            return _plain(response)
        if self._name is None:
            self._name = _text(response, MAX_NAME_OCTETS)
            return Challenge(_ASK_SECRET)
        return Credentials(self._name, _text(response, MAX_SECRET_OCTETS))


def _plain(response: bytes) -> Credentials:
    """``[authzid] NUL authcid NUL passwd`` (RFC 4616 section 2)."""
    parts = response.split(b"\0")
    if len(parts) != 3:
        raise SaslError("A PLAIN response has three parts with a NUL between each two")
    identity, name = _text(parts[0], MAX_NAME_OCTETS), _text(parts[1], MAX_NAME_OCTETS)
    secret = _text(parts[2], MAX_SECRET_OCTETS)
    if identity not in {"", name}:
        raise AuthorizationIdentityError("Nobody may act as somebody else")
    return Credentials(name, secret)


def _decoded(line: bytes) -> bytes:
    if len(line) > MAX_LINE_OCTETS:
        raise TooLongError("Response too long")
    if not _BASE64.match(line):  # the decoder itself lets much through
        raise SaslError("Not base64")
    try:
        return base64.b64decode(line + b"=" * (-len(line) % 4))
    except binascii.Error as e:
        raise SaslError("Not base64") from e


def _text(octets: bytes, most: int) -> str:
    if len(octets) > most:
        raise TooLongError("Response too long")
    try:
        text = octets.decode()
    except UnicodeDecodeError as e:
        raise SaslError("Not UTF-8") from e
    if "\0" in text:
        raise SaslError("There is a NUL in it")
    return text
