"""Links out of text and HTML, and text out of HTML."""

import pytest

from mailsacd.mime.extract import (
    MAX_LINKS,
    MAX_LINKS_CHARS,
    links,
    text_of,
)
from mailsacd.mime.parse import ParsedMessage, parse
from mailsacd.mime.urls import MAX_CANDIDATES


def message(*, text: str | None = None, html: str | None = None) -> ParsedMessage:
    parts = [("plain", text), ("html", html)]
    body = "".join(
        f"--b0undary\r\nContent-Type: text/{kind}; charset=utf-8\r\n\r\n{content}\r\n"
        for kind, content in parts
        if content is not None
    )
    head = "Content-Type: multipart/alternative; boundary=b0undary\r\n\r\n"
    return parse(f"{head}{body}--b0undary--\r\n".encode())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://a.example/x.", ["https://a.example/x"]),
        ("(http://a.example/x)", ["http://a.example/x"]),
        ("http://a.example/wiki/X_(y)", ["http://a.example/wiki/X_(y)"]),
        ("<http://a.example/?a=1&b=2>", ["http://a.example/?a=1&b=2"]),
        ("HTTP://A.example and ftp://b.example/c", ["HTTP://A.example", "ftp://b.example/c"]),
        ("http://b.example http://a.example http://b.example",
         ["http://b.example", "http://a.example"]),
        ("[http://a.example/](http://a.example/)", ["http://a.example/"]),
        ("http://\u00fc.example/\u00df\u3002", ["http://\u00fc.example/\u00df"]),
        ("http://a.example/?u=http://b.example/", ["http://a.example/?u=http://b.example/"]),
        ("https://a.example/?x='y'!", ["https://a.example/?x='y"]),
        ("http://[2001:db8::1]/x", ["http://[2001:db8::1]/x"]),
        ("http:// nothing, www.a.example, mailto:a@b.c, javascript://x", []),
        ("http://a.example\r\nhttp://b.example", ["http://a.example", "http://b.example"]),
        ("https:// http://- http:///x http://. https://\u2026 http://_ http://[ http://{a}/", []),
        ("http://\u2603.example http://%C3%BC.example http://_a.example http://[::1]:80/",
         ["http://\u2603.example", "http://%C3%BC.example", "http://_a.example",
          "http://[::1]:80/"]),
    ],
)  # fmt: skip
def test_links_in_text(text: str, expected: list[str]) -> None:
    assert list(links(message(text=text))[0]) == expected


