"""The pages: what must never be in the sanitised one, and what is put into the one as sent."""

import base64
import re

import pytest

from mailsacd.mime import balance, markup, sanitise
from mailsacd.mime.allowed import STYLE_PROPERTIES
from mailsacd.mime.parse import ParsedMessage, parse
from mailsacd.mime.sanitise import page_as_sent, sanitised_page

FORBIDDEN = re.compile(
    r"<\s*(?:script|img|a|svg|iframe|object|embed|form|input|link|meta http|base|style|video)\b"
    r"|\son\w+\s*=|javascript:|url\(|@import|expression|src=|href=|background=",
    re.IGNORECASE,
)


def html_message(html: str) -> ParsedMessage:
    return parse(b"Content-Type: text/html; charset=utf-8\r\n\r\n" + html.encode())


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<SCRIPT SRC=//x></SCRIPT>",
        "<scr<script>ipt>alert(1)</script>",
        "<script>alert(1)",
        "<p onclick=alert(1)>x</p>",
        "<p/onclick=alert(1)>x</p>",
        '<p title="x" onmouseover="alert(1)">x</p>',
        "<img src=x onerror=alert(1)>",
        "<img src='http://a.example/track.gif'>",
        '<a href="javascript:alert(1)">x</a>',
        '<a href="http://a.example/">x</a>',
        "<svg onload=alert(1)><script>1</script></svg>",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "<iframe src=http://a.example></iframe>",
        "<object data=x></object><embed src=x>",
        "<form action=http://a.example><input name=x><button>y</button></form>",
        '<meta http-equiv="refresh" content="0;url=http://a.example">',
        "<base href=http://a.example>",
        "<link rel=stylesheet href=http://a.example/x.css>",
        "<style>@import url(http://a.example/x.css); p { background: url(http://a/) }</style>",
        '<p style="background: url(http://a.example/x)">x</p>',
        '<p style="color: red; width: expression(alert(1))">x</p>',
        '<p style="background:\\75rl(http://a.example/x)">x</p>',
        '<p style="background:u/**/rl(http://a.example/x)">x</p>',
        '<p style="list-style-type: -moz-binding">x</p>',
        "<p style=\"font-family: 'x'; background-image: image-set('http://a/' 1x)\">x</p>",
        "<table background=http://a.example/x><tr><td background=http://a.example/y>x</table>",
        "<video src=http://a.example/x poster=http://a.example/y></video>",
        "<!--><script>alert(1)</script>-->",
        "<!--[if mso]><img src=x><![endif]-->",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<textarea><img src=x onerror=alert(1)></textarea>",
        "<xmp><p id='</xmp><img src=x onerror=alert(1)>'>",
        '<p title="<img src=x onerror=alert(1)>',
        "<p title='\"><script>alert(1)</script>'>x",
        "<template><script>1</script></template>",
        "<blockquote cite=http://a.example>x</blockquote>",
        "<div" + " x" * 3_000 + " onclick=alert(1)>x</div>",
    ],
)
def test_nothing_that_acts_or_loads_is_left(html: str) -> None:
    page = sanitised_page(html_message(f"<p>before</p>{html}<p>after</p>"))
    shown = re.sub(r' title="[^"]*"|&lt;.*?&gt;', "", page)
    assert not FORBIDDEN.search(shown)
    assert "<p>before</p>" in page
    assert page.startswith('<!DOCTYPE html>\n<html><head><meta charset="utf-8">')


@pytest.mark.parametrize(
    ("html", "kept"),
    [
        ('<p style="color: red">x</p>', "color:red"),
        ("<table border=1><tr><td colspan=2>x", '<td colspan="2">x</td>'),
        ("<ul><li>one<li>two</ul>", "<ul><li>one</li><li>two</li></ul>"),
        ("<p>one<p>two", "<p>one</p><p>two</p>"),
        ("<a href=http://a.example/>words</a>", "words"),
        ("1 &lt; 2 &amp; <b>bold</b>", "1 &lt; 2 &amp; <b>bold</b>"),
        ("1 < 2", "1 &lt; 2"),
        ('<b title="1 > 2">x</b>', ">x</b>"),
        ("<font color=red size=2>x</font>", '<font color="red" size="2">x</font>'),
        ("<p>gr\u00fc\u00df</p>", "<p>gr\u00fc\u00df</p>"),
    ],
)
def test_what_is_harmless_stays(html: str, kept: str) -> None:
    assert kept in sanitised_page(html_message(html))


