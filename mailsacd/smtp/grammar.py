"""The grammar of SMTP command lines: bytes of one line in, plain values out.

Lenient where real clients are (a space after the colon, no angle brackets, odd HELO names) and
strict where leniency would let two servers read one line differently. Knows no session state.
"""

import re
from typing import Final

from mailsacd.core import reply
from mailsacd.core.address import MAX_DOMAIN_OCTETS, MAX_LOCAL_OCTETS
from mailsacd.core.reply import Reply
from mailsacd.core.sasl import MAX_LINE_OCTETS as MAX_RESPONSE_OCTETS

MAX_PATH_OCTETS: Final = 256  # RFC 5321 section 4.5.3.1.3, angle brackets included
MAX_LINE_OCTETS: Final = 512  # RFC 5321 section 4.5.3.1.4, CRLF included
MAX_MAIL_LINE_OCTETS: Final = (
    MAX_LINE_OCTETS
    + 26  # RFC 1870 section 3: SIZE
    + 17  # RFC 6152 section 2: BODY
    + 10  # RFC 6531 section 3.1: SMTPUTF8
    + 8  # AUTH=<>, which is let through
)
MAX_AUTH_MAIL_LINE_OCTETS: Final = MAX_MAIL_LINE_OCTETS + 500  # RFC 4954 section 3, AUTH=
MAX_AUTH_LINE_OCTETS: Final = MAX_RESPONSE_OCTETS + 20  # longer than its mechanism and CRLF
MAX_HELO_OCTETS: Final = 255

_LIMITS: Final = {b"MAIL": MAX_MAIL_LINE_OCTETS}
_LIMITS_WITH_AUTH: Final = {b"MAIL": MAX_AUTH_MAIL_LINE_OCTETS, b"AUTH": MAX_AUTH_LINE_OCTETS}

Parameters = dict[bytes, bytes | None]

