"""Address lists of header fields (RFC 5322 section 3.4), read with forgiveness.

Mailers write lists that no grammar allows, and a reader still wants the addresses in them. The text
is read in one pass, in a time that is linear in its length.
"""

import re
from collections.abc import Iterator

from mailsacd.core.message_form import Mailbox
from mailsacd.mime import comments, header

MAX_MAILBOXES = 1_000
MAX_LIST_CHARS = 262_144
MAX_TOKENS = 20_000

_MAX_USUAL_CHARS = 1_000
_MAX_CLOSED = 100
_MAX_WORDS = 20  # of an address with white space in it

_USUAL = re.compile(
    r' *+(?:(?:"([^"\\<>=,]{1,80}+)" ?|([\w .\'-]{0,80}+))<([\w.+=-]{1,64}+@[\w.-]{1,190}+)>'
    r"|([\w.+=-]{1,64}+@[\w.-]{1,190}+)) *\Z"
)
_TOKEN = re.compile(
    r"(?P<word>=\?[^?\s]{0,120}+\?[bBqQ]\?[^?]*+\?=)"
    r'|(?P<local>"(?:[^"\\]++|\\.)*"@[^\s<>,;]++)'
    r'|"(?P<quoted>(?:[^"\\]++|\\.)*)"?+'
    r'|<(?P<angle>(?:[^<>"()]++|"(?:[^"\\]++|\\.)*"|\((?:[^()\\]++|\\.)*\))*)>'
    r"|<(?P<open>[^<>]*+(?=>)|[^<>,;]*+)>?+"
    r"|(?P<literal>\[[^\]\[]*+\]?+)"
    r"|(?P<mark>[,;:(])"
    r'|(?P<atoms>[^"<\[,;:(=]++|.)',
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SPACE = re.compile(r"\s+")
_AT = re.compile(r"\s*+@\s*+")
_AROUND_ATOMS = re.compile(r"\s*+([.@])\s*+")
_DOTTED = re.compile(r"@[^\s@]*+(?:\s++\.\s*+\w[^\s@]*+)+")  # a host with blanks before its dots
_WHOLE = re.compile(r"[^@]@[^@]")
_LOCAL = re.compile(r"[^@\s]++\Z")
_BARE = re.compile(r"[^@]++@[^@]++\Z")
_HOST = re.compile(r"^\S+@\S+\.\S+\Z")
_NAMED = re.compile(r"([^<>@]*+)<([^<>@\s]++@[^<>@\s]++)>\s*+\Z")
_SCHEME = re.compile(r"(?:mailto|smtp):", re.IGNORECASE)
_QUOTED_LOCAL = re.compile(r'(?:"(?:[^"\\]++|\\.)*"|[^"\s@]++)+@\S+\Z')
_QUOTED_OR_PARENTHESIS = re.compile(r'"(?:[^"\\]++|\\.)*"|\(', re.DOTALL)
_IN_LIST = re.compile(r"[,;\s]+")


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


def closed(text: str) -> str:
    """Return ``text``, a list of addresses, with what closes its brackets and quotes."""
    comments_open = min(text.count("(") - text.count(")"), _MAX_CLOSED)
    bracket = ">" if text.count("<") > text.count(">") else ""
    quote = '"' if text.count('"') % 2 else ""
    return "".join((text, ")" * comments_open, bracket, quote))


def _usual(text: str) -> Mailbox | None:
    """The mailbox in one of the two forms that nearly all have, or None."""
    found = _USUAL.match(text)
    if found is None:
        return None
    quoted, words, angle, bare = found.groups()
    name = quoted or words or ""
    return Mailbox((angle or bare).lower(), header.decode_words(name.strip()))


class _Entry:
    """What has been read of the mailbox at hand, ``later`` of it after the address."""

    def __init__(self, phrase: list[str] | None = None) -> None:
        self.phrase = phrase or []
        self.later: list[str] = []
        self.comments: list[str] = []
        self.angle: str | None = None

    @property
    def has_address(self) -> bool:
        """Tell a whole address in angle brackets from other things in them."""
        return self.angle is not None and _WHOLE.search(self.angle) is not None

    def text(self, value: str) -> None:
        """Take a piece of a name, or of an address that stands without angle brackets."""
        (self.later if self.has_address else self.phrase).append(value)

    def mailboxes(self) -> list[Mailbox]:
        """Return the mailboxes that have been read; a comment alone is none."""
        if self.has_address or (self.angle and _LOCAL.match(self.angle)):
            others = [m for m in _without_brackets("".join(self.later)) if m.address]
            after = "" if others else "".join(self.later).strip("<> ")
            name = _name("".join(self.phrase)) or _name(after) or _name(self._commented())
            return [Mailbox(self.angle or "", name), *others]
        phrase = "".join(self.phrase)
        found = _without_brackets(
            _together(phrase) if self.angle is None else f"{phrase} {self.angle}"
        )
        if len(found) == 1 and found[0].address and not found[0].name:
            return [Mailbox(found[0].address, _name(self._commented()))]
        return found

    def _commented(self) -> str:
        return " ".join(self.comments)


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
        if kind != "mark":
            entry = _take(entry, kind, value, found)
        elif value == "(":
            position = _read_comment(text, position, entry.comments)
        elif value != ":":
            found += entry.mailboxes()
            entry = _Entry()
        elif entry.angle is None:
            entry = _Entry()  # the name of a group
        if len(found) > MAX_MAILBOXES:
            return tuple(found[:MAX_MAILBOXES]), True
    found += entry.mailboxes()
    limited = limited or position < len(text) or len(found) > MAX_MAILBOXES
    return tuple(found[:MAX_MAILBOXES]), limited


def _take(entry: _Entry, kind: str | None, value: str, found: list[Mailbox]) -> _Entry:
    """Add a token to ``entry``; the entry to go on with. One that is whole comes to ``found``."""
    if kind == "quoted":
        entry.text(_ESCAPED.sub(r"\1", value))
        return entry
    if kind not in ("angle", "open", "local"):
        entry.text(value)
        return entry
    # a quoted local part is an address without angle brackets
    addresses = [value.lower()] if kind == "local" else _in_angles(value)
    for address in addresses:
        if entry.has_address and _WHOLE.search(address):  # a comma is missing
            found += entry.mailboxes()[:1]
            entry = _Entry(entry.later)
        if not entry.has_address:
            entry.phrase += [entry.angle] if entry.angle else []
            entry.angle = address
    return entry


def _in_angles(text: str) -> list[str]:
    """The addresses in one pair of angle brackets: one, without its route and comments."""
    text = header.decode_words(text).strip()
    if "(" in text:
        text = "".join(_outside_comments(text))
    text = _SCHEME.sub("", _without_route(text))
    if '"' in text:
        if _QUOTED_LOCAL.match(text.strip()):
            return [text.strip().lower()]
        text = next((word for word in text.split() if _BARE.match(word)), text)
    several = [word for word in _IN_LIST.split(text) if _BARE.match(word)]
    if len(several) > 1:
        return [word.lower() for word in several]
    if "@" not in text:
        return [text.strip()]
    # white space may stand around atoms, and within one it makes no other address of it
    return [_SPACE.sub(" ", _AROUND_ATOMS.sub(r"\1", text)).strip().lower()]


def _outside_comments(text: str) -> Iterator[str]:
    """What of an address is in no comment."""
    position = 0
    for part in _QUOTED_OR_PARENTHESIS.finditer(text):
        if part.start() < position:
            continue
        yield text[position : part.start()]
        if part[0] == "(":
            _, position = comments.read(text, part.end())
        else:
            yield part[0]
            position = part.end()
    yield text[position:]


def _without_route(address: str) -> str:
    """``address`` without the hosts that it is to go by (RFC 5322 section 4.4)."""
    route, colon, rest = address.partition(":")
    return rest if colon and route.startswith("@") else address


def _read_comment(text: str, position: int, found: list[str]) -> int:
    """Read on from after a parenthesis to the one that closes it; the position after that."""
    before = text[position - 2 : position - 1]
    comment, end = comments.read(text, position)
    if before not in ("@", ".") and text[end : end + 1] not in ("@", "."):  # else within an address
        found.append(comment)
    return end


def _together(phrase: str) -> str:
    """An address without the white space around its @ (RFC 5322 section 4.4); else ``phrase``."""
    words = _without_blanks(phrase).split()
    if len(words) <= _MAX_WORDS and any(word[0] == "@" or word[-1] == "@" for word in words):
        together = _AT.sub("@", _without_blanks(phrase).strip())
        if _BARE.match(together) and _HOST.search(together):
            return together
    return phrase


def _without_blanks(phrase: str) -> str:
    """Hosts in it without the white space around their dots."""
    return _DOTTED.sub(lambda host: "".join(host[0].split()), phrase)


def _without_brackets(phrase: str) -> list[Mailbox]:
    """The mailboxes of a phrase without angle brackets: words with an @ are addresses."""
    found: list[Mailbox] = []
    name: list[str] = []
    for word in _without_blanks(phrase).split():
        address = _bare(word)
        if address is None:
            name.append(word)
        else:
            found.append(Mailbox(address, _name(" ".join(name))))
            name = []
    if found and name:
        last = found.pop()
        found.append(Mailbox(last.address, _name(" ".join((last.name, *name)))))
    return found or _hidden(_name(phrase))


def _bare(word: str) -> str | None:
    """The address that a word is, or None; quotes, brackets and a URL's scheme are none of it."""
    if "@" not in word or word.startswith("=?"):
        return None
    word = word.strip("<>")
    for first, last in ("''", "[]"):
        if word.startswith(first) and word.endswith(last):
            word = word[1:-1]
    return word.lower() if _BARE.match(word) else None


def _hidden(name: str) -> list[Mailbox]:
    """What has no address, unless all of it was quoted or encoded: name, address, brackets."""
    found = _NAMED.match(name)
    if found is not None:
        return [Mailbox(found[2].lower(), _name(found[1]).strip("\"' "))]
    address = _bare(name) if " " not in name else None
    if address is not None:
        return [Mailbox(address, "")]
    return [Mailbox("", name)] if name.strip("@") else []


def _name(text: str) -> str:
    return _SPACE.sub(" ", header.decode_words(text)).strip()
