"""Values with parameters: Content-Type and Content-Disposition (RFC 2045 section 5.1, RFC 2231)."""

import re
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from mailsacd.mime import charset, header

MAX_PARAMETERS = 200

_PARAMETER = re.compile(
    r';\s*+([^\s=;"]++)\s*+=\s*+(?:"((?:[^"\\]++|\\.)*)"?+|([^;]*+))', re.DOTALL
)
_USUAL = re.compile(r'([^\s;"(]++);\s*+([^\s=;"*]++)="([^"\\]*+)"\Z')  # one parameter, quoted
_MEDIA_TYPE = re.compile(r"[^\s/\"<>]++/[^\s\"<>]++\Z")
# software for Windows writes paths as they are: only what has to be quoted is taken for quoted
_ESCAPED = re.compile(r"\\([\"\\])")
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
    value = text.partition(";")[0].partition("(")[0].strip().lower()
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[bool, str]]] = {}
    for match in islice(_PARAMETER.finditer(text), MAX_PARAMETERS):
        name, quoted, bare = match.groups()
        content = bare.strip() if quoted is None else _ESCAPED.sub(r"\1", quoted)
        if "*" in name and (parts := _SECTION.match(name.lower())) is not None:
            base, number, extended = parts.groups()
            place = sections.setdefault(base, {})
            place.setdefault(int(number or 0), (extended is not None, content))
        else:
            plain.setdefault(name.lower(), header.decode_words(content))
    # RFC 2231 says it better than the plain form that old readers get
    plain.update((name, _joined(parts)) for name, parts in sections.items())
    return Parameterised(value, MappingProxyType(plain), bool(_MEDIA_TYPE.match(value)))


def _joined(parts: dict[int, tuple[bool, str]]) -> str:
    """The continuations of one parameter put together (RFC 2231 section 3 and 4)."""
    name, content = None, b""
    for place, (number, (extended, text)) in enumerate(sorted(parts.items())):
        if number != place:
            break
        if extended and place == 0 and text.count("'") >= 2:
            name, _language, text = text.split("'", 2)  # noqa: PLW2901
        raw = text.encode("utf-8", "surrogatepass")
        content += unquote_to_bytes(raw) if extended else raw
    return charset.decode(content, name)
