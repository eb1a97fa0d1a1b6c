"""How elements look: colours, what is behind them, what hides them; and hostile pages."""

from time import process_time

import pytest

from mailsacd.mail.checks.cascade import MAX_STEPS
from mailsacd.mail.checks.colours import (
    BLACK,
    WHITE,
    Colour,
    colour_of_attribute,
    contrast,
)
from mailsacd.mail.checks.looks import Look, Looks
from mailsacd.mime.style_sheets import Styles
from mailsacd.mime.tree import tree_of


def look(source: str, name: str = "p") -> Look:
    """How the last element of that name looks."""
    root = tree_of(source)
    return Looks(root, Styles(root))[[each for each in root.elements() if each.name == name][-1]]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("red", "#ff0000"),
        ("#ABC", "#aabbcc"),
        ("abcdef", "#abcdef"),  # as browsers read attributes
        ("rgb(0, 128, 255)", "#0080ff"),
        ("rgb(100% 0% 0% / 50%)", "#ff0000"),
        ("hsl(120deg 100% 50%)", "#00ff00"),
        ("currentcolor", None),
        ("rgb(1e999, 0, 0)", None),
        ("lab(1e308 1e308 1e308)", None),
        ("oklch(1e308 1e308 1e308)", None),
        ("color(x 1 1 1)", None),
        ("rgb(", None),
        ("((((", None),
        ("", None),
        ("red" * 1_000, None),
    ],
)
def test_colours_are_read_as_css_and_old_html_write_them(
    written: str, expected: str | None
) -> None:
    colour = colour_of_attribute(written)
    assert (colour.as_hex() if colour else None) == expected


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000", "#fff", 21.0),
        ("#777", "#fff", 4.478),
        ("#767676", "#fff", 4.542),
        ("red", "red", 1),
    ],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    first, second = colour_of_attribute(one), colour_of_attribute(other)
    assert first is not None
    assert second is not None
    assert contrast(first, second) == contrast(second, first) == pytest.approx(ratio, abs=0.001)


@pytest.mark.parametrize(
    ("source", "colour", "background"),
    [
        ("<p>", "#000000", "#ffffff"),
        ('<div style="color:#123"><p>', "#112233", "#ffffff"),
        ('<font color="red"><p>', "#ff0000", "#ffffff"),
        ('<body text="#111111" bgcolor="eee"><p>', "#111111", "#eeeeee"),
        ("<style>p{color:red}</style><p>", "#ff0000", "#ffffff"),
        ("<style>p{color:red}</style><p style='color:blue'>", "#0000ff", "#ffffff"),
        ("<style>p{color:red!important}</style><p style='color:blue'>", "#ff0000", "#ffffff"),
        ("<style>.a{color:red}p{color:blue}</style><p class=a>", "#ff0000", "#ffffff"),
        ("<style>p{color:red}p{color:blue}</style><p>", "#0000ff", "#ffffff"),
        ("<style>@media (x){p{color:red}}</style><p>", "#000000", "#ffffff"),
        ("<p style='background:#000 none'>", "#000000", "#000000"),
        ("<p style='background-color:#000;background:#fff'>", "#000000", "#ffffff"),
        ("<p style='background:#fff;background-color:#000'>", "#000000", "#000000"),
        ("<p style='background:rgba(0,0,0,.5)'>", "#000000", "#808080"),
        ("<p style='background:transparent'>", "#000000", "#ffffff"),
        ("<p style='background:url(x)'>", "#000000", None),
        ("<p style='background:linear-gradient(red,blue)'>", "#000000", None),
        ("<div background=x.png><p>", "#000000", None),
        ("<div background=x.png><p style='background:#fff'>", "#000000", "#ffffff"),
    ],
)
def test_a_text_has_the_colours_that_are_declared_last_and_strongest(
    source: str, colour: str, background: str | None
) -> None:
    found = look(source)
    assert found.colour.as_hex() == colour
    assert (found.background.as_hex() if found.background else None) == background


@pytest.mark.parametrize(
    ("source", "hidden"),
    [
        ("<p>", False),
        ("<div style='display:none'><p>", True),
        ("<div hidden><p>", True),
        ("<p style='visibility:hidden'>", True),
        ("<p style='opacity:0'>", True),
        ("<p style='opacity:.5'>", False),
        ("<p style='font-size:0'>", True),
        ("<p style='display:block'>", False),
    ],
)
def test_what_nobody_sees_is_hidden(source: str, hidden: bool) -> None:
    assert look(source).hidden is hidden


@pytest.mark.parametrize(
    ("source", "px", "bold"),
    [
        ("<p>", 16, False),
        ("<p style='font-size:12pt'>", 16, False),
        ("<div style='font-size:20px'><p style='font-size:1.5em'>", 30, False),
        ("<div style='font-size:20px'><p style='font-size:50%'>", 10, False),
        ("<p style='font:bold 24px/1.5 Arial'>", 24, True),
        ("<b><p style='font-weight:400'>", 16, False),
        ("<p style='font-weight:700'>", 16, True),
        ("<p style='font-size:x-large'>", 24, False),
    ],
)
def test_the_size_of_a_text_follows_from_what_it_is_in(source: str, px: float, bold: bool) -> None:
    found = look(source)
    assert found.font_px == pytest.approx(px)
    assert found.bold is bold


def test_the_size_of_a_picture_is_that_of_its_style_before_its_attributes() -> None:
    found = look('<img width="100" height="1px" style="width:1px">', "img")
    assert (found.width_px, found.height_px) == (1.0, 1.0)
    assert look('<div style="width:9px"><img width="50%">', "img").width_px is None
    assert look('<img width="600" style="max-width:1px">', "img").width_px == 1.0


def test_half_a_colour_over_another_is_between_them() -> None:
    assert Colour(0, 0, 0, 0.5).over(WHITE) == Colour(0.5, 0.5, 0.5)
    assert BLACK.over(WHITE) == BLACK


def test_rules_are_tried_up_to_a_limit_which_is_told() -> None:
    root = tree_of("<style>" + "i{color:red}" * 1_000 + "</style>" + "<i></i>" * 200)
    looks = Looks(root, Styles(root))
    colours = [looks[each].colour.as_hex() for each in root.elements() if each.name == "i"]
    assert colours.count("#ff0000") == MAX_STEPS // 1_000 - 1
    assert colours[-1] == "#000000"
    assert looks.limited


@pytest.mark.parametrize(
    "source",
    [
        "<style>" + "a{color:red}" * 600 + "</style>" + "<a>" * 2_000,
        "<style>" + "a a a{color:red}" * 600 + "</style>" + "<a>" * 2_000,
        "<style>" + "b a{color:red}" * 600 + "</style>" + "<a>" * 2_000,
        "<style>.a1{color:red}</style>" + f"<a class='{'a1 ' * 900}'>" * 300,
    ],
    ids=["equal rules", "descendants", "nothing fits", "classes"],
)
def test_a_hostile_page_takes_little_time(source: str) -> None:
    root = tree_of(source)
    before = process_time()
    styles = Styles(root)
    Looks(root, styles)
    assert process_time() - before < 3.0