_ATOMS = rb'[^\x00-\x20\x7f()<>\[\]:;@\\,"]+'
_QUOTED = rb'"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"'
_ORDINARY = rb": ?<([A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9._-]{1,180})> *\Z"
_ORDINARY_MAIL = re.compile(rb"[Ff][Rr][Oo][Mm]" + _ORDINARY)  # within every limit
_ORDINARY_RCPT = re.compile(rb"[Tt][Oo]" + _ORDINARY)
_BRACKETED = re.compile(rb'[ \t]*<((?:[^<>"\\\x00-\x20\x7f]|' + _QUOTED + rb")*)>(?: +(.*))?\Z")
_BARE = re.compile(rb'[ \t]*([^<>"\\\x00-\x20\x7f]+)(?: +(.*))?\Z')
_MAILBOX = re.compile(
    rb"(" + _ATOMS + rb"|" + _QUOTED + rb")@([A-Za-z0-9._\x80-\xff-]+|\[[A-Za-z0-9.:-]+\])\Z"
)
_PARAMETER = re.compile(rb"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^\x00-\x20=\x7f]+))?\Z")
_AUTH = re.compile(rb"([A-Za-z0-9_-]{1,20})(?: +([^ ]+))? *\Z")
_XTEXT = re.compile(rb"(?:[!-*,-<>-~]|\+[0-9A-F]{2})+\Z")
_CHUNK = re.compile(rb"([0-9]{1,20})( +[Ll][Aa][Ss][Tt])? *\Z")
_CHUNK_OCTETS = re.compile(rb" *([0-9]{1,20})(?:[ \t]|\Z)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NO_PARAMETERS: Final[Parameters] = {}


class GrammarError(Exception):
    """A command line is wrong; ``reply`` tells the client how."""

    def __init__(self, answer: Reply) -> None:
        super().__init__(answer)
        self.reply = answer


def max_line_octets(verb: bytes, *, may_log_in: bool) -> int:
    """Return how long the line of the command ``verb`` may be, in octets with its CRLF.

    ``may_log_in`` is for a port where people log in, with longer lines (RFC 4954 section 3).
    """
    return (_LIMITS_WITH_AUTH if may_log_in else _LIMITS).get(verb, MAX_LINE_OCTETS)


def split_line(line: bytes) -> tuple[bytes, bytes]:
    """Split a ``line``, without its CRLF, into the verb in upper case and what follows it.

    White space at the end of a line is no part of it (RFC 5321 section 4.1.1).
    """
    verb, _, argument = line.rstrip(b" \t").partition(b" ")
    return verb.upper(), argument


def parse_mail(argument: bytes) -> tuple[str, Parameters]:
    """Read ``FROM:<reverse-path> parameters`` (RFC 5321 section 4.1.1.2).

    The path comes without brackets and source route, empty for a bounce.
    Raises GrammarError (501).
    """
    ordinary = _ORDINARY_MAIL.match(argument)
    if ordinary:
        return ordinary[1].decode("ascii"), _NO_PARAMETERS
    inner, parameters = _path(argument, b"FROM:", reply.BAD_SENDER)
    if inner and not _is_mailbox(inner):
        raise GrammarError(reply.BAD_SENDER)
    return _text(inner, reply.BAD_SENDER), parameters


def parse_rcpt(argument: bytes) -> tuple[str, Parameters]:
    """Read ``TO:<forward-path> parameters`` (RFC 5321 section 4.1.1.3).

    The path comes without brackets and source route, and is not checked further: whoever decides
    on recipients says what is wrong with one. Raises GrammarError (501).
    """
    ordinary = _ORDINARY_RCPT.match(argument)
    if ordinary:
        return ordinary[1].decode("ascii"), _NO_PARAMETERS
    inner, parameters = _path(argument, b"TO:", reply.BAD_RECIPIENT)
    if not inner:
        raise GrammarError(reply.BAD_RECIPIENT)
    return _text(inner, reply.BAD_RECIPIENT), parameters


def parse_size(value: bytes | None) -> int:
    """Read the value of SIZE=, in octets (RFC 1870 section 3). Raises GrammarError (501)."""
    if value is None or not value.isdigit() or len(value) > 20:
        raise GrammarError(reply.BAD_ARGUMENTS)
    return int(value)


def parse_chunk(argument: bytes) -> tuple[int, bool]:
    """Read ``size [LAST]`` of BDAT (RFC 3030 section 2): the octets, and whether it is the last.

    Raises GrammarError (501).
    """
    found = _CHUNK.match(argument)
    if not found:
        raise GrammarError(reply.BAD_ARGUMENTS)
    return int(found[1]), found[2] is not None


def chunk_octets(argument: bytes) -> int | None:
    """Read how many octets follow a BDAT, though the rest of its ``argument`` may make no sense.

    Returns None when that cannot be told either.
    """
    found = _CHUNK_OCTETS.match(argument)
    return int(found[1]) if found else None


def parse_auth(argument: bytes) -> tuple[bytes, bytes | None]:
    """Read ``mechanism [initial-response]`` of AUTH (RFC 4954 section 4), both as they came.

    Raises GrammarError (501).
    """
    found = _AUTH.match(argument)
    if not found:
        raise GrammarError(reply.BAD_ARGUMENTS)
    return found[1], found[2]


def is_submitter(value: bytes | None) -> bool:
    """Tell if ``value`` may stand behind AUTH= of MAIL: ``<>`` or xtext (RFC 4954 section 5)."""
    return value is not None and (value == b"<>" or _XTEXT.match(value) is not None)


def parse_helo(argument: bytes) -> str:
    """Read what a client calls itself: any printable text of bounded length; so many are wrong.

    Raises GrammarError (501) when there is none, or it is none.
    """
    name = argument.strip(b" ").decode("utf-8", "backslashreplace")
    if not name or len(argument) > MAX_HELO_OCTETS or _CONTROL.search(name):
        raise GrammarError(reply.BAD_ARGUMENTS)
    return name


def parse_nothing(argument: bytes) -> None:
    """Check that a command without arguments has none (RFC 5321 section 4.1.1).

    Raises GrammarError (501).
    """
    if argument.strip(b" "):
        raise GrammarError(reply.BAD_ARGUMENTS)


def _path(argument: bytes, keyword: bytes, bad: Reply) -> tuple[bytes, Parameters]:
    if argument[: len(keyword)].upper() != keyword:
        raise GrammarError(reply.BAD_ARGUMENTS)
    rest = argument[len(keyword) :]
    found = _BRACKETED.match(rest) or _BARE.match(rest)
    if not found:
        raise GrammarError(bad)
    if len(found[1]) + len("<>") > MAX_PATH_OCTETS:
        raise GrammarError(bad.saying(f"Path longer than {MAX_PATH_OCTETS} octets"))
    inner = found[1]
    if inner.startswith(b"@"):  # a source route is read and ignored: RFC 5321 appendix C
        inner = inner.partition(b":")[2]
        if not inner:
            raise GrammarError(bad)
    return inner, _parameters(found[2])


def _parameters(text: bytes | None) -> Parameters:
    if not text:
        return _NO_PARAMETERS
    parameters: Parameters = {}
    for word in text.split():
        found = _PARAMETER.match(word)
        if not found or found[1].upper() in parameters:
            raise GrammarError(reply.BAD_ARGUMENTS)
        parameters[found[1].upper()] = found[2]
    return parameters


def _is_mailbox(inner: bytes) -> bool:
    found = _MAILBOX.match(inner)
    return (
        found is not None
        and len(found[1]) <= MAX_LOCAL_OCTETS
        and len(found[2]) <= MAX_DOMAIN_OCTETS
    )


def _text(inner: bytes, bad: Reply) -> str:
    try:
        return inner.decode()
    except UnicodeDecodeError as e:
        raise GrammarError(bad) from e
