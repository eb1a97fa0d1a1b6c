"""Links with what stands beside them."""

import pytest

from mailsacd.core.confirmation_link import Anchor
from mailsacd.mime.anchors import BESIDE_CHARS, MAX_ANCHORS, MAX_CHARS, in_html, in_text

URL = "https://a.example/"


def told(anchor: Anchor) -> tuple[str, str, str]:
    return anchor.label, anchor.before, anchor.after


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (f"go <a href={URL}>h<b>er</b>e</a> now", ("here", "go ", " now")),
        (f"<p>x</p><td><a href='{URL}'> <img alt='Log in'></a>", ("Log in", "\n\nx\n\n\n", "")),
        (f"<style>a</style><a href={URL}>b<a name=x>c", ("b", "", "c")),
        (f"<a href={URL}>never closed", ("never closed", "", "")),
        (f"<a href={URL}>a&amp;b</a>&nbsp;c", ("a&b", "", " c")),
    ],
)
def test_links_of_html(source: str, expected: tuple[str, str, str]) -> None:
    (anchor,) = in_html(source)
    assert (anchor.url, anchor.form) == (URL, "html")
    assert told(anchor) == expected


def test_what_leads_to_no_page_is_left_out() -> None:
    assert list(in_html("<a href=mailto:a@b>a</a><a href=#x>b</a><a>c</a><a href=ftp://a>d")) == []


@pytest.mark.parametrize(
    ("text", "before"),
    [
        (f"Confirm: {URL} or not", "Confirm: "),
        (f"<{URL}>", "<"),
        (f"Confirm [1] it\n\n[1] {URL}", "Confirm "),
        (f"Confirm [1] it\n\n[1]: {URL}", "Confirm "),
        (f"[1] {URL}", "[1] "),
    ],
)
def test_urls_of_a_text(text: str, before: str) -> None:
    (anchor,) = in_text(text)
    assert (anchor.url, anchor.label, anchor.form) == (URL, "", "text")
    assert anchor.before == before


def test_they_are_bounded() -> None:
    many = "".join(f"<p>{'x' * 200}<a href={URL}{n}>y</a>" for n in range(MAX_ANCHORS + 1))
    assert len(list(in_html(many))) <= MAX_ANCHORS
    text = "".join(f"{URL}{n} " for n in range(MAX_ANCHORS + 1))
    assert len(list(in_text(text))) == MAX_ANCHORS
    (anchor,) = in_text("x" * 1_000 + f" {URL} " + "x" * 1_000)
    assert (len(anchor.before), len(anchor.after)) == (BESIDE_CHARS, BESIDE_CHARS)
    assert list(in_text(" " * (MAX_CHARS - len(URL) - 1) + f"{URL}cut-off-by-the-bound")) == []
