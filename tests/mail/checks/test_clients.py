"""What mail clients do not show: which features are found, what they cost, and hostile pages."""

from time import process_time

import pytest

from mailsacd.mail.checks.client_support import CLIENTS, WELL_KNOWN, ClientSupport, Feature
from mailsacd.mail.checks.clients import clients_check
from mailsacd.mail.checks.html_features import Features
from tests.mail.checks.subjects import subject

check = clients_check(WELL_KNOWN)


class Everything:
    """A list of names that has any."""

    def __contains__(self, name: object) -> bool:
        return True


def found(html: str) -> set[str]:
    return set(Features(subject(html=f"text{html}"), Everything()).uses)


@pytest.mark.parametrize(
    ("html", "names"),
    [
        ("<video></video><script>1</script>", "html-video html-script"),
        ("<h3>a</h3><ol></ol><main></main>", "html-h1-h6 html-lists html-semantics"),
        ('<input type="Radio">', "html-input-radio"),
        (
            '<a href="#a"></a><a href="MAILTO:a@b.example"></a>',
            "html-anchor-links html-mailto-links",
        ),
        ('<p hidden lang="en" title="a">', "html-hidden html-lang"),
        ('<img loading="lazy">', "html-loading-attribute"),
        ('<meta name="color-scheme">', "html-meta-color-scheme"),
        ('<p style="border-top-color:red;margin-left:1px">', "css-border css-margin css-unit-px"),
        ('<p style="-webkit-transform:none">', "css-transform"),
        ('<p style="row-gap:1rem;left:2vw">', "css-gap css-left-right-top-bottom css-unit-rem"),
        ('<p style="display:inline-flex">', "css-display css-display-flex"),
        ('<p style="width:calc(1% + var(--a))">', "css-unit-calc css-variables css-unit-percent"),
        ('<p style="--a:1">', "css-variables"),
        ('<p style="color:oklch(1 2 3)!important">', "css-modern-color css-important"),
        ("<p style=\"background:url('a')\">", "css-background css-background-image"),
        (
            '<p style="background:repeating-linear-gradient(red,blue)">',
            "css-background css-linear-gradient",
        ),
        ("<style>@media (hover){a:hover{}}</style>", "css-at-media css-at-media-hover"),
        ("<style>@import url(a);@font-face{}</style>", "css-at-import css-at-font-face"),
        ("<style>a::before{}</style>", "css-pseudo-element-before html-style"),
        ("<style>a>b,c+d,[e]{}</style>", "css-selector-child css-selector-attribute"),
        ("<style>a{b{color:red}}</style>", "css-nesting"),
        ('<img src="a.webp?1"><img src="b.PNG">', "image-webp image-png"),
        ('<img src="data:image/gif;base64,x">', "image-gif image-base64"),
    ],
)
def test_a_feature_is_found_by_its_name(html: str, names: str) -> None:
    assert set(names.split()) <= found(html)


def test_a_feature_costs_what_it_is_worth_by_the_share_of_clients_without_it() -> None:
    source = ClientSupport(
        source="test",
        features={
            "html-video": Feature("<video>", ("Gmail (Web)", "Gmail (iOS)"), (), 4),
            "css-border-radius": Feature("border-radius", ("Gmail (Web)",), (), 2),
            "css-float": Feature("float", (), ("Gmail (Web)",), 2),
            "css-color": Feature("color", ("Gmail (Web)",), (), 100),
        },
    )
    style = "border-radius:1px;float:left;color:red"
    result = clients_check(source)(subject(html=f"<p style='{style}'>a<video></video><video>"))
    assert [(each.points, each.text, each.more) for each in result.reasons] == [
        (8, "Gmail (Web) and Gmail (iOS) do not support <video>", 1),
        (1, "Gmail (Web) does not support border-radius", 0),
    ]
    assert (result.reasons[0].where or "").startswith("line 1: <video>")
    assert result.score == 91
    assert result.data["source"] == "test"
    assert [each["name"] for each in result.data["features"]] == [
        "css-border-radius", "css-color", "html-video", "css-float",
    ]  # fmt: skip
    assert result.data["features"][3]["partly"] == ("Gmail (Web)",)


@pytest.mark.parametrize(
    ("clients", "named"),
    [
        ("a", "a does"),
        ("a b c d", "a, b, c and d do"),
        ("a b c d e", "a, b, c, d and e do"),
        ("a b c d e f", "a, b, c, d and 2 others do"),
    ],
)
def test_many_clients_are_counted_and_few_are_named(clients: str, named: str) -> None:
    names = tuple(clients.split())
    source = ClientSupport("test", {"html-video": Feature("<video>", names, (), len(names))})
    (reason,) = clients_check(source)(subject(html="a<video>")).reasons
    assert reason.text == f"{named} not support <video>"


def test_of_many_clients_the_families_are_named() -> None:
    names = tuple(f"{family} ({place})" for family in ("Gmail", "AOL") for place in ("a", "b", "c"))
    source = ClientSupport("test", {"html-video": Feature("<video>", names, (), 6)})
    (reason,) = clients_check(source)(subject(html="a<video>")).reasons
    assert reason.text == "Gmail and AOL do not support <video>"


def test_an_ordinary_newsletter_is_shown_by_all() -> None:
    html = """<html lang="en"><head><style>
      .button { background: #06c; color: #fff; padding: 12px 20px; border-radius: 4px }
      @media only screen and (max-width: 600px) { .whole { width: 100% !important } }
    </style></head><body><table role="presentation" width="600" cellpadding="0" class="whole"><tr>
    <td style="font-family: Arial; font-size: 16px; line-height: 24px; color: #333"><h1>Hello</h1>
    <a class="button" href="https://example.com">Order</a><img src="https://example.com/a.png">
    </td></tr></table></body></html>"""
    result = check(subject(html=html))
    assert (result.score, result.reasons) == (100, ())


def test_what_no_client_runs_costs_most() -> None:
    result = check(subject(html="<p>a</p>\n<script>alert(1)</script>"))
    (reason,) = result.reasons
    assert (reason.points, reason.where) == (15, "line 2: <script>")


def test_what_is_known_here_names_only_clients_once() -> None:
    for name, feature in WELL_KNOWN.features.items():
        named = (*feature.unsupported, *feature.partly)
        assert named, name
        assert len(set(named)) == len(named), name
        assert set(named) <= set(CLIENTS.values()), name


def test_a_message_without_html_has_no_score() -> None:
    assert check(subject()).score is None


def sheet_and_links() -> str:
    return "<style>" + "a{color:red}" * 2_000 + "</style>x" + "<a>" * 5_000


@pytest.mark.parametrize(
    "html",
    [
        sheet_and_links(),
        "x" + "".join(f"<p style='a{number}:{number}px'>" for number in range(5_000)),
        "x" + "".join(f"<e{number} a=b>" for number in range(9_000)),
        "<style>" + "@a;" * 10_000 + "</style>x",
        "x<p style='a:" + "b(" * 1_500 + "'>",
    ],
    ids=["rules", "styles", "elements", "conditions", "functions"],
)
def test_a_hostile_page_takes_little_time(html: str) -> None:
    page = subject(html=html)
    before = process_time()
    result = check(page)
    assert process_time() - before < 3.0
    assert len(result.data["features"]) <= 50
