"""Address lists of header fields (RFC 5322 section 3.4), read with forgiveness.

Mailers write lists that no grammar allows, and a reader still wants the addresses in them. The text
is read in one pass, in a time that is linear in its length.
"""

import re

from mailsacd.core.message_form import Mailbox
from mailsacd.mime import header

MAX_MAILBOXES = 1_000
MAX_LIST_CHARS = 262_144
MAX_TOKENS = 20_000

_MAX_USUAL_CHARS = 1_000

_USUAL = re.compile(
    r' *+(?:(?:"([^"\\<>=,]{1,80}+)" ?|([\w .\'-]{0,80}+))<([\w.+=-]{1,64}+@[\w.-]{1,190}+)>'
    r"|([\w.+=-]{1,64}+@[\w.-]{1,190}+)) *\Z"
)
_TOKEN = re.compile(
    r"(?P<word>=\?[^?\s]{1,120}+\?[bBqQ]\?[^?]*+\?=)"
    r'|(?P<local>"(?:[^"\\]++|\\.)*"@[^\s<>,;]++)'
    r'|"(?P<quoted>(?:[^"\\]++|\\.)*)"?+'
    r"|<(?P<angle>[^<>]*+)>?+"
    r"|(?P<literal>\[[^\]\[]*+\]?+)"
    r"|(?P<mark>[,;:(])"
    r'|(?P<atoms>[^"<\[,;:(=]++|.)',
    re.DOTALL,
)
_COMMENT = re.compile(r"[()]|\\.|[^()\\]++|\\", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SPACE = re.compile(r"\s+")


def parse(text: str) -> tuple[tuple[Mailbox, ...], bool]:
    """Return the mailboxes in ``text``, also those in groups, and whether a limit left some out.

    ``text`` is the value of an address field, unfolded, with its encoded words still encoded. The
    limits are MAX_MAILBOXES, MAX_TOKENS and MAX_LIST_CHARS. The function never raises: what cannot
    be understood as an address becomes the name of a mailbox without address.
    """
    if len(text) <= _MAX_USUAL_CHARS:
        usual: list[Mailbox] = []
        for part in text.split(","):
            mailbox = _usual(part)
            if mailbox is None:
                break
            usual.append(mailbox)
        else:
            return tuple(usual), False
    return _parse_list(text)


def _usual(text: str) -> Mailbox | None:
    """The mailbox in one of the two forms that nearly all have, or None."""
    found = _USUAL.match(text)
    if found is None:
        return None
    quoted, words, angle, bare = found.groups()
    name = quoted or words or ""
    return Mailbox((angle or bare).lower(), header.decode_words(name.strip()))


class _Entry:
    """What has been read of the mailbox at hand."""

    def __init__(self) -> None:
        self.phrase: list[str] = []
        self.comments: list[str] = []
        self.angle: str | None = None

    def mailbox(self) -> Mailbox | None:
        """Return the mailbox that has been read, or None when there is neither name nor address."""
        phrase = "".join(self.phrase).strip()
        if self.angle is not None:
            name, address = phrase, _without_route(self.angle.strip())
        else:
            name, address = _bare(phrase)
        if not name and self.comments:
            name = " ".join(self.comments)
        name = _SPACE.sub(" ", header.decode_words(name)).strip()
        address = (address if '"' in address else "".join(address.split())).lower()
        return Mailbox(address, name) if name or address else None


def _parse_list(text: str) -> tuple[tuple[Mailbox, ...], bool]:
    found: list[Mailbox] = []
    entry, position = _Entry(), 0
    limited = len(text) > MAX_LIST_CHARS
    text = text[:MAX_LIST_CHARS]
    for _ in range(MAX_TOKENS):
        token = _TOKEN.match(text, position)
        if token is None:  # only at the end: the last alternative takes any character
            break
        position = token.end()
        kind, value = token.lastgroup, token[token.lastgroup or 0]
        if kind == "mark" and value == "(":
            position = _read_comment(text, position, entry.comments)
        elif kind == "mark" and value == ":" and entry.angle is None:
            entry = _Entry()  # the name of a group
        elif kind == "mark" and value != ":":
            mailbox, entry = entry.mailbox(), _Entry()
            if mailbox is not None:
                found.append(mailbox)
                if len(found) > MAX_MAILBOXES:
                    return tuple(found[:MAX_MAILBOXES]), True
        else:
            _take(entry, kind, value)
    last = entry.mailbox()
    limited = limited or position < len(text)
    return (*found, last) if last is not None else tuple(found), limited


def _without_route(address: str) -> str:
    """``address`` without the hosts that it is to go by (RFC 5322 section 4.4)."""
    route, colon, rest = address.partition(":")
    return rest if colon and route.startswith("@") else address


def _take(entry: _Entry, kind: str | None, value: str) -> None:
    if kind in ("angle", "local"):  # a quoted local part is an address without angle brackets
        entry.angle = value if entry.angle is None else entry.angle
    elif kind == "quoted":
        entry.phrase.append(_ESCAPED.sub(r"\1", value))
    elif entry.angle is None:
        entry.phrase.append(value)


def _read_comment(text: str, position: int, comments: list[str]) -> int:
    """Read on from after a parenthesis to the one that closes it; the position after that."""
    depth, parts = 1, []
    for token in _COMMENT.finditer(text, position):
        piece = token[0]
        depth += (piece == "(") - (piece == ")")
        if depth == 0:
            position = token.end()
            break
        parts.append(piece[1:] if len(piece) == 2 and piece[0] == "\\" else piece)
    else:
        position = len(text)
    comments.append("".join(parts).strip())
    return position


def _bare(phrase: str) -> tuple[str, str]:
    """Name and address of a mailbox without angle brackets: the word with an @ is the address."""
    if "@" not in phrase:
        return phrase, ""
    words = phrase.split()
    place = next(i for i, word in enumerate(words) if "@" in word)
    return " ".join(words[:place] + words[place + 1 :]), words[place].strip("<>")
