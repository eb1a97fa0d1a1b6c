"""Codes and confirmation links in whole messages."""

import time
from pathlib import Path

import pytest

from mailsacd.core.confirmation_link import MAX_FOUND, MAX_LABEL_CHARS
from mailsacd.mail.reading.message_codes import codes_of
from mailsacd.mime.parse import parse
from tests.mail.reading.shapes import Shape, figures, shapes

MAX_CPU_S = 0.5
"""Five times what any of them takes; what is not linear in the message takes seconds."""
TOKEN = "9a3f0c5b7d1e2a4c6b8d"


@pytest.mark.parametrize("shape", list(shapes()))
def test_what_a_mail_has_is_found_and_nothing_else(shape: Shape) -> None:
    found = shape.found()
    assert list(found.codes) == shape.codes
    assert [(each.kind, each.url) for each in found.links] == shape.links
    scores = [*(each.score for each in found.found), *(each.score for each in found.links)]
    assert all(0.5 <= score <= 0.99 for score in scores)


def test_the_figures_are_those_that_the_documents_have() -> None:
    page = (Path(__file__).parents[3] / "docs" / "codes.md").read_text(encoding="utf-8")
    of_codes, of_links = figures()
    assert f"| codes | {of_codes} |" in page
    assert f"| links | {of_links} |" in page


def found_in(subject: str, text: str, html: str = "") -> Shape:
    return Shape(subject=subject, text=text, html=html, codes=[], links=[])


def test_a_code_has_each_place_where_it_stands() -> None:
    found = found_in("482913 is your code", "Code: 482913", "<p>Your code: <b>482913</b>").found()
    assert [(each.in_, each.context) for each in found.found[0].places] == [
        ("subject", "482913 is your code"),
        ("text", "Code: 482913"),
        ("html", "Your code: 482913"),
    ]


def test_words_beside_a_code_are_few_and_whole() -> None:
    found = found_in("x", f"{'many words ' * 50}your code is 482913 {'and others ' * 50}").found()
    assert found.found[0].places[0].context == (
        "many words many words your code is 482913 and others and others and others and"
    )


@pytest.mark.parametrize(
    "source",
    [
        "<style>.code{width:482913px}</style>", "<script>var code=482913</script>",
        "<p style='code:482913'>", "<img src='code.png?code=482913'>", "<!-- code is 482913 -->",
        "<a href='https://x.example/code/482913'>", "<p title='your code: 482913'>",
        "<a href='mailto:code.482913@x.example'>", "<svg><text>482913</text></svg>",
    ],
)  # fmt: skip
def test_what_nobody_reads_has_no_code(source: str) -> None:
    assert found_in("Your code", "", f"{source}<p>Your code is on its way.</p>").found().codes == ()


def test_a_link_in_both_forms_is_there_once() -> None:
    url = f"https://x.example/confirm?token={TOKEN}"
    found = found_in(
        "Hi", f"Confirm your email: {url}", f"<a href='{url}'>Confirm email</a>"
    ).found()
    (link,) = found.links
    assert (link.url, link.label) == (url, "Confirm email")
    assert [each.in_ for each in link.places] == ["html", "text"]


def test_links_are_few_and_their_labels_short() -> None:
    page = "".join(
        f"<p><a href='https://x.example/{n}/{TOKEN}'>Verify your email {'now ' * 99}</a>"
        for n in range(20)
    )
    found = found_in("Hi", "", page).found()
    assert len(found.links) == MAX_FOUND
    assert max(len(each.label) for each in found.links) <= MAX_LABEL_CHARS


def test_marks_that_turn_text_are_not_told() -> None:
    page = f"<a href='https://x.example/{TOKEN}'>Verify \u202eyour email\u0007</a>"
    (link,) = found_in("Hi", "", page).found().links
    assert link.label == "Verify your email"
    assert "\u202e" not in link.places[0].context


PIECES = [
    f"<a href='https://x.example/{TOKEN}'>Verify your email</a> ", "<a href=https://x.example/1>here",
    "<p>", "<td>", "confirm ", "password ", "reset password ", "did not request ", "here ",
    "1<div>", "[1] https://x.example/1\n", "https://x.example/verify ",
    "482913 ", "your code is ", "'", ".",
    "\n", "click here ", "\u0130", "تأكيد", "を確認",
]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("kind", [b"plain", b"html"])
def test_no_message_takes_long(piece: str, kind: bytes) -> None:
    content = b"Content-Type: text/%s; charset=utf-8\r\nSubject: Confirm\r\n\r\n" % kind
    parsed = parse(content + piece.encode() * 20_000)
    start = time.thread_time()
    codes_of(parsed)
    assert time.thread_time() - start <= MAX_CPU_S
