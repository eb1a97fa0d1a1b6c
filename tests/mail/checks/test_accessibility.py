"""Accessibility: each rule, what follows it and what does not; and hostile pages."""

from time import process_time

import pytest

from mailsacd.mail.checks.accessibility import check_accessibility
from mailsacd.mail.checks.check import Result
from mailsacd.mail.checks.link_texts import says_nothing
from tests.mail.checks.subjects import subject

GOOD = '<html lang="en"><title>Order</title><body>{}<p>Thank you very much</p></body></html>'


def checked(body: str) -> Result:
    return check_accessibility(subject(html=GOOD.format(body)))


def faults(result: Result) -> list[tuple[int, int]]:
    """The points of each reason, and at how many places it is."""
    return [(reason.points, reason.more + 1) for reason in result.reasons]


@pytest.mark.parametrize(
    "body",
    [
        "",
        '<img src="a.png" alt="Shoes"><img src="line.png" alt=""><img src="b" role="presentation">',
        "<h1>Order</h1><h2>Shoes</h2><h3>Red</h3><h2>Shirts</h2>",
        '<a href="https://example.com">Track your order</a>',
        '<a href="https://example.com"><img src="logo.png" alt="Shop"></a>',
        '<a href="https://example.com" aria-label="Shop"><span></span></a>',
        '<a name="top"></a>',
        '<table role="presentation"><tr><td>a</td></tr></table>',
        "<table><tr><th>Price</th></tr><tr><td>3</td></tr></table>",
        '<table role="none"><tr><td><table><tr><th>Price</th></tr></table></td></tr></table>',
        '<div style="display:none;color:#fff">What a preview shows</div>',
        '<p style="color:#fff;background:#000">a</p>',
        '<p style="color:#fff;background:url(x)">a</p>',
        '<p style="color:#949494;font-size:24px">large</p>',
        '<p style="color:#949494;font-size:14pt;font-weight:bold">large</p>',
        '<div aria-hidden="true">x</div>',
    ],
)
def test_what_follows_the_rules_has_the_best_score(body: str) -> None:
    result = checked(body)
    assert (result.score, result.reasons) == (100, ())


@pytest.mark.parametrize(
    ("body", "words", "expected"),
    [
        ('<img src="a.png"><img src="b.png">', "no alt attribute", (10, 2)),
        ('<img src="a.png" alt="DSC_0001.JPG">', "name of its file", (2, 1)),
        ('<p style="color:#aaa">a</p>', "#aaaaaa on #ffffff has a contrast of 2.32:1", (8, 1)),
        ('<p style="color:#777">a</p>', "contrast of 4.47:1; it needs 4.5:1", (4, 1)),
        ('<p style="color:#aaa;font-size:24px">a</p>', "it needs 3:1", (4, 1)),
        ("<style>.a{color:#ccc}</style><p class=a>a</p><b class=a>b</b>", "#cccccc", (8, 2)),
        ("<table><tr><td>a</td></tr></table>", 'no role="presentation"', (1, 1)),
        ('<table role="presentation"><tr><th>a</th></tr></table>', "declared to be", (3, 1)),
        ("<h1>a</h1><h3>b</h3>", "more than one level", (3, 1)),
        ("<h2> </h2>", "heading is empty", (3, 1)),
        ('<a href="x"> <img src="y" alt=""></a>', "link has no text", (5, 1)),
        ('<a href="x">Click  here!</a><a href="y">Hier</a>', "does not say where", (4, 2)),
        ('<meta name="viewport" content="user-scalable=no">', "make it larger", (5, 1)),
    ],
)
def test_each_fault_takes_points_and_says_where_it_is(
    body: str, words: str, expected: tuple[int, int]
) -> None:
    result = checked(body)
    assert faults(result) == [expected]
    (reason,) = result.reasons
    assert words in reason.text
    assert (reason.where or "").startswith("line 1: <")
    assert result.score == 100 - expected[0]


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<title>a</title><p>b", "<html lang> is missing"),
        ('<html lang=""><title>a</title>b', "<html lang> is missing"),
        ('<html lang="english language"><title>a</title>b', "not a language tag"),
        ('<html lang="en">b', "no <title>"),
    ],
)
def test_a_page_says_its_language_and_its_title(html: str, words: str) -> None:
    (reason,) = check_accessibility(subject(html=html)).reasons
    assert words in reason.text


def test_many_faults_of_a_kind_are_one_reason_whose_points_have_a_limit() -> None:
    result = checked('<img src="a">' * 100)
    assert faults(result) == [(25, 100)]
    assert result.data["images"] == 100


def test_the_figures_name_the_colours_that_are_too_near() -> None:
    result = checked('<p style="color:#aaa">a</p>')
    assert result.data["lowContrast"] == [
        {"colour": "#aaaaaa", "background": "#ffffff", "ratio": 2.32, "needed": 4.5, "places": 1}
    ]
    assert result.data["language"] == "en"


def test_a_message_without_html_has_no_score() -> None:
    assert check_accessibility(subject()).score is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Here", True), ("read more…", True), ("» Mehr", True), ("こちら", True),
        ("Your order", False), ("", False), ("here is your order", False), ("x" * 10_000, False),
    ],
)  # fmt: skip
def test_texts_that_stand_for_any_link(text: str, expected: bool) -> None:
    assert says_nothing(text) is expected


@pytest.mark.parametrize(
    "html",
    [
        "x<a href=x>" * 9_000,
        "<h1>x<h3>y" * 4_000,
        "x<table><tr><th>" * 3_000,
        "".join(f"<p style='color:#{number:06x}'>x" for number in range(5_000)),
        "x<img alt='" + "y" * 900_000 + "'>" + "<b>" * 9_000,
        "<p " + " ".join(f"a{number}=b" for number in range(200_000)) + ">x",
    ],
    ids=["links", "headings", "tables", "colours", "names", "attributes"],
)
def test_a_hostile_page_takes_little_time(html: str) -> None:
    page = subject(html=html)
    before = process_time()
    result = check_accessibility(page)
    assert process_time() - before < 3.0
    assert len(result.reasons) < 40
