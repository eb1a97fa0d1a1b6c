"""What the words around a number in a mail say of it: labels (core.code_words).

A code's name beside another word is the name of another code: a customer code, código de barras,
店舗コード. That word is one that is not known to go with one-time codes.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from mailsacd.core.code_words import (
    ACTS,
    ACTS_UNSPACED,
    CODES,
    CODES_UNSPACED,
    LETTERS,
    NO_THINGS,
    NO_THINGS_UNSPACED,
    OTHER_CODES,
    OTHERS,
    OTHERS_UNSPACED,
    any_of,
)

Meaning = Literal["code", "act", "other"]
"""A code's name; what codes are for; what is counted, named or bought by another number."""

PLAIN_CODES: Final = frozenset(
    {"code", "codes", "код", "kod", "kodu", "código", "códigos", "codigo", "codice", "codici"}
)
"""Names of codes of any kind."""

_OTHER_CODE: Final = rf"(?:{any_of(OTHER_CODES)})[ -]?(?:codes?|kod[uy]?)"
_CODE_OF_OTHER: Final = (
    rf"(?:c[oó]digos?|codes?|codice|kod|код) (?:de |di |d')?(?:{any_of(OTHER_CODES)})"
)
_LABEL: Final = re.compile(
    rf"(?<![{LETTERS}])(?:"
    rf"(?P<other>{_OTHER_CODE}|{_CODE_OF_OTHER}|{any_of(OTHERS)}|©|n[or°º]\.? ?(?=\d))"
    rf"|(?P<code>{any_of(CODES)})|(?P<act>{any_of(ACTS)})"
    rf")(?![{LETTERS}])"
    rf"|(?=[\u0620-\u064a\u3000-\U0010ffff])(?:(?P<unspaced_other>{any_of(OTHERS_UNSPACED)})"
    rf"|(?P<unspaced_code>{any_of(CODES_UNSPACED)})"
    rf"|(?P<unspaced_act>{any_of(ACTS_UNSPACED)}))"
)
_MEANINGS: Final[dict[str, Meaning]] = {
    "code": "code",
    "act": "act",
    "other": "other",
    "unspaced_code": "code",
    "unspaced_act": "act",
    "unspaced_other": "other",
}
_MAX_WORD_CHARS: Final = 21
_THING_AFTER: Final = re.compile(
    rf" (?:(?:de|do|da|del|della|di|du|des) |d')?([{LETTERS}]{{3,20}}|[A-Z]{{3}})"
    r"(?= ?[:=]? ?(?:\d|[A-Z0-9]{4}))"
)
"""One word between a code's name and the code, in lower case or short: no name of a service."""

_THING_BEFORE: Final = re.compile(rf"([{LETTERS}]{{2,20}}) \Z")
_OF_CODES: Final = re.compile("|".join(map(any_of, (ACTS, CODES, NO_THINGS))), re.IGNORECASE)
_COMPOUND: Final = re.compile(rf"([{LETTERS}]{{3,20}}?)(?:codes?|kode?n?)\Z")
_OF_COMPOUNDS: Final = re.compile(
    "pass|auth|access|confirm|verif|bestät|bekräft|bekreft|bekræft|sicher|säker|sikker|beveil|bevest"
    "|anmeld|freischalt|zugang|zugriff|toegang|aktiv|activ|login|inlog|innlog|logga|einmal|eenmal"
    "|engang|engång|valid|prüf|kontroll|regist|authent|wiederher|herstel|tan|sms|pin|reset|secur"
)
_UNSPACED_PLAIN_CODES: Final = frozenset({"コード", "코드"})
_UNSPACED_LETTER: Final = re.compile(r"[\u30a1-\u30fa\u30fc\u4e00-\u9fff\uac00-\ud7a3]")
_UNSPACED_OF_CODES: Final = re.compile(
    rf"(?:{any_of(ACTS_UNSPACED)}|{any_of(NO_THINGS_UNSPACED)})\Z"
)
_ARABIC_CODE: Final = "رمز"
_ARABIC_THING: Final = re.compile(rf" (?!{any_of(ACTS_UNSPACED)}|{any_of(NO_THINGS_UNSPACED)})ال")


@dataclass(frozen=True, slots=True)
class Label:
    """What the words from ``start`` to ``end`` say of a number near them."""

    meaning: Meaning
    start: int
    end: int


def labels(text: str) -> list[Label]:
    """Return the labels in ``text``, which is as long in lower case, in order."""
    return [
        Label(_meaning(found, text), found.start(), found.end())
        for found in _LABEL.finditer(text.lower())
    ]


def _meaning(found: re.Match[str], text: str) -> Meaning:
    meaning = _MEANINGS[found.lastgroup or ""]
    if meaning == "code" and _is_of_a_thing(found[0], text, found.start(), found.end()):
        return "other"
    return meaning


def _is_of_a_thing(name: str, text: str, start: int, end: int) -> bool:
    """Whether the name of a code is a part of that of another code."""
    before = text[max(start - _MAX_WORD_CHARS, 0) : start]
    if name in PLAIN_CODES:
        thing = _THING_BEFORE.search(before) if name == "kodu" else _THING_AFTER.match(text, end)
        return thing is not None and not _OF_CODES.fullmatch(thing[1])
    if name in _UNSPACED_PLAIN_CODES:
        is_part = _UNSPACED_LETTER.match(before[-1:]) is not None
        return is_part and not _UNSPACED_OF_CODES.search(before)
    if name == _ARABIC_CODE:
        return _ARABIC_THING.match(text, end) is not None
    compound = _COMPOUND.match(name)
    return compound is not None and not _OF_COMPOUNDS.search(compound[1])