def test_what_ends_a_link_and_nothing_beside_it() -> None:
    stops = {*range(1, 0x21), *map(ord, '<>"`\\'), 0x7F, 0x85, 0xA0, 0x1680,
             *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000,
             *range(0x201C, 0x2020), 0x3001, 0x3002, *range(0x3008, 0x3012),
             *range(0x3014, 0x301C), *range(0x301D, 0x3020), 0xFF01, 0xFF02, *range(0xFF07, 0xFF0A),
             0xFF0C, 0xFF0E, *range(0xFF1A, 0xFF1D), 0xFF1E, 0xFF1F, 0xFF3B, 0xFF3D,
             *range(0xFF5B, 0xFF5E), *range(0xFF5F, 0xFF65)}  # fmt: skip
    near = {stop + distance for stop in stops for distance in (-1, 0, 1)} - {0}
    lines = {code: f"http://a.example/{code}{chr(code)}/y" for code in [*near, 0x10FFFF]}
    expected = {f"http://a.example/{c}" if c in stops else line for c, line in lines.items()}
    assert set(links(message(text="\n".join(lines.values())))[0]) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<a href="http://a.example/?a=1&amp;b=2">x</a>', ["http://a.example/?a=1&b=2"]),
        ("<a href='http://a.example/x'>x</a>", ["http://a.example/x"]),
        ("<a href=http://a.example/x>x</a>", ["http://a.example/x"]),
        ('<a href="http://a.example/x.">x</a>', ["http://a.example/x."]),
        ('<img src="https://a.example/i.png">', ["https://a.example/i.png"]),
        ('<td style="background:url(http://a.example/i.png)">', ["http://a.example/i.png"]),
        ("<p>http://a.example/x.</p>", ["http://a.example/x"]),
        ("<p>&quot;http://a.example/x&quot;</p>", ["http://a.example/x"]),
        ("<html xmlns=\"http://www.w3.org/1999/xhtml\" xmlns:o='http://o.example/'>", []),
        ('<!DOCTYPE html PUBLIC "-//W3C//DTD" "http://www.w3.org/TR/x.dtd"><p>', []),
        ('<a href="https://a.example/?a&copy=2">x</a>', ["https://a.example/?a&copy=2"]),
        ('<a href="HTTPS://a.example/">x</a>', ["HTTPS://a.example/"]),
        ('<a href="http://&#97;.example/">x</a>', ["http://a.example/"]),
        ('<a href="https://"></a> http://&#45; http://&#60;b http://&lt;a', []),
    ],
)
def test_links_in_html(html: str, expected: list[str]) -> None:
    assert list(links(message(html=html))[0]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # marks of full width, with nothing between
        ("\u8bf7\u770bhttps://a.example/x\uff0c\u8c22\u8c22", ["https://a.example/x"]),
        ("https://a.example/x\u3002\u8c22\u8c22", ["https://a.example/x"]),
        ("https://a.example/x\u3001https://b.example/y", ["https://a.example/x", "https://b.example/y"]),
        ("\uff08https://a.example/x\uff09\u8c22", ["https://a.example/x"]),
        ("https://a.example/x\uff08\u8bf4\u660e\uff09", ["https://a.example/x"]),
        ("\u300chttps://a.example/x\u300d\u3092", ["https://a.example/x"]),
        ("\u300ahttps://a.example/x\u300b\u548c", ["https://a.example/x"]),
        ("\u3010https://a.example/x\u3011\u548c", ["https://a.example/x"]),
        ("\u201chttps://a.example/x\u201d\u548c", ["https://a.example/x"]),
        ("https://a.example/?a=1&b=2\uff01", ["https://a.example/?a=1&b=2"]),
        ("https://a.example\uff1a\u548c", ["https://a.example"]),
        ("https://a.example/x\uff1b\uff1f\u548c", ["https://a.example/x"]),
        ("https://a.example/x\uff64\u548c", ["https://a.example/x"]),
        # names and paths in any script
        ("https://b\u00fccher.example/gr\u00fc\u00dfe", ["https://b\u00fccher.example/gr\u00fc\u00dfe"]),
        ("https://\u4f8b\u3048.example/\u65e5\u672c?q=\u8a9e#\u3042",
         ["https://\u4f8b\u3048.example/\u65e5\u672c?q=\u8a9e#\u3042"]),
        ("https://xn--bcher-kva.example/", ["https://xn--bcher-kva.example/"]),
        # what is around it
        ("see http://a.example/x!)", ["http://a.example/x"]),
        ("[see http://a.example/x]", ["http://a.example/x"]),
        ("(see http://a.example/x_(y))", ["http://a.example/x_(y)"]),
        ("http://a.example/x?!...", ["http://a.example/x"]),
        ("'http://a.example/x', \"http://b.example/y\".", ["http://a.example/x", "http://b.example/y"]),
        ("\u00abhttp://a.example/x\u00bb, \u2018http://b.example/\u2019",
         ["http://a.example/x", "http://b.example/"]),
        ("**http://a.example/x** _http://b.example/y_", ["http://a.example/x", "http://b.example/y"]),
        ("http://a.example/x|http", ["http://a.example/x|http"]),
        ("`http://a.example/x`", ["http://a.example/x"]),
        ("http://a.example/x\u00a0more", ["http://a.example/x"]),
        ("http://user:pw@a.example:8080/x;y=z", ["http://user:pw@a.example:8080/x;y=z"]),
        # in angle brackets, over several lines
        ("<http://a.example/x>", ["http://a.example/x"]),
        ("<http://a.example/one\r\ntwo/\r\n  three>", ["http://a.example/onetwo/three"]),
        ("Ann <http://a.example/one\ntwo> more", ["http://a.example/onetwo"]),
        ("<http://a.example/one\r\n\r\ntwo>", ["http://a.example/one"]),
        ("<http://a.example/one and\r\ntwo>", ["http://a.example/one"]),
        ("http://a.example/one\r\ntwo", ["http://a.example/one"]),
    ],
)  # fmt: skip
def test_links_in_a_text_are_those_that_a_reader_follows(text: str, expected: list[str]) -> None:
    assert list(links(message(text=text))[0]) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<a href='http://a.example/x y'>x</a>", ["http://a.example/x%20y"]),
        ('<a href="http://a.example/x y z?a b#c d">x</a>', ["http://a.example/x%20y%20z?a%20b#c%20d"]),
        ('<a href=" http://a.example/x ">x</a>', ["http://a.example/x"]),
        ('<a href="\r\n http://a.example/x\r\n">x</a>', ["http://a.example/x"]),
        ('<a href="http://a.example/one\r\ntwo">x</a>', ["http://a.example/onetwo"]),
        ('<a href="http://\n\ta.example/\tx">x</a>', ["http://a.example/x"]),
        ('<a href="http://a.example/x&#32;y">x</a>', ["http://a.example/x%20y"]),
        ('<a href="http://a.example/x&#10;y&Tab;z&NewLine;">x</a>', ["http://a.example/xyz"]),
        ('<a href="http://a.example/x&#xa0;y">x</a>', ["http://a.example/x%C2%A0y"]),
        ('<a href="http://a.example/x&nbsp;y">x</a>', ["http://a.example/x%C2%A0y"]),
        ('<a href="http://a.example/?a=1&amp;b=2 3">x</a>', ["http://a.example/?a=1&b=2%203"]),
        ('<a href="http://a.example/?a=1&b=&quot;2&quot; 3">', ["http://a.example/?a=1&b=%222%22%203"]),
        ("<img src = 'http://a.example/a b.png'>", ["http://a.example/a%20b.png"]),
        ("<a href=http://a.example/x y>z</a>", ["http://a.example/x"]),
        ('<a title="see http://a.example/x y" href="http://b.example/">',
         ["http://a.example/x", "http://b.example/"]),
        ('<img srcset="http://a.example/1.png 1x, http://a.example/2.png 2x">',
         ["http://a.example/1.png", "http://a.example/2.png"]),
        ('<td style="background: url(http://a.example/i.png) no-repeat">',
         ["http://a.example/i.png"]),
        ('<a href="http://a.example/\uff08x\uff09">http://a.example/y\uff0c\u8c22</a>',
         ["http://a.example/\uff08x\uff09", "http://a.example/y"]),
        ('<a href="http://\u4f8b.example/\u65e5">', ["http://\u4f8b.example/\u65e5"]),
        ("<p>http://a.example/x and 'y'</p>", ["http://a.example/x"]),
        ("<p>&lt;http://a.example/x&gt;</p>", ["http://a.example/x"]),
        ("<p>http://a.example/x&nbsp;more</p>", ["http://a.example/x"]),
        ('<a href="http://a.example/one">1</a> <a href="http://b.example/x y">2</a>',
         ["http://a.example/one", "http://b.example/x%20y"]),
    ],
)  # fmt: skip
def test_links_in_html_are_those_that_a_browser_follows(html: str, expected: list[str]) -> None:
    assert list(links(message(html=html))[0]) == expected


