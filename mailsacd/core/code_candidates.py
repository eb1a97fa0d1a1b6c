"""What may be a one-time code in a mail, by its form alone (core.one_time_code)."""

# ruff: noqa: RUF001  the signs and letters of all kinds of mail are meant

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mailsacd.core.code_words import LETTERS

_WORD: Final = f"0-9A-Z_{LETTERS}"
_CANDIDATE: Final = re.compile(
    rf"(?<![{_WORD}@#/\\$€£¥+&])(?<!\d[-.,: ])(?<![{_WORD}]-)"
    r"(?:(?P<number>(?:[A-Z]{1,2}-)?\d{4,10}"
    r"|\d{3}[- ]\d{3}|\d{4}[- ]\d{4}|\d(?: {1,3}\d){3,7})"
    r"|[A-Z0-9]{6,10}|[A-Z0-9]{3}-[A-Z0-9]{3}|[A-Z0-9]{4}-[A-Z0-9]{4})"
    rf"(?![{_WORD}@/%€£$]|[-.,:'’]\d|-[{_WORD}]| ?[%€£$]| {{1,3}}\d)"
)
_PLACES: Final = re.compile(
    r", ?[A-Z]{2} \d{5}(?:-\d{4})?(?!\d)"
    r"|\d{1,5}(?: [A-Z][\w.'-]{0,20}){1,3} (?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Drive|Dr"
    r"|Lane|Ln|Way|Parkway|Pkwy|Court|Square|Place)\b"
)
_URLS: Final = (
    r"(?:https?|ftp)://\S+",
    r"(?<!\w)www\.\S+",
    r"(?<![\w.+-])[\w.+-]{1,64}@[\w.-]+",
)
_YEARS: Final = r"(?<!\d)(?:19|20)\d\d(?: ?[-–] ?(?:19|20)\d\d(?!\d)| ?[年년])"
_TELEPHONES: Final = (
    r"\(\d{2,5}\) ?\d[\d -]{3,15}\d",
    r"(?<!\d)0\d{2,4} ?[/ -] ?\d{4}[\d -]{2,12}",
)
_MASKED: Final = (r"\d{2,6}[*•x]{2,12}\d{2,5}", r"[*•]{4,12} ?\d{2,4}(?!\d)")
_AMOUNTS: Final = (
    rf"(?:[$€£¥₩₽₺₹]|(?<![{LETTERS}])(?:usd|eur|gbp|rub|pln|brl|inr|try|aed|sar|rs\.?|r\$))"
    r" ?\d[\d ,.]{0,20}",
    r"(?<!\d)\d[\d ,.]{0,20}(?:[€₽₺円元원%]|(?:usd|eur|gbp|pln|inr|tl|zł|kč|руб|ريال|درهم|جنيه|ft"
    rf"|euros?|dollars?)(?![{LETTERS}]))",
    r"(?<!\d)\d{1,10} ?(?:km|kg|[kmg]?bytes?|mb|gb|kb|px|ms|sec|seconds?|min|minutes?|hours?"
    r"|minuten|days?|users?|people|points?|times|miles|words|items|subscribers|followers|customers)"
    rf"(?![{LETTERS}])",
)
_OTHER_THINGS: Final = re.compile("|".join((*_URLS, _YEARS, *_TELEPHONES, *_MASKED, *_AMOUNTS)))
"""What is no code, in lower case."""

_BESIDE_ALONE: Final = " \t\"'“”„«»*_[]()【】「」<>|-–—:."


@dataclass(frozen=True, slots=True)
class Candidate:
    """Characters from ``start`` to ``end``: a number, or letters and digits.

    ``code`` is what somebody types. ``is_alone``: there is nothing else on its line.
    """

    code: str
    start: int
    end: int
    is_number: bool
    is_alone: bool


def without_other_things(text: str) -> str:
    """Return ``text``, which is in the form NFKC, with NULs for what no code is in.

    These are URLs, addresses, years, telephone numbers and amounts. Dates and most other numbers of
    several parts are none by what stands beside each part. The text is as long as before.
    """
    for pattern, searched in ((_OTHER_THINGS, text.lower()), (_PLACES, text)):
        pieces: list[str] = []
        position = 0
        for found in pattern.finditer(searched):
            pieces += (text[position : found.start()], "\0" * len(found[0]))
            position = found.end()
        text = "".join((*pieces, text[position:]))
    return text


def candidates(whole: str, masked: str) -> Iterator[Candidate]:
    """Yield what may be a code in ``whole``; ``masked`` is the same without other things."""
    for found in _CANDIDATE.finditer(masked):
        start, end = found.span()
        code = found[0]
        is_number = found["number"] is not None
        if is_number:
            code = "".join(filter(str.isdigit, code))
        line = slice(whole.rfind("\n", 0, start) + 1, start), slice(end, _end_of_line(whole, end))
        is_alone = not any(whole[part].strip(_BESIDE_ALONE) for part in line)
        yield Candidate(code, start, end, is_number, is_alone)


def _end_of_line(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end
