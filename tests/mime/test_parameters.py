"""Parameters of Content-Type and Content-Disposition."""

import pytest

from mailsacd.mime import parameters
from mailsacd.mime.parse import parse


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("text/plain", "text/plain", {}),
        ("Text/HTML; Charset=UTF-8", "text/html", {"charset": "UTF-8"}),
        ('A/B;\tName=" X "', "a/b", {"name": " X "}),
        ('a/b ; name="x"', "a/b", {"name": "x"}),
        ("a/b; name*=\"utf-8''%41\"", "a/b", {"name": "A"}),
        ('a/b; name="x; y.txt"', "a/b", {"name": "x; y.txt"}),
        ('a/b; name="x\\"y"', "a/b", {"name": 'x"y'}),
        ('a/b; name="C:\\dir\\\\x.txt"', "a/b", {"name": "C:\\dir\\x.txt"}),
        ("a/b; name=x y.txt ; c=d", "a/b", {"name": "x y.txt", "c": "d"}),
        ("a/b (comment); c=d", "a/b", {"c": "d"}),
        ("a/b;;; c = d;", "a/b", {"c": "d"}),
        ('a/b; name="never closed', "a/b", {"name": "never closed"}),
        ("a/b; name*=utf-8'en'gr%C3%BC%C3%9F.txt", "a/b", {"name": "gr\u00fc\u00df.txt"}),
        ("a/b; name*=iso-8859-1''gr%FC", "a/b", {"name": "gr\u00fc"}),
        ("a/b; name*0=one; name*1=two", "a/b", {"name": "onetwo"}),
        ("a/b; name*1=two; name*0=one", "a/b", {"name": "onetwo"}),
        ("a/b; name*0*=utf-8''gr%C3; name*1*=%BC; name*2=.x", "a/b", {"name": "gr\u00fc.x"}),
        ("a/b; name=old; name*=utf-8''new", "a/b", {"name": "new"}),
        ("a/b; name*0=one; name*2=lost", "a/b", {"name": "one"}),
        ("a/b; name==?utf-8?q?gr=C3=BC?=", "a/b", {"name": "gr\u00fc"}),
        ('a/b; name="=?utf-8?b?Z3LDvA==?="', "a/b", {"name": "gr\u00fc"}),
        ("a/b; c=1; C=2", "a/b", {"c": "1"}),
        ("", "", {}),
        (";;;", "", {}),
        ("a/b; =x; c", "a/b", {}),
    ],
)
def test_parameters_are_read(text: str, value: str, expected: dict[str, str]) -> None:
    parsed = parameters.parse(text)
    assert parsed.value == value
    assert dict(parsed.parameters) == expected


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        # comments (RFC 2045 section 5.1)
        ("text/plain; charset=us-ascii (Plain text)", "text/plain", {"charset": "us-ascii"}),
        ("text/plain; charset=us-ascii(Plain (text))", "text/plain", {"charset": "us-ascii"}),
        ('text/plain; charset="us-ascii" (Plain text)', "text/plain", {"charset": "us-ascii"}),
        ("text/plain(c); (c) charset (c) = (c) utf-8 (c); (c;) x=y (c=d)", "text/plain",
         {"charset": "utf-8", "x": "y"}),
        ("(c) text/(c)plain ; charset=utf-8", "text/plain", {"charset": "utf-8"}),
        ("(c) attachment (c); filename=(c)a.txt", "attachment", {"filename": "a.txt"}),
        ("a/b; name=report (1).pdf", "a/b", {"name": "report (1).pdf"}),
        ("a/b; name=report(1)", "a/b", {"name": "report(1)"}),
        ("a/b; name=report(1).pdf; c=d", "a/b", {"name": "report(1).pdf", "c": "d"}),
        ('a/b; name="report (1)"', "a/b", {"name": "report (1)"}),
        ("a/b; name=report.pdf (the report)", "a/b", {"name": "report.pdf"}),
        ("a/b; name=never(closed; c=d", "a/b", {"name": "never(closed", "c": "d"}),
        # dividers that are missing, or others
        ("text/html charset=utf-8", "text/html", {"charset": "utf-8"}),
        ("text/html, charset=utf-8", "text/html", {"charset": "utf-8"}),
        ("text/html:charset=utf-8", "text/html", {"charset": "utf-8"}),
        ('multipart/mixed boundary="a b"', "multipart/mixed", {"boundary": "a b"}),
        ('text/html; charset="utf-8" name="x.html"', "text/html",
         {"charset": "utf-8", "name": "x.html"}),
        ('text/html; charset="utf-8"name="x.html"', "text/html",
         {"charset": "utf-8", "name": "x.html"}),
        ("text/html; charset=utf-8 name=x y.html", "text/html",
         {"charset": "utf-8", "name": "x y.html"}),
        ("text/html; charset=utf-8, format=flowed", "text/html",
         {"charset": "utf-8", "format": "flowed"}),
        ("text / html; charset = utf-8", "text/html", {"charset": "utf-8"}),
        ('"text/html"; charset=utf-8', "text/html", {"charset": "utf-8"}),
        ("charset=utf-8", "", {"charset": "utf-8"}),
        ("filename=x.pdf", "", {"filename": "x.pdf"}),
        ("; charset=utf-8", "", {"charset": "utf-8"}),
        # encoded words in values of RFC 2231, and pieces in any order
        ('a; n*0="=?UTF-8?B?w6TDtsO8?="; n*1="=?UTF-8?B?w58ucGRm?="', "a", {"n": "äöüß.pdf"}),
        ('a; n*0="=?UTF-8?B?w6TDts"; n*1="O8w58ucGRm?="', "a", {"n": "äöüß.pdf"}),
        ('a; n*1="=?utf-8?q?=C3=9F.pdf?="; n*0="=?utf-8?q?=C3=A4?="', "a", {"n": "äß.pdf"}),
        ("a; n*=utf-8''=?utf-8?q?=C3=A4?=.pdf", "a", {"n": "ä.pdf"}),
        ("a; n*=utf-8''%3D%3Futf-8%3Fq%3F%3DC3%3DA4%3F%3D", "a", {"n": "ä"}),
        ("a; n*0*=utf-8''%C3; n*1*=%A4; n*2=.pdf", "a", {"n": "ä.pdf"}),
        ("a; n*2=.pdf; n*0*=utf-8''%C3; n*1*=%A4", "a", {"n": "ä.pdf"}),
        ("a; n*0*=utf-8''%C3; n*1*=utf-8''%A4", "a", {"n": "ä"}),
        ("a; n*1*=utf-8''%C3; n*2*=%A4", "a", {"n": "ä"}),
        ("a; n*0*=utf-8'de'%C3; n*1*=utf-8'%A4; n*2*=\"utf-8' it's\"", "a", {"n": "ä it's"}),
        ("a; n*0=a; n*1=b; n*3=lost", "a", {"n": "ab"}),
        ('a; n*0="=?iso-8859-1?q?=E4"; n*1="=F6?="', "a", {"n": "äö"}),
        ('a; n="=?utf-8?q?=C3=A4?= =?utf-8?q?=C3=B6.pdf?="', "a", {"n": "äö.pdf"}),
        ("a; n==?utf-8?q?=C3=A4?= =?utf-8?q?=C3=B6.pdf?=; c=d", "a", {"n": "äö.pdf", "c": "d"}),
        ('a; n="=?utf-8?q?=C3?= =?utf-8?q?=A4.pdf?="', "a", {"n": "ä.pdf"}),
        ("a; n=old.pdf; n*=utf-8''", "a", {"n": "old.pdf"}),
        ("a; n*=\"utf-8'de'%C3%A4.pdf\"", "a", {"n": "ä.pdf"}),
        ("a; n*=%C3%A4.pdf", "a", {"n": "ä.pdf"}),
    ],
)  # fmt: skip
def test_what_breaks_the_rules_is_read_as_it_is_meant(
    text: str, value: str, expected: dict[str, str]
) -> None:
    parsed = parameters.parse(text)
    assert parsed.value == value
    assert dict(parsed.parameters) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b'name="gr\xfc\xdf.txt"', "grüß.txt"),
        ('name="grüß.txt"'.encode(), "grüß.txt"),
        (b'name="=?iso-8859-1?Q?gr\xfc=DF.txt?="', "grüß.txt"),
        (b'name*0="=?iso-8859-1?Q?gr\xfc?="; name*1="=?iso-8859-1?Q?=DF.txt?="', "grüß.txt"),
    ],
)
def test_a_file_name_may_have_bare_bytes(name: bytes, expected: str) -> None:
    content = b"Content-Type: application/x-thing; " + name + b"\r\n\r\nx"
    assert parse(content).attachments[0].file_name == expected


@pytest.mark.parametrize("encoding", ["base64 (c)", "(c) base64", '"base64"', "base64;", "BASE64."])
def test_a_transfer_encoding_may_be_adorned(encoding: str) -> None:
    content = f"Content-Transfer-Encoding: {encoding}\r\n\r\naGVsbG8=\r\n"
    assert parse(content.encode()).text == "hello"
