"""Whether one click leaves a list."""

import pytest

from mailsacd.mail.checks.unsubscribe import check_unsubscribe
from tests.mail.checks.subjects import FIELDS, subject

URL = "<https://example.com/u/1>"
MAILTO = "<mailto:leave@example.com?subject=leave>"
POST = {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
SIGNED = {"DKIM-Signature": "v=1; d=example.com; h=From:List-Unsubscribe: List-Unsubscribe-Post"}


@pytest.mark.parametrize(
    ("fields", "score", "words"),
    [
        ({"List-Unsubscribe": f"{URL}, {MAILTO}", **POST, **SIGNED}, 100, ()),
        ({"List-Unsubscribe": f"(by web) {URL}", **POST, **SIGNED}, 100, ()),
        ({"List-Unsubscribe": URL, **POST}, 80, ("No DKIM signature",)),
        ({"List-Unsubscribe": URL, **SIGNED}, 70, ("no List-Unsubscribe-Post",)),
        ({"List-Unsubscribe": MAILTO, **SIGNED}, 80, ("No https URL",)),
        (
            {"List-Unsubscribe": "<http://example.com/u>", **SIGNED},
            60,
            ("http", "No https URL"),
        ),
        ({"List-Unsubscribe": "https://example.com/u", **SIGNED}, 50, ("angle brackets",)),
        (
            {"List-Unsubscribe": "<mailto:nobody>, " + URL, **POST, **SIGNED},
            80,
            ("no mail address",),
        ),
        ({"List-Unsubscribe": "<ftp://a.example/>, " + URL, **POST, **SIGNED}, 90, ("such a URL",)),
        (
            {"List-Unsubscribe": URL, "List-Unsubscribe-Post": "One-Click", **SIGNED},
            70,
            ("has to be",),
        ),
        ({"List-Id": "<a.example.com>"}, 50, ("no List-Unsubscribe",)),
        ({"Precedence": "bulk"}, 50, ("no List-Unsubscribe",)),
    ],
)
def test_what_is_missing_for_one_click(
    fields: dict[str, str], score: int, words: tuple[str, ...]
) -> None:
    result = check_unsubscribe(subject(fields={**FIELDS, **fields}))
    assert result.score == score, result.reasons
    told = " ".join(reason.text for reason in result.reasons)
    assert len(result.reasons) == len(words)
    assert all(word in told for word in words), told
    one_click = "List-Unsubscribe" in fields and POST.items() <= fields.items()
    assert result.data["oneClick"] is one_click


def test_ordinary_mail_needs_none() -> None:
    result = check_unsubscribe(subject())
    assert (result.score, result.data) == (None, {})
    assert result.reasons[0].points == 0


def test_a_link_to_leave_by_says_that_it_is_a_list() -> None:
    result = check_unsubscribe(subject(html='<a href="https://example.com/unsubscribe?1">x</a>'))
    assert (result.score, result.reasons[0].where) == (50, "https://example.com/unsubscribe?1")
