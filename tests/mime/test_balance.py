"""HTML is written anew in such a way that a parser of HTML has nothing to repair in it."""

import re

import nh3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailsacd.mime import balance
from mailsacd.mime.allowed import TAGS
from mailsacd.mime.balance import balanced

_TAG = re.compile(r"<(/?\w+)")


def written(source: str) -> str:
    return "".join(balanced(source))


def tags(page: str) -> list[str]:
    """All tags but the sections of tables, which a parser adds where they are not written."""
    return [tag for tag in _TAG.findall(page) if tag.lstrip("/") not in ("tbody", "colgroup")]


def parsed(page: str) -> str:
    """``page`` as a parser of HTML understands it."""
    return nh3.clean(page, tags=set(TAGS), attributes={}, link_rel=None)


_STARTS = [f"<{name}>" for name in sorted(TAGS)]
_PIECES = [*_STARTS, *(f"</{name}>" for name in sorted(TAGS)), "x", " ", "<a>", "&amp", "<", "\n"]
_TABLES = ["<table>", "<tr>", "<td>", "<b>", "<p>", "x", "</td>", "</tr>", "</table>", "<br>",
           "<col>", "<caption>", "<tbody>", "<div>", "</b>", "<th>", "</p>"]  # fmt: skip
_BLOCKS = ["<p>", "<b>", "<i class=1>", "<div>", "<ul>", "<li>", "<h1>", "<h2>", "<dl>", "<dd>",
           "</p>", "</b>", "</i>", "</div>", "</li>", "</ul>", "x", "<pre>", "<span>", "</span>",
           "<ruby>", "<rt>", "<rp>", "</ruby>"]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([_PIECES, _TABLES, _BLOCKS])
    .flatmap(lambda pieces: st.lists(st.sampled_from(pieces), max_size=40))
    .map("".join)
)
def test_a_parser_finds_the_elements_that_were_written(source: str) -> None:
    page = written(source)
    assert tags(parsed(page)) == tags(page)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p><b>x<p>y", "<p><b>x</b></p><p><b>y</b></p>"),
        ("<p><b>x</p>y", "<p><b>x</b></p><b>y</b>"),
        ("<b><i>x</b>y</i>", "<b><i>x</i></b><i>y</i>"),
        ("<b>x<table><tr><td>y</b>z", "<b>x<table><tr><td>yz</td></tr></table></b>"),
        ("<ul><li>a<ul><li>b</ul><li>c", "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>"),
        ("<table><font><tr>x<td>y", "<table><tr><td>x</td><td>y</td></tr></table>"),
        ("<table>x", "<table><tr><td>x</td></tr></table>"),
        ("<td>x</td>y", "xy"),
        ("<h1>x<h2>y", "<h1>x</h1><h2>y</h2>"),
        ("<p title='\"<'>x", '<p title="&quot;&lt;">x</p>'),
        ("<p onclick=x style=y class=z/>x", '<p style="y" class="z/">x</p>'),
        ("a &lt b & c", "a &lt; b &amp; c"),
    ],
)
def test_how_it_is_written(source: str, expected: str) -> None:
    assert written(source) == expected


def test_what_is_too_deep_is_left_out_but_not_its_text() -> None:
    page = written("<div>" * 1_000 + "x")
    assert page.count("<div>") == page.count("</div>") == balance.MAX_DEPTH
    assert "x" in page


def test_formatting_beyond_its_bound_ends_no_other() -> None:
    page = written("<b>" * 20 + "</b>" * 4 + "x")
    assert page == "<b>" * 16 + "x" + "</b>" * 16


def test_what_is_opened_again_is_bounded() -> None:
    page = written("".join(f"<b class={n}>" for n in range(16)) + "<p>x" * 40_000)
    assert len(page) < 2_000_000


def test_a_long_text_is_divided_by_comments() -> None:
    page = written("&amp;" * 5_000)
    assert page.replace("<!---->", "") == "&amp;" * 5_000
    assert max(map(len, page.split("<!---->"))) <= 5 * balance.MAX_RUN_CHARS
