"""What a sender wants to be told of a message: the parameters of MAIL and RCPT by RFC 3461.

They are read strictly, and kept in the form in which they came: they go on to other hosts, and
into reports, where a control character could begin a field of its own.
"""

import re
from dataclasses import dataclass
from typing import Final

from mailsacd.core import reply
from mailsacd.smtp.grammar import GrammarError

MAX_ENVID_CHARACTERS: Final = 100  # RFC 3461 section 4.4
MAX_ORCPT_CHARACTERS: Final = 500  # RFC 3461 section 4.2

_MORE_OCTETS: Final = {
    b"MAIL": len(" RET=FULL ENVID=") + MAX_ENVID_CHARACTERS,
    b"RCPT": len(" NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=") + MAX_ORCPT_CHARACTERS,
}
_NEVER: Final = "NEVER"
_EVENTS: Final = ("SUCCESS", "FAILURE", "DELAY")
_RETURNS: Final = ("FULL", "HDRS")
_UTF8_TYPE: Final = b"utf-8"
# Of the octets that xtext stands for none may be a control character or beyond ASCII
_XTEXT = re.compile(rb"(?:[!-*,-<>-~]|\+(?:[2-6][0-9A-F]|7[0-9A-E]))+\Z")
_UNITEXT = re.compile(rb"[!-*,-<>-~\x80-\xff]+\Z")
_ADDRESS_TYPE = re.compile(rb"[A-Za-z0-9-]{1,64}\Z")
_UNPRINTABLE = re.compile(r"[\x80-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientDsn:
    """What is asked for one recipient.

    ``notify`` is ``NEVER``, or SUCCESS, FAILURE and DELAY between commas. ``orcpt`` is the original
    recipient with its type. Each is None when it is not given.
    """

    notify: str | None = None
    orcpt: str | None = None


def more_octets(verb: bytes) -> int:
    """Return by how much the line of the command ``verb`` may be longer where these are known."""
    return _MORE_OCTETS.get(verb, 0)


def parse_ret(value: bytes | None) -> str:
    """Read the value of RET=: FULL or HDRS (RFC 3461 section 4.3). Raises GrammarError (501)."""
    text = (value or b"").decode("latin-1").upper()
    if text not in _RETURNS:
        raise GrammarError(reply.BAD_ARGUMENTS)
    return text


def parse_envid(value: bytes | None) -> str:
    """Read the value of ENVID=, xtext (RFC 3461 section 4.4). Raises GrammarError (501)."""
    if value is None or len(value) > MAX_ENVID_CHARACTERS or not _XTEXT.match(value):
        raise GrammarError(reply.BAD_ARGUMENTS)
    return value.decode("ascii")


def parse_notify(value: bytes | None) -> str:
    """Read the value of NOTIFY= (RFC 3461 section 4.1), each event once.

    Raises GrammarError (501).
    """
    words = (value or b"").decode("latin-1").upper().split(",")
    if words != [_NEVER] and not all(word in _EVENTS for word in words):
        raise GrammarError(reply.BAD_ARGUMENTS)
    return ",".join(dict.fromkeys(words))


def parse_orcpt(value: bytes | None, *, utf8: bool) -> str:
    """Read the value of ORCPT=, ``type;xtext`` (RFC 3461 section 4.2).

    With ``utf8``, in a transaction of SMTPUTF8, an address of the type ``utf-8`` may have
    characters beyond ASCII (RFC 6533 section 3). Raises GrammarError (501).
    """
    kind, _, address = (value or b"").partition(b";")
    as_it_is = utf8 and kind.lower() == _UTF8_TYPE and _UNITEXT.match(address)
    if (
        len(value or b"") > MAX_ORCPT_CHARACTERS
        or not _ADDRESS_TYPE.match(kind)
        or not (_XTEXT.match(address) or as_it_is)
    ):
        raise GrammarError(reply.BAD_ARGUMENTS)
    try:
        text = (value or b"").decode()
    except UnicodeDecodeError as e:
        raise GrammarError(reply.BAD_ARGUMENTS) from e
    if _UNPRINTABLE.search(text):
        raise GrammarError(reply.BAD_ARGUMENTS)
    return text