def test_links_of_all_texts_are_in_their_order() -> None:
    parts = [("html", "<a href='http://one.example/'>"), ("plain", "http://two.example/")]
    body = "".join(f"--b\r\nContent-Type: text/{kind}\r\n\r\n{text}\r\n" for kind, text in parts)
    parsed = parse(f"Content-Type: multipart/mixed; boundary=b\r\n\r\n{body}--b--\r\n".encode())
    assert links(parsed)[0] == ("http://one.example/", "http://two.example/")


def test_links_of_the_text_come_first_and_each_once() -> None:
    both = message(text="http://b.example/", html="<p>http://a.example/ http://b.example/</p>")
    assert links(both) == (("http://b.example/", "http://a.example/"), False)


def test_links_are_bounded() -> None:
    many = message(text=" ".join(f"http://a.example/{n}" for n in range(MAX_LINKS + 10)))
    assert len(links(many)[0]) == MAX_LINKS
    assert links(many)[1]
    assert links(message(html="<a href='http://a.example/'>x</a>" * (MAX_CANDIDATES + 1)))[1]
    assert not links(message(text="http://a.example/"))[1]
    long = message(text=" ".join(f"http://a.example/{n}{'x' * 8_000}" for n in range(100)))
    assert 0 < sum(map(len, links(long)[0])) <= MAX_LINKS_CHARS


