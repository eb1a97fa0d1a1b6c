"""Charsets that are told rightly, wrongly and not at all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailsacd.mime import charset, encodings
from mailsacd.mime.parse import parse
from mailsacd.mime.pieces import PIECE

GREETING = "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440"


@pytest.mark.parametrize(
    ("content", "declared", "expected"),
    [
        (b"plain", None, "plain"),
        (b"plain", "no-such-charset", "plain"),
        ("\u00fc".encode(), "utf-8", "\u00fc"),
        ("\u00fc".encode(), None, "\u00fc"),
        ("\u00fc".encode(), "us-ascii", "\u00fc"),
        ("\u00fc".encode(), "iso-8859-1", "\u00fc"),
        (b"\xfc", "us-ascii", "\u00fc"),
        (b"\xfc", "utf-8", "\u00fc"),
        (b"\xfc", None, "\u00fc"),
        (b"\x93quoted\x94", "iso-8859-1", "\u201cquoted\u201d"),
        (GREETING.encode("koi8-r"), "KOI8-R", GREETING),
        (GREETING.encode("cp1251"), '"windows-1251"', GREETING),
        (GREETING.encode("utf-8") + b"\xff", "utf-8", GREETING + "\ufffd"),
        (
            "gr\u00fc\u00df ".encode() + b"\xc4\xd6\xdc \xe4",
            "utf-8",
            "gr\u00fc\u00df \u00c4\u00d6\u00dc \u00e4",
        ),
        (
            "gr\u00fc\u00df ".encode() + b"\xc4\xd6\xdc \xe4",
            None,
            "gr\u00fc\u00df \u00c4\u00d6\u00dc \u00e4",
        ),
        (b"\xe9 " * 30 + "\u00c9\u00bb".encode("cp1252"), "utf-8", "\u00e9 " * 30 + "\u00c9\u00bb"),
        ("\u65e5\u672c\u8a9e".encode("iso-2022-jp"), "ISO-2022-JP", "\u65e5\u672c\u8a9e"),
        ("\u65e5\u672c\u8a9e".encode("cp932"), "Shift_JIS", "\u65e5\u672c\u8a9e"),
        ("\u65e5\u672c\u8a9e".encode("euc-jp"), "euc-jp", "\u65e5\u672c\u8a9e"),
        ("\u4f60\u597d\u9555".encode("gb18030"), "gb2312", "\u4f60\u597d\u9555"),
        ("\u4f60\u597d".encode("big5"), "big5", "\u4f60\u597d"),
        ("\ud55c\uae00".encode("cp949"), "ks_c_5601-1987", "\ud55c\uae00"),
        (b"a+AOk-b", "utf-7", "a\u00e9b"),
        ("\u00e9".encode("utf-16"), "utf-16", "\u00e9"),
        ("a\u00e9".encode("utf-16-be"), "utf-16", "a\u00e9"),
        ("a\u00e9".encode("utf-16-le"), "utf-16", "a\u00e9"),
        (b"\xef\xbb\xbfmarked", "utf-8", "marked"),
        (b"a\0b", None, "ab"),
        (b"+2AA-x", "utf-7", "x"),  # half a surrogate pair
        (b"abc", "zlib", "abc"),
        (b"abc", "punycode", "abc"),
        (b"abc", "x" * 1000, "abc"),
        (b"abc", "a\0b", "abc"),
        (b"\x81\x8d", "windows-1252", "\x81\x8d"),
        (b"\xff", "iso-8859-6", "\ufffd"),
        (b"", "utf-8", ""),
    ],
)
def test_bytes_become_the_text_that_was_meant(
    content: bytes, declared: str | None, expected: str
) -> None:
    assert charset.decode(content, declared) == expected


LONG = st.sampled_from(
    ["utf-8", "cp1252", "iso-8859-6", "gb18030", "big5hkscs", "euc_jp", "shift_jis", "johab",
     "iso2022_jp_ext", "iso2022_kr", "hz", "utf-7", "utf-16-le", "utf-32-be"]
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    LONG,
    st.lists(
        st.sampled_from(
            [b"a", b"\xff", b"\x81", b"\xa4\xa2", b"\xe4\xb8\xad", b"+", b"+AGE-", b"+2D0-", b"\n",
             b"~{", b"~}", b"\x1b$B", b"\x1b(B", b"\x1b$)C", b"\x0e", b"\x0f", b"\xd8", b"\0"]
        ),
        min_size=1, max_size=9,
    ).map(b"".join),
)  # fmt: skip
def test_a_long_text_is_decoded_as_a_short_one_is(codec: str, piece: bytes) -> None:
    content = piece * (2 * PIECE // len(piece) + 1)
    for errors in ("strict", "replace"):
        try:
            expected = content.decode(codec, errors)
        except UnicodeError:
            with pytest.raises(UnicodeError):
                encodings.decoded(content, codec, errors)
        else:
            assert encodings.decoded(content, codec, errors) == expected


@pytest.mark.parametrize("length", [1, PIECE])
@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_characters_with_and_without_a_byte_order_mark(codec: str, length: int) -> None:
    text = "a\u00e9" * length
    assert charset.decode(text.encode(codec), codec[:6]) == text
    assert charset.decode(("\ufeff" + text).encode(codec), codec[:6]) == text


@pytest.mark.parametrize(
    ("head", "said", "expected"),
    [
        (b'<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">', b"", GREETING),
        (b"<head>\n<META CHARSET='koi8-r'>", b"", GREETING),
        (b'<meta name="x"><meta charset=koi8-r>', b"", GREETING),
        (b"<meta charset=cp1251>", b"; charset=koi8-r", GREETING),
        (b"<meta charset=utf-16le>", b"", GREETING.encode("koi8-r").decode("cp1252")),
        (b" " * 1024 + b"<meta charset=koi8-r>", b"", GREETING.encode("koi8-r").decode("cp1252")),
        (b"<p>charset=koi8-r", b"", GREETING.encode("koi8-r").decode("cp1252")),
    ],
)
def test_html_may_say_its_codecwhere_the_part_does_not(
    head: bytes, said: bytes, expected: str
) -> None:
    fields = b"Content-Type: text/html" + said + b"\r\n\r\n"
    html = parse(fields + head + GREETING.encode("koi8-r")).html
    assert html == head.decode() + expected


CHINESE = "\u6d4b\u8bd5\u4e00\u4e0b"
JAPANESE = "\u8868\u793a\u306e\u78ba\u8a8d"  # its first character ends in a backslash
RUSSIAN = "\u041f\u0440\u0438\u0432\u0435\u0442"
KOREAN = "\ud55c\uae00 \uc81c\ubaa9"


@pytest.mark.parametrize(
    ("sent_in", "declared", "text"),
    [
        ("gbk", "gb2312", CHINESE),
        ("big5", "Big5", "\u6e2c\u8a66\u8a31\u529f"),
        ("koi8-r", "koi8-r", RUSSIAN),
        ("cp932", "Shift_JIS", JAPANESE),
        ("euc-kr", "euc-kr", KOREAN),
        ("cp1252", "iso-8859-1", "gr\u00fc\u00df"),
        ("utf-8", "gb2312", CHINESE),
        ("utf-8", "koi8-r", RUSSIAN),
        ("cp1252", "gb2312", "gr\u00fc!"),  # does not fit
        ("cp1252", "utf-16", "gr\u00fc\u00df"),
        ("cp1252", "no-such-charset", "gr\u00fc\u00df"),
    ],
)
@pytest.mark.parametrize("is_multipart", [False, True])
def test_the_first_text_tells_what_codecbare_8_bit_fields_are_in(
    sent_in: str, declared: str, text: str, is_multipart: bool
) -> None:
    raw = text.encode(sent_in)
    part = b"Content-Type: text/plain; charset=" + declared.encode() + b"\r\n\r\nhello\r\n"
    head = b"Subject: " + raw + b"\r\nFrom: " + raw + b" <a@b.example>\r\nX-Other: " + raw + b"\r\n"
    if is_multipart:
        head += b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
        part += b"--b--\r\n"
    parsed = parse(head + part)
    assert parsed.subject == parsed.headers[2][1] == text
    assert [(m.address, m.name) for m in parsed.sender] == [("a@b.example", text)]