@pytest.mark.parametrize("name", sorted(STYLE_PROPERTIES))
def test_a_style_property_stays(name: str) -> None:
    assert f"{name}:inherit" in sanitised_page(html_message(f'<p style="{name}: inherit">x</p>'))


@pytest.mark.parametrize(
    "html",
    ["<div>" * 400_000, "<nobr><i>" * 250_000, "<ul><li>" * 300_000, "<" * 2_000_000,
     "<a " * 600_000, "<!--" * 500_000, "</b>" * 500_000],
    ids=["div", "nobr", "li", "less-than", "tags-never-closed", "comments", "closing"],
)  # fmt: skip
def test_markup_bombs_stay_within_bounds(html: str) -> None:
    page = sanitised_page(html_message(html))
    assert page.count("<div>") <= balance.MAX_DEPTH
    assert len(page) <= 3 * markup.MAX_CHARS


@pytest.mark.parametrize(
    ("html", "limited"),
    [
        ("<p>x" * (markup.MAX_TAGS - 1) + "end", False),
        ("<p>x" * markup.MAX_TAGS + "end", True),
        ("1 < 2 " * markup.MAX_TAGS, True),
        ("&amp;" * 400_000 + "end", False),
        ("&" * 2_000_000 + "end", True),
        (f"<script a='{'x' * markup.MAX_TAG_CHARS}'>unseen</script>end", False),
        ("x" * markup.MAX_CHARS + "end", True),
    ],
    ids=["tags", "more-tags", "signs", "references", "ampersands", "script", "text"],
)
def test_what_is_left_out_of_a_page_is_marked(html: str, limited: bool) -> None:
    parsed = html_message(html)
    assert parsed.limited is limited
    page = sanitised_page(parsed)
    assert "unseen" not in page
    assert limited or "end" in page


def test_without_html_a_page_with_the_text() -> None:
    parsed = parse(b"Subject: <b>\r\n\r\na <script>&\r\n")
    for page in (sanitised_page(parsed), page_as_sent(parsed)):
        assert "<pre>a &lt;script&gt;&amp;\n</pre>" in page
        assert "<title>&lt;b&gt;</title>" in page
        assert '<meta charset="utf-8">' in page


def related(html: str, *images: tuple[str, str, bytes]) -> ParsedMessage:
    body = b"".join(
        b"--b0undary\r\nContent-Type: %b\r\nContent-ID: <%b>\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n%b\r\n"
        % (kind.encode(), name.encode(), base64.b64encode(content))
        for kind, name, content in images
    )
    return parse(
        b"Content-Type: multipart/related; boundary=b0undary\r\n\r\n"
        b"--b0undary\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        + html.encode()
        + b"\r\n"
        + body
        + b"--b0undary--\r\n"
    )


@pytest.mark.parametrize(
    "html",
    [
        '<img src="cid:x+1@a.example">',
        "<img src=cid:x+1@a.example>",
        "<IMG SRC='CID:X+1@a.example'>",
        '<img src="cid:x%2B1%40a.example">',
        '<img src="cid:&#120;+1@a.example">',
        "<td style='background:url(cid:x+1@a.example)'>",
    ],
)
def test_a_picture_is_put_into_the_page(html: str) -> None:
    page = page_as_sent(related(html, ("image/png", "x+1@a.example", b"PNG")))
    assert "data:image/png;base64,UE5H" in page
    assert "cid:" not in page.lower()


@pytest.mark.parametrize(
    ("html", "kind"),
    [
        ('<img src="cid:other">', "image/png"),
        ('<iframe src="cid:x">', "application/xhtml+xml"),
        ("<p>acid:x</p>", "image/png"),
        ("<p>no reference</p>", "image/png"),
    ],
)
def test_the_rest_stays_as_it_was_sent(html: str, kind: str) -> None:
    assert page_as_sent(related(html, (kind, "x", b"PNG"))) == html


def test_what_is_put_in_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sanitise, "MAX_INLINED_BYTES", 10)
    page = page_as_sent(related('<img src="cid:x">' * 5, ("image/png", "x", b"1234")))
    assert page.count("data:image/png") == 2
    assert page.count("cid:x") == 3


def test_scripts_stay_in_the_page_as_sent() -> None:
    assert page_as_sent(html_message("<script>1</script>")) == "<script>1</script>"
