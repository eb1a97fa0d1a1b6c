"""The grammar of POP3 command lines: bytes of one line in, plain values out. Knows no state."""

import re
from typing import Final

from mailsacd.core.sasl import MAX_LINE_OCTETS as MAX_RESPONSE_OCTETS
from mailsacd.pop3 import answer

MAX_LINE_OCTETS: Final = 255  # RFC 2449 section 4, CRLF included
MAX_LOGIN_LINE_OCTETS: Final = MAX_RESPONSE_OCTETS + 64
"""Of USER, PASS and AUTH, whose arguments may be long, and of responses to challenges."""
LOGIN_VERBS: Final = (b"USER", b"PASS", b"AUTH")

_NUMBER: Final = re.compile(rb"0*([0-9]{1,9})\Z")
_MAX_CHARACTERS: Final = 40  # RFC 1939 section 3, of an argument


class GrammarError(Exception):
    """A command line is wrong; ``answer`` tells the client how."""

    def __init__(self, given: bytes) -> None:
        super().__init__(given)
        self.answer = given


def split_line(line: bytes) -> tuple[bytes, bytes]:
    """Split a ``line``, without its CRLF, into the verb in upper case and what follows it."""
    verb, _, argument = line.partition(b" ")
    return verb.upper(), argument


def parse_number(text: bytes) -> int:
    """Read the number of a message, from 1. Raises GrammarError."""
    number = _number(text)
    if not number:
        raise GrammarError(answer.BAD_NUMBER)
    return number


def parse_top(argument: bytes) -> tuple[int, int]:
    """Read ``message lines`` of TOP (RFC 1939 section 7). Raises GrammarError."""
    words = argument.split()
    if len(words) != 2:
        raise GrammarError(answer.BAD_ARGUMENTS)
    count = _number(words[1])
    if count is None:
        raise GrammarError(answer.BAD_ARGUMENTS)
    return parse_number(words[0]), count


def parse_nothing(argument: bytes) -> None:
    """Check that a command without arguments has none. Raises GrammarError."""
    if argument.strip(b" "):
        raise GrammarError(answer.BAD_ARGUMENTS)


def parse_text(argument: bytes) -> str:
    """Read a name or a password: UTF-8 (RFC 6856 section 2.2), spaces too (RFC 1939 section 7).

    Raises GrammarError for none at all, and for what is not UTF-8 or has a NUL.
    """
    if not argument:
        raise GrammarError(answer.BAD_ARGUMENTS)
    try:
        text = argument.decode()
    except UnicodeDecodeError:
        raise GrammarError(answer.NOT_UTF8) from None
    if "\0" in text:
        raise GrammarError(answer.BAD_ARGUMENTS)
    return text


def _number(text: bytes) -> int | None:
    digits = text.strip(b" ")
    found = _NUMBER.match(digits) if len(digits) <= _MAX_CHARACTERS else None
    return int(found[1]) if found else None
