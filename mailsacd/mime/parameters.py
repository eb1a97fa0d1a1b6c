"""Values with parameters: Content-Type and Content-Disposition (RFC 2045 section 5.1, RFC 2231)."""

import re
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from mailsacd.mime import charset, comments, header

MAX_PARAMETERS = 200

_VALUE = re.compile(r'\s*+"?+([^\s;,:"=/]*+(?:\s*+/\s*+[^\s;,:"=/]++)?)"?+\s*+(=?)')
# Parameters are divided by semicolons, in mail also by commas, by blanks, and not at all after a
# quoted one; an unquoted one may have blanks in it where no other one follows
_PARAMETER = re.compile(
    r'(?:^|(?<![\s;,:])[\s;,:]++|(?<=")|(?<=,)\s++)([^\s=;,:"]++)\s*+=\s*+'
    r'(?:"((?:[^"\\]++|\\.)*)"?+|([^;\s]*+(?:[^\S;]++(?![^\s=;"]++\s*+=)[^;\s]++)*))',
    re.DOTALL,
)
_USUAL = re.compile(r'([^\s;"(]++);\s*+([^\s=;"*]++)="([^"\\]*+)"\Z')  # one parameter, quoted
_MEDIA_TYPE = re.compile(r"[^\s/\"<>]++/[^\s\"<>]++\Z")
# software for Windows writes paths as they are: only what has to be quoted is taken for quoted
_ESCAPED = re.compile(r"\\([\"\\])")
_LANGUAGE = re.compile(r"^[\w-]*'")
_SECTION = re.compile(r"(.+?)(?:\*(\d{1,3}))?(\*)?\Z", re.DOTALL)


class Parameterised(NamedTuple):
    """A field's value, cut into its parts.

    ``value`` is what stands before the first semicolon, in lower case. ``parameters`` are by
    lower-case name, decoded. ``is_media_type`` says that ``value`` has the form ``type/subtype``.
    """

    value: str
    parameters: MappingProxyType[str, str]
    is_media_type: bool


def parse(text: str) -> Parameterised:
    """Return ``text``, the unfolded value of a field, cut into its parts.

    What is no parameter is passed over, and only the first MAX_PARAMETERS are read. Continuations
    and charsets are those of RFC 2231. The function never raises.
    """
    usual = _USUAL.match(text)
    if usual is not None:
        value, name, content = usual.groups()
        only = MappingProxyType({name.lower(): header.decode_words(content)})
        return Parameterised(value.lower(), only, bool(_MEDIA_TYPE.match(value)))
    text = comments.removed(text)
    begin = _VALUE.match(text)
    value = "".join(begin[1].split()).lower() if begin is not None and not begin[2] else ""
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[bool, str]]] = {}
    for match in islice(_PARAMETER.finditer(text), MAX_PARAMETERS):
        name, quoted, bare = match.groups()
        content = bare.strip(" ,") if quoted is None else _ESCAPED.sub(r"\1", quoted)
        if "*" in name and (parts := _SECTION.match(name.lower())) is not None:
            base, number, extended = parts.groups()
            place = sections.setdefault(base, {})
            place.setdefault(int(number or 0), (extended is not None, content))
        else:
            plain.setdefault(name.lower(), header.decode_words(content))
    # RFC 2231 says it better than the plain form that old readers get
    joined = ((name, _joined(parts)) for name, parts in sections.items())
    plain.update((name, content) for name, content in joined if content or name not in plain)
    return Parameterised(value, MappingProxyType(plain), bool(_MEDIA_TYPE.match(value)))


def _joined(parts: dict[int, tuple[bool, str]]) -> str:
    """The continuations of one parameter put together (RFC 2231 section 3 and 4).

    Some mailers count from 1, tell the charset in each part, or put encoded words into them.
    """
    name, content = None, b""
    first = min(parts)
    for place, (number, (extended, text)) in enumerate(sorted(parts.items()), min(first, 1)):
        if number != place:
            break
        if extended and number == first and text.count("'") >= 2:
            name, _language, text = text.split("'", 2)  # noqa: PLW2901
        elif extended and name and text.lower().startswith(f"{name.lower()}'"):
            text = _LANGUAGE.sub("", text[len(name) + 1 :], count=1)  # noqa: PLW2901
        raw = text.encode("utf-8", "surrogatepass")
        content += unquote_to_bytes(raw) if extended else raw
    return header.decode_words(charset.decode(content, name))
