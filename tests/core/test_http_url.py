"""URLs are read in one way only, and what others read differently is refused."""

import pytest

from mailsacd.core.http_url import MAX_URL_CHARACTERS, HttpUrl, encoded_url, parse_http_url

GOOD = {
    "http://example.com": (False, "example.com", 80, "/", "example.com"),
    "HTTPS://Example.COM/A?b=c#d": (True, "example.com", 443, "/A?b=c", "example.com"),
    "https://example.com:8443/x": (True, "example.com", 8443, "/x", "example.com:8443"),
    "http://example.com:80": (False, "example.com", 80, "/", "example.com"),
    "http://example.com.:8080/": (False, "example.com", 8080, "/", "example.com:8080"),
    "http://example.com?q=1": (False, "example.com", 80, "/?q=1", "example.com"),
    "http://example.com#top": (False, "example.com", 80, "/", "example.com"),
    "http://a_b.internal/": (False, "a_b.internal", 80, "/", "a_b.internal"),
    "http://app:3000/hook": (False, "app", 3000, "/hook", "app:3000"),
    "http://192.0.2.1/": (False, "192.0.2.1", 80, "/", "192.0.2.1"),
    "http://127.0.0.1./": (False, "127.0.0.1", 80, "/", "127.0.0.1"),
    "http://[2001:DB8:0:0::1]:8080/": (False, "2001:db8::1", 8080, "/", "[2001:db8::1]:8080"),
    "http://[::ffff:127.0.0.1]/": (False, "::ffff:7f00:1", 80, "/", "[::ffff:7f00:1]"),
    "https://hooks.slack.com/services/T0/B0/x%20y": (
        True, "hooks.slack.com", 443, "/services/T0/B0/x%20y", "hooks.slack.com",
    ),
}  # fmt: skip
BAD = {
    "": "not an http or https",
    "example.com": "not an http or https",
    "//example.com/": "not an http or https",
    "ftp://example.com/": "not an http or https",
    "file:///etc/passwd": "not an http or https",
    "gopher://example.com/": "not an http or https",
    "javascript:alert(1)": "not an http or https",
    "http:example.com": "not an http or https",
    "http:/example.com": "not an http or https",
    "http://": "not an http or https",
    "http:///x": "not an http or https",
    "http://?x": "not an http or https",
    "http://:80/": "not an http or https",
    "http://example.com:/": "not an http or https",
    "http://example.com:123456/": "not an http or https",
    "http://example.com:8o/": "not an http or https",
    "http://127%2e0.0.1/": "not an http or https",
    "http://[::1/": "not an http or https",
    "http://[::1]x/": "not an http or https",
    "http://[fe80::1%eth0]/": "not an http or https",
    "http://user@example.com/": "user name",
    "http://user:secret@example.com/": "user name",
    "http://example.com@127.0.0.1/": "user name",
    "http://127.0.0.1:80@example.com/": "user name",
    "http://@example.com/": "user name",
    "http://example.com\\@127.0.0.1/": "character",
    "http:\\\\example.com/": "character",
    "http://example.com/\r\nX: y": "character",
    "http://example.com/\n": "character",
    "http://example.com/a b": "character",
    " http://example.com/": "character",
    "http://exämple.com/": "character",
    "http://\N{FULLWIDTH DIGIT ONE}27.0.0.1/": "character",
    "http://example。com/": "character",
    "http://example.com/\x7f": "character",
    "http://example.com/{x}": "character",
    "http://2130706433/": "another form",
    "http://0x7f000001/": "another form",
    "http://0x7f.1/": "another form",
    "http://0177.0.0.1/": "another form",
    "http://127.1/": "another form",
    "http://127.0.1/": "another form",
    "http://0/": "another form",
    "http://1.2.3.4.5/": "another form",
    "http://256.0.0.1/": "another form",
    "http://example.0x/": "another form",
    "http://[::g]/": "not an http or https",
    "http://[1.2.3.4]/": "another form",
    "http://[:::]/": "another form",
    "http://example.com../": "two dots",
    "http://.example.com/": "bad host",
    "http://a..b/": "bad host",
    "http://-a.example/": "bad host",
    "http://" + "a" * 64 + ".example/": "bad host",
    "http://example.com:25/": "a port that",
    "http://example.com:0/": "a port that",
    "http://example.com:1023/": "a port that",
    "http://example.com:65536/": "a port that",
    "http://example.com/" + "x" * MAX_URL_CHARACTERS: "longer than",
}


@pytest.mark.parametrize("text", GOOD)
def test_a_good_url(text: str) -> None:
    secure, host, port, target, authority = GOOD[text]
    url = parse_http_url(text)
    assert url == HttpUrl(secure=secure, host=host, port=port, target=target)
    assert url.authority == authority


@pytest.mark.parametrize("text", BAD)
def test_a_bad_url_is_refused_with_what_is_wrong(text: str) -> None:
    with pytest.raises(ValueError, match=BAD[text]):
        parse_http_url(text)


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("https://example.com/a?b=c#d", "https://example.com/a?b=c#d"),
        ("https://example.com/a b|c?{d}", "https://example.com/a%20b%7Cc?%7Bd%7D"),
        ("https://example.com/%20ü", "https://example.com/%20%C3%BC"),
        ("https://exämple.com:8080/x", "https://xn--exmple-cua.com:8080/x"),
        ("https://exämple .com/x", "https://exämple .com/x"),
        ("https://\N{FULLWIDTH DIGIT ONE}27.0.0.1/", "https://127.0.0.1/"),
        ("https://a@exämple.com/x", "https://a@exämple.com/x"),
        ("nothing", "nothing"),
        ("", ""),
    ],
)
def test_what_people_write_is_encoded(text: str, encoded: str) -> None:
    assert encoded_url(text) == encoded
