"""What the page of a message shows of its structure."""

import pytest

from mailsacd.mime.parse import parse
from mailsacd.web.message_views import (
    FRAMES,
    MAX_FIELDS,
    MAX_TEXT_CHARACTERS,
    attachment_list,
    has_html,
    header_fields,
    overview,
    pictures,
)
from tests.web.mails import letter, png


def html(source: str, *, loads: bool = False, dark: bool = False) -> str:
    parsed = parse(letter("page", html=source).as_bytes())
    return FRAMES[loads, "dark" if dark else "light"](parsed).decode()


@pytest.mark.parametrize(
    "source",
    ["<link rel=preconnect href=//x>", "<LiNk/rel=preconnect href=//x>", "<link>", "<link\f rel=x>",
     "<svg><link rel=preconnect href=//x></svg>", "<link\nrel=dns-prefetch href=//x>"],
)  # fmt: skip
def test_no_link_element_is_left(source: str) -> None:
    for loads in (False, True):
        shown = html(f"<p>x{source}</p>", loads=loads).lower()
        assert "<link" not in shown
        assert "<basefont" in shown


def test_nothing_connects_to_anybody() -> None:
    for loads in (False, True):
        shown = html(
            "x<iframe src=//a>b</iframe><FRAME src=//a><object data=//a>c</object><embed src=//a>",
            loads=loads,
        )
        assert (
            "x<noembed src=//a>b</noembed><head src=//a><applet data=//a>c</applet><wbr src=//a>"
            in shown
        )


def test_links_are_none_before_somebody_asks() -> None:
    source = "x<a HREF = '//a'>b</a><svg><a xlink:href=//a></a></svg><base href=//a>"
    shown = html(source)
    assert "x<a x-href = '//a'>b</a><svg><a xlink:x-href=//a></a></svg><base x-href=//a>" in shown
    assert source in html(source, loads=True)


def test_other_elements_stay() -> None:
    for source in ("x<links>", "a <linkage>", "<frameset>x", "<p>x</p>", "x<objects>"):
        assert source in html(source)


def test_the_frame_s_own_stands_behind_the_doctype() -> None:
    page = html("<!DOCTYPE html><html><p>x")
    assert page.startswith("<!DOCTYPE html><style>:root{color-scheme:light!important}</style>")
    assert html("<p>x").startswith("<style>")
    assert '<base target="_blank">' not in page
    assert '</style><base target="_blank"><html>' in html("<!DOCTYPE html><html>x", loads=True)


def test_colours_are_those_that_are_asked_for() -> None:
    source = (
        "<meta name=color-scheme content='light dark'>"
        "<style>@media (prefers-color-scheme : DARK) {a} @media (prefers-color-scheme:light) {b}"
        "</style>x"
    )
    assert "(min-width:0) {a} @media (max-width:0) {b}" in html(source, dark=True)
    assert "(max-width:0) {a} @media (min-width:0) {b}" in html(source)
    assert ":root{color-scheme:dark!important}" in html(source, dark=True)
    assert ":root{color-scheme:light!important}" in html(source)
    assert ":root{color-scheme:light!important}" in html("<p>none of its own", dark=True)


def test_overview() -> None:
    seen = overview(parse(letter("Your code", "Your code is 493201\n", "<p>x").as_bytes()))
    assert seen.codes.codes == ("493201",)
    assert (seen.has_html, seen.text, seen.cut) == (True, "Your code is 493201\n", False)
    long = overview(parse(letter("x", "line\n" * MAX_TEXT_CHARACTERS).as_bytes()))
    assert (len(long.text), long.cut, long.has_html) == (MAX_TEXT_CHARACTERS, True, False)


def test_header_fields_are_bounded() -> None:
    parsed = parse(b"X: 1\r\n" * (MAX_FIELDS + 1) + b"\r\n")
    assert (len(header_fields(parsed).fields), header_fields(parsed).cut) == (MAX_FIELDS, True)
    few = header_fields(parse(letter("=?utf-8?q?J=C3=BCrgen?=").as_bytes()))
    assert dict(few.fields)["Subject"] == "Jürgen"
    assert not few.cut
    assert header_fields(parse(b"X: " + b"y" * 90_000 + b"\r\n\r\n")).cut


@pytest.mark.parametrize(
    ("subtype", "content", "kind"),
    [("png", png(1, 1), b"image/png"), ("jpeg", b"\xff\xd8\xff\xe0", b"image/jpeg"),
     ("x", b"GIF89a", b"image/gif"), ("webp", b"RIFF\0\0\0\0WEBPVP8 ", b"image/webp"),
     ("svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b""), ("png", b"<html>", b""),
     ("png", b"", b""), ("svg+xml", b" GIF89a", b"")],
)  # fmt: skip
def test_pictures_are_what_their_bytes_say(subtype: str, content: bytes, kind: bytes) -> None:
    message = letter("picture")
    message.add_attachment(content, maintype="image", subtype=subtype, filename="a.png")
    parsed = parse(message.as_bytes())
    (attached,) = attachment_list(parsed).attachments
    assert attached.is_picture is bool(kind)
    found = pictures(parsed)
    assert found == ({attached.checksum: (kind, content)} if kind else {})


def test_what_says_that_it_is_no_picture_is_none() -> None:
    message = letter("page")
    message.add_attachment(png(1, 1), maintype="text", subtype="html", filename="a.png")
    assert pictures(parse(message.as_bytes())) == {}


def test_whether_there_is_html() -> None:
    assert has_html(parse(letter("x", html="<p>x").as_bytes()))
    assert not has_html(parse(letter("x").as_bytes()))
