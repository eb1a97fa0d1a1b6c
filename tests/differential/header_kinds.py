"""Kinds of differences in what the header says."""

import re
from typing import Final

from tests.differential.differences import FIELDS, Difference
from tests.differential.kind import (
    HEADER,
    PEOPLE,
    Kind,
    ascii_of,
    has_controls,
    head,
    is_undecoded,
    packed,
    same,
    would_be,
)  # fmt: skip
from tests.differential.view import Person

_NAMES: Final = {"sender": "from", "message_id": "message-id"}
_NO_FIELD: Final = re.compile(rb"^(?![ \t]|[!-9;-~]+[ \t]*:)[^\n]*", re.MULTILINE)
_ADDRESS: Final = re.compile(r"[^@].*@.*[^@]\Z")
_TWO_ATS: Final = re.compile(rb"@[^\s,;<>]*@")
_BEHIND: Final = re.compile(rb">\s*[^\s,;(]")
_AROUND: Final = re.compile(rb"[^\s<>]\s*<|>\s*[^\s<>]")
_ZONE: Final = re.compile(rb"\d (?:[+-]\d{4}|[A-Za-z]+)\s*(?:\([^()]*\)\s*)?\Z")
_DATE: Final = re.compile(
    rb"\s*(?:[A-Za-z]{3},)?\s*\d{1,2} [A-Za-z]{3} \d{4} \d\d:\d\d(?::\d\d)?\s"
)
_FAR_EAST: Final = re.compile(rb"^date:[^\n]*\+1[2-4]\d\d", re.IGNORECASE | re.MULTILINE)


def _raw(difference: Difference) -> list[bytes]:
    """The values of the field that a difference is about, in the order of the header."""
    name = _NAMES.get(difference.field, difference.field).encode()
    unfolded = re.sub(rb"\r?\n(?=[ \t])", b"", head(difference.content))
    return re.findall(rb"^%s[ \t]*:([^\n]*)" % name, unfolded, re.IGNORECASE | re.MULTILINE)


def _words_as_names(people: tuple[Person, ...]) -> tuple[Person, ...]:
    """Who has no @ in the address has a name alone."""
    return tuple(
        (address, name)
        if _ADDRESS.match(address)
        else ("", packed(name + address.strip("<>")).lower())
        for address, name in people
    )


def _controls(difference: Difference) -> bool:
    return any(has_controls(raw.decode("latin-1")) for raw in _raw(difference))


def _sender_without_address(difference: Difference) -> bool:
    there = _words_as_names(difference.there)
    return bool(difference.here == tuple(person for person in there if person[0]) != there)


def _no_address(difference: Difference) -> bool:
    here, there = _words_as_names(difference.here), _words_as_names(difference.there)
    # or the word stands in the name of the next
    joined = [
        packed("".join(name.lower() for _, name in side)).replace(",", "") for side in (here, there)
    ]
    addresses = [[a for a, _ in side if a] for side in (here, there)]
    return here == there or (joined[0] == joined[1] and addresses[0] == addresses[1])


def _only_names_differ(difference: Difference) -> bool:
    return [a for a, _ in difference.here] == [a for a, _ in difference.there]


def _comment(difference: Difference) -> bool:
    return _only_names_differ(difference) and any(b"(" in raw for raw in _raw(difference))


def _address_as_name(difference: Difference) -> bool:
    without = tuple((a, "" if packed(n).lower() == a else n) for a, n in difference.here)
    return bool(without == difference.there)


def _repeated(difference: Difference) -> bool:
    if len(_raw(difference)) < 2:
        return False
    return bool(difference.here)


def _brackets(difference: Difference) -> bool:
    return any(
        raw.count(b"<") != raw.count(b">")
        or raw.count(b"(") != raw.count(b")")
        or raw.count(b'"') % 2
        for raw in _raw(difference)
    )


def _words_around(difference: Difference) -> bool:
    pattern = _AROUND if difference.field == "message_id" else _BEHIND
    return any(pattern.search(raw) for raw in _raw(difference))


def _undecoded(difference: Difference) -> bool:
    return (
        is_undecoded(difference.there)
        and not is_undecoded(difference.here)
        and same(difference, ascii_of)
    )


def _encoded_word(difference: Difference) -> bool:
    here, there = str(difference.here), str(difference.there)
    return ("=?" in there and "=?" not in here) or (
        any(b"=?" in raw for raw in _raw(difference))
        and (same(difference, ascii_of) or has_controls(difference.there))
    )


def _unreadable_date(difference: Difference) -> bool:
    return not any(_DATE.match(raw) for raw in _raw(difference))


def _no_zone(difference: Difference) -> bool:
    return not any(_ZONE.search(raw) for raw in _raw(difference))


def _far_east(difference: Difference) -> bool:
    return difference.parser == "mail-parser" and bool(_FAR_EAST.search(difference.content))


def _line_in_header(difference: Difference) -> bool:
    """A parser takes a line that is no field for the first of the text."""
    content = difference.content
    line_end = b"\r\n" if b"\r\n" in content else b"\n"
    places = (found.start() for found in _NO_FIELD.finditer(content, 0, len(head(content))))
    return any(would_be(difference, content[:at] + line_end + content[at:]) for at in places)


def _bare_cr(difference: Difference) -> bool:
    """A parser takes CR alone for the end of a line."""
    return re.search(rb"\r(?!\n)", head(difference.content)) is not None


def _no_header(difference: Difference) -> bool:
    """Lines of which one is like a field, which is not enough for mailsacd."""
    lines = head(difference.content).splitlines()
    others = [line for line in lines if _NO_FIELD.match(line)]
    return not difference.here and lines[:1] == others[:1] and len(others) > 1


def _several_senders(difference: Difference) -> bool:
    is_one_field = len(_raw(difference)) == 1
    return is_one_field and bool(difference.here[:1] == difference.there)


def _two_ats(difference: Difference) -> bool:
    return any(_TWO_ATS.search(raw) for raw in _raw(difference))


def _empty_first(difference: Difference) -> bool:
    return difference.content.startswith((b"\n", b"\r\n", b" ", b"\t"))


HEADER_KINDS: Final = (
    Kind("control characters", ("subject", "date", "message_id", *PEOPLE), _controls),
    Kind("white space in a field", ("subject", "message_id", *PEOPLE), lambda d: same(d, packed)),
    Kind("bytes beyond ASCII in a field", ("subject", "message_id", *PEOPLE), _undecoded),
    Kind("an encoded word that is broken or left", ("subject", *PEOPLE), _encoded_word),
    Kind("a sender without address", ("sender",), _sender_without_address),
    Kind("a word that is no address", PEOPLE, _no_address),
    Kind("several senders", ("sender",), _several_senders),
    Kind("two @ in an address", PEOPLE, _two_ats),
    Kind("a comment beside an address", PEOPLE, _comment),
    Kind("a name that is the address", PEOPLE, _address_as_name),
    Kind("a field that is repeated", ("subject", "message_id", *PEOPLE), _repeated),
    Kind("brackets or quotes without their other", ("message_id", *PEOPLE), _brackets),
    Kind("words around angle brackets", ("message_id", *PEOPLE), _words_around),
    Kind("a date that is none", ("date",), _unreadable_date),
    Kind("a time zone that is none", ("date",), _no_zone),
    Kind("no header", HEADER, _no_header),
    Kind("an empty line before the header", FIELDS, _empty_first),
    Kind("CR alone", FIELDS, _bare_cr),
    Kind("a line in the header that is no field", FIELDS, _line_in_header),
    Kind("a time zone of the far east", ("date",), _far_east),
)