_SIZE = 2_500_000


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<!DOCTYPE " * (_SIZE // 10) + "http://a.example/", ["http://a.example/"]),
        ("xmlns:" * (_SIZE // 6) + " http://a.example/", ["http://a.example/"]),
        ("xmlns = " * (_SIZE // 8) + "http://a.example/", ["http://a.example/"]),
        ("xmlns='" + 'xmlns="' * (_SIZE // 7) + " http://a.example/", ["http://a.example/"]),
        ("http://a.example/" + "&amp;" * (_SIZE // 5), []),
        ("http://a.example/" + "&lt;" * (_SIZE // 4), ["http://a.example/"]),
        ("http://" * (_SIZE // 7), []),
        ("'http://a.example/x' " * (_SIZE // 21), ["http://a.example/x"]),
    ],
    ids=["doctypes", "names", "values", "quotes", "references", "ends", "nested", "quoted"],
)
def test_links_of_a_bomb_are_found_in_bounded_time(html: str, expected: list[str]) -> None:
    assert list(links(message(html=html))[0]) == expected


def test_the_text_part_goes_before_the_html() -> None:
    assert text_of(message(text="plain", html="<p>rich</p>")) == "plain"


def test_neither_text_nor_html_is_an_empty_text() -> None:
    assert text_of(parse(b"Content-Type: image/png\r\n\r\nx")) == ""


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>one</p><p>two</p>", "one\n\ntwo\n"),
        ("one<br>two<br><br>three", "one\ntwo\n\nthree\n"),
        ("<div>one</div><div>two</div>", "one\ntwo\n"),
        ("<p>  much \n\n space </p>", "much space\n"),
        ("Donau&shy;dampf&#8203;schiff", "Donaudampfschiff\n"),
        ("\u0645\u06cc&zwnj;\u062e\u0648", "\u0645\u06cc\u200c\u062e\u0648\n"),
        ("seen&#847;&zwnj;&#8199;&#847;&zwnj;&#8199;&shy; more", "seen more\n"),
        ("a &amp; b &lt;c&gt; &#252; &nbsp;d", "a & b <c> \u00fc \u00a0d\n"),
        ("<ul><li>one<li>two<ul><li>in</ul></ul>", "- one\n- two\n\n  - in\n"),
        (
            "<ul> <li> <p>one</p></li> <li><div>two</div> <p>more</p></li> </ul>end",
            "- one\n- two\n\nmore\n\nend\n",
        ),
        ("a<ul><li></li><li><br>b<li><ul><li>in", "a\n\n-\n- b\n-\n\n  - in\n"),
        ("<ol><li>one</li><li>two</li></ol>", "1. one\n2. two\n"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a  b\nc\n"),
        ("<pre>a\n  b</pre>c", "a\n  b\n\nc\n"),
        ("<pre>a\n<p>b</pre>", "a\n\nb\n"),
        ("<p>a</p><blockquote>b<br>c</blockquote>", "a\n\n> b\n> c\n"),
        ("<head><title>t</title><style>s</style></head><body>x", "x\n"),
        ("a<script>if (a < b) '<p>'</script>b<!-- c -->d", "abd\n"),
        ("<svg><text>s</text></svg>x", "x\n"),
        ('<img alt="a picture"> x', "a picture x\n"),
        ('<a href="https://a.example/">x</a>', "x [1]\n\n[1] https://a.example/\n"),
        (
            '<a href="http://a/1">x</a> <a href="http://a/2">y</a> <a href="http://a/1">z</a>',
            "x [1] y [2] z [1]\n\n[1] http://a/1\n[2] http://a/2\n",
        ),
        (
            '<a href="http://a/1">x</a><a href="http://a/2">y</a>, [z]<b>z</b>',
            "x [1] y [2], [z]z\n\n[1] http://a/1\n[2] http://a/2\n",
        ),
        ('a<a href="http://a/1"><p>x</p></a>b', "a\n\nx [1]\n\nb\n\n[1] http://a/1\n"),
        (
            '<a href="http://a/1">x<a href="http://a/2">y</a></a>z',
            "x [1] y [2] z\n\n[1] http://a/1\n[2] http://a/2\n",
        ),
        ('<a href="http://a/1">x<br><br></a>', "x\n\n[1]\n\n[1] http://a/1\n"),
        ('<p>a</p><a href="http://a/1"><img></a>', "a\n\n[1]\n\n[1] http://a/1\n"),
        ('<a href=" http://a/x\ty ">z</a>', "z [1]\n\n[1] http://a/xy\n"),
        ('<a href="http://a/x y">z</a>', "z [1]\n\n[1] http://a/x%20y\n"),
        ('<a href="#top">x</a> <a href="javascript:1">y</a>', "x y\n"),
        ('<a href="mailto:a@b.c">x</a>', "x [1]\n\n[1] mailto:a@b.c\n"),
        ('<p title="a > b">x</p>', "x\n"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2\n"),
        ("<b>cut <i", "cut <i\n"),
        ("", ""),
        ("<p> </p>", ""),
    ],
)
def test_html_becomes_readable_text(html: str, expected: str) -> None:
    parsed = parse(b"Content-Type: text/html; charset=utf-8\r\n\r\n" + html.encode())
    assert text_of(parsed) == expected
