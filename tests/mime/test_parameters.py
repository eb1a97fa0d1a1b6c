"""Parameters of Content-Type and Content-Disposition."""

import pytest

from mailsacd.mime import parameters


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
