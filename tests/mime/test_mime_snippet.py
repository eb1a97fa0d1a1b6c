"""The first words of a message."""

from base64 import encodebytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsacd.mime.extract import SNIPPET_CHARS, snippet_of_beginning

HTML = b"Content-Type: text/html; charset=utf-8\r\n\r\n"
TRACE = (
    b"Return-Path: <a@b.example>\r\nReceived: from c.example ([192.0.2.7])\r\n\tby mx.example"
    b" with ESMTP id x;\r\n\tThu, 01 Jan 1970 00:00:00 +0000\r\n"
)


def alternatives(text: bytes, html: bytes) -> bytes:
    return (
        b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n"
        + text
        + b"\r\n--b\r\nContent-Type: text/html\r\n\r\n"
        + html
        + b"\r\n--b--\r\n"
    )


@pytest.mark.parametrize(
    ("raw", "snippet"),
    [
        (b"", ""),
        (b"Subject: none\r\n", ""),
        (b"\r\n  Hello,\r\n\r\n\tyour   order\r\nis here. ", "Hello, your order is here."),
        (TRACE + b"Subject: x\r\n\r\nwords", "words"),
        (TRACE + b"words without a header", "words without a header"),
        (b"\r\n=====\r\nNews\r\n-----\r\n\r\n* one\r\n* two - three", "News one two three"),
        (HTML + b"<title>T</title><style>p{}</style><p>Dear&nbsp;Ann,<p>it <a href=https://x>is</a>"
         b" <script>alert(1)</script>here", "Dear Ann, it is here"),
        (HTML + b"<div>Preview" + "&#847;\u200c&nbsp;\u00ad".encode() * 300 + b"</div><p>Text",
         "Preview Text"),
        (HTML + b"<ul><li>one<li>two</ul><hr>three", "one two three"),
        (HTML + b"<svg><text>" + b"x" * 500 + b"</text></svg>seen", "seen"),
        (HTML + b"<pre>a\r\n  b</pre>c", "a b c"),
        (HTML + b"<", "<"),
        (HTML + b"cut in a <a href='", "cut in a"),
        (alternatives(b"the text", b"<p>the page"), "the text"),
        (alternatives(b" \r\n", b"<p>the page"), "the page"),
        (alternatives(b"", b"<p>cut off")[:-11], "cut o"),
        (b"\r\nleft \xe2\x80\xaeturned\x00 \x1b[31mred", "left turned [31mred"),
        (b"Content-Transfer-Encoding: base64\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
         + encodebytes("Grüße und mehr".encode())[:10], "Grüße"),
        (b"Content-Transfer-Encoding: quoted-printable\r\n\r\nsoft=\r\n ly =", "soft ly"),
    ],
)  # fmt: skip
def test_words_are_in_one_line_without_what_nobody_reads(raw: bytes, snippet: str) -> None:
    assert snippet_of_beginning(raw).rstrip("\ufffd ") == snippet


def test_a_long_text_is_cut() -> None:
    assert snippet_of_beginning(b"\r\n" + b"word " * 1000) == ("word " * 28).rstrip()
    assert snippet_of_beginning(b"\r\n" + b"x" * 30_000) == "x" * SNIPPET_CHARS


PARTS = st.sampled_from([
    b"<p>", b"<svg>", b"<pre>", b"&nbsp;", b"&#847;", b"<a href=x>", b"</a>", b"<!--",
    b"x", b" \r\n",
    b"\x00", b"<title>", b"--b\r\n", b"Content-Type: text/html\r\n", b"\r\n\r\n", b"\xff", b"=\r\n",
    b"Content-Type: multipart/mixed; boundary=b\r\n",
])  # fmt: skip


@given(st.lists(PARTS, max_size=40).map(b"".join) | st.binary(max_size=300))
def test_whatever_it_is_made_of_it_is_one_short_line(raw: bytes) -> None:
    snippet = snippet_of_beginning(raw)
    assert len(snippet) <= SNIPPET_CHARS
    assert snippet == " ".join(snippet.split())
    assert snippet.isprintable() or not snippet.isascii()
