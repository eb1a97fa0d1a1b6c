"""The tree of a page's elements: what authors leave out, where texts are, and hostile pages."""

from time import process_time

import pytest

from mailsacd.mime.tree import MAX_DEPTH, Element, tree_of


def outline(element: Element) -> str:
    """The tree in brackets, texts as they are."""
    return "".join(
        child if isinstance(child, str) else f"{child.name}({outline(child)})"
        for child in element.children
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<div><b>a</b>c</div>d", "div(b(a)c)d"),
        ("<p>a<p>b<div>c</div>", "p(a)p(b)div(c)"),
        ("<ul><li>a<li>b<ul><li>c</ul><li>d</ul>", "ul(li(a)li(bul(li(c)))li(d))"),
        ("<table><tr><td>a<td>b<tr><td>c</table>d", "table(tr(td(a)td(b))tr(td(c)))d"),
        ("<td>a<td>b", "td(atd(b))"),  # outside of a table nothing ends them
        ("a<br>b<img src=x>c", "abr()bimg()c"),
        ("<a><b>c</a>d</b>", "a(b(c))d"),
        ("<a>b<i>c<a>d</a>e", "a(bi(c))a(d)e"),
        ("</div>a", "a"),
        ("<table><tr><td><p>a</td></tr></table>b", "table(tr(td(p(a))))b"),
        ("<style>a>b{}</style><title>A &amp; b</title>c", "style(a>b{})title(A & b)c"),
        ("<script>a<b></script><!-- <i> -->c<iframe><i>", "script()ciframe()"),
        ("<style>a{}", "style(a{})"),
        ("a &lt; b", "a < b"),
    ],
)
def test_elements_are_nested_as_their_author_meant_it(source: str, expected: str) -> None:
    assert outline(tree_of(source)) == expected


def test_elements_come_in_order_and_know_what_they_are_in() -> None:
    root = tree_of('<table><tr><td>a<a href="?a&amp;b" ID=x>c</a></table><style>d</style><p>e')
    assert [each.name for each in root.elements()] == ["table", "tr", "td", "a", "style", "p"]
    link = next(each for each in root.elements() if each.name == "a")
    assert link.attributes == {"href": "?a&b", "id": "x"}
    assert [each.name for each in link.ancestors()] == ["td", "tr", "table"]
    assert link.shown() == '<a href="?a&b" id="x">'
    assert root.text() == "ace"


@pytest.mark.parametrize(
    "source",
    ["<div>" * 20_000, "<p><b><table>" * 7_000, "<td>" * 20_000, "<style>" * 300_000],
    ids=["depth", "repair", "cells", "styles"],
)
def test_a_hostile_page_takes_little_time_and_has_a_bounded_depth(source: str) -> None:
    before = process_time()
    root = tree_of(source)
    assert process_time() - before < 1.0
    some = list(root.elements())[::997]
    assert max(sum(1 for _ in each.ancestors()) for each in some) <= MAX_DEPTH
    assert root.text() == ""
