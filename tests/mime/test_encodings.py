"""Encodings by their labels, and what browsers decode otherwise than Python."""

import pytest
import webencodings
from webencodings.labels import LABELS

from mailsacd.mime import encodings
from mailsacd.mime.charset import decode
from mailsacd.mime.header import decode_words
from mailsacd.mime.parse import parse

# Nobody may decode these but for their ASCII: the standard says so, for attacks were made of them
WITHOUT = {"replacement", "iso-2022-cn", "iso-2022-cn-ext"}


@pytest.mark.parametrize("label", sorted(set(LABELS) - WITHOUT))
def test_each_label_of_the_standard_is_known_however_it_is_written(label: str) -> None:
    found = encodings.find(label)
    assert found is not None
    for written in (label.upper(), f" {label}\t", f'"{label}"', f"'{label}'", f"{label};"):
        assert encodings.find(written) == found
    name = webencodings.lookup(label).name
    if name not in ("replacement", "utf-16le"):  # which are taken for what the label says
        assert found == encodings.find(name)


SAMPLES = {
    "big5": (b"\xa4\xa4\xa4\xe5 \xf9\xd6 \x87\xdf \xa3\xe1 \x8b\x62", "中文 碁 鿋 € \U000280bd"),
    "big5-hkscs": (b"\xc6\xe7 \x88\x62 \xa1\x45", "ぁ Ê̄ ‧"),
    "euc-jp": (b"\xc6\xfc\xcb\xdc \xad\xa1\xad\xea \xf9\xa1 \x8f\xb0\xa1 \x8e\xb1 \xa1\xc1",
               "日本 ①㈱ 纊 丂 ｱ \uff5e"),
    "x-euc-jp": (b"\xc6\xfc\xcb\xdc \xad\xa2", "日本 ②"),
    "shift_jis": (b"\x93\xfa\x96\x7b \x87\x40\x87\x8a \xfa\x5c \xb1 \x81\x60",
                  "日本 ①㈱ 纊 ｱ \uff5e"),
    "windows-31j": (b"\x87\x40 \xfb\xfc", "① 髙"),
    "iso-2022-jp": (b"\x1b$BF|K\\-!-j\x1b(B \x1b(I1\x1b(B \x1b(J\\~\x1b(B x", "日本①㈱ ｱ ¥‾ x"),
    "euc-kr": (b"\xc7\xd1\xb1\xdb \x81\x41", "한글 갂"),
    "windows-949": (b"\xc7\xd1 \x81\x41", "한 갂"),
    "gbk": (b"\xc4\xe3\xba\xc3 \x80 \xa8\xbc", "你好 € ḿ"),
    "gb18030": (b"\xc4\xe3 \x80 \x81\x30\x81\x30 \xa6\xd9 \xfe\x59", "你 € \x80 ︐ 龴"),
    "gb2312": (b"\xc4\xe3 \xe9\x46", "你 镕"),
    "windows-874": (b"\xca\xc7\xd1\xca\xb4\xd5 \x85 \x81", "สวัสดี … \x81"),
    "tis-620": (b"\xca\xc7\xd1\xca\xb4\xd5", "สวัสดี"),
    "windows-1250": (b"\x9a\xe8 \x81", "šč \x81"),
    "x-cp1251": (b"\xcf\xf0\xe8\xe2\xe5\xf2 \x98", "Привет \x98"),
    "x-cp1252": (b"\x93gr\xfc\xdf\x94 \x9d", "“grüß” \x9d"),
    "windows-1253": (b"\xc5\xeb \x81", "Ελ \x81"),
    "windows-1255": (b"\xf9\xec\xe5\xed \xca", "שלום \u05ba"),
    "koi8-u": (b"\xf0\xae\xbe", "ПўЎ"),
    "koi8-ru": (b"\xae", "ў"),
    "iso-8859-8-i": (b"\xf9\xec\xe5\xed", "שלום"),
    "logical": (b"\xf9", "ש"),
    "iso-8859-9": (b"\xfe\x80", "ş€"),
    "macintosh": (b"gr\x9f\xa7", "grüß"),
    "x-mac-cyrillic": (b"\x8f\xf0", "Пр"),
    "x-user-defined": (b"a\x80\xff", "a\uf780\uf7ff"),
    "ibm866": (b"\x8f\xe0\xa8", "При"),
    "unicodefffe": (b"\0a\0\xfc", "aü"),
    "ucs-2": (b"a\0\xfc\0", "aü"),
    "unicode20utf8": ("grüß".encode(), "grüß"),
    "hz-gb-2312": (b"~{VPND~} x", "中文 x"),
    "iso-2022-kr": (b"\x1b$)C\x0e\x47\x51\x31\x5b\x0f x", "한글 x"),
    "windows-936": (b"\xc4\xe3", "你"),
    "ms950": (b"\xa4\xa4", "中"),
    "win-1251": (b"\xcf", "П"),
    "cp_1251": (b"\xcf", "П"),
    "8859-2": (b"\xb1", "ą"),
    "iso 8859-15": (b"\xa4", "€"),
    "cp437": (b"\x81", "ü"),
}  # fmt: skip


@pytest.mark.parametrize("label", SAMPLES)
@pytest.mark.parametrize("padding", [0, 100_000])
def test_bytes_are_what_the_standard_says(label: str, padding: int) -> None:
    content, text = SAMPLES[label]
    filler, filled = (b" " * padding, " " * padding)
    if label in ("ucs-2", "unicodefffe"):
        filler = filled.encode("utf-16-le" if label == "ucs-2" else "utf-16-be")
    assert decode(content + filler, label) == text + filled


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"\x1b$B0!-!\x1b(B", "亜①"),
        (b"\x1b$@0!\x1b(J a", "亜 a"),
        (b"\x1b$(D0!\x1b(B", "丂"),
        (b"\x1b$A0!\x1b(B", "啊"),
        (b"\x1b$(C0!\x1b(B", "가"),
        (b"\x1b$B0!\r\n0!", "亜\r\n亜"),
        (b"\x1b$B0", "\ufffd"),
        (b"a\x1b$B\x7f\x7f", "a\x7f\x7f"),
        ("\u65e5".encode(), "\u65e5"),
        (b"\xff\x1b$B0!", "\ufffd亜"),
        (b"", ""),
    ],
)
def test_all_sets_of_iso_2022_jp(content: bytes, text: str) -> None:
    assert decode(content, "iso-2022-jp") == text
    assert decode(content, "ISO-2022-JP-2") == text


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("declared", [None, "us-ascii", "iso-8859-1", "utf-8", "utf-16"])
def test_a_byte_order_mark_says_more_than_a_declaration(order: str, declared: str | None) -> None:
    assert decode("\ufeffgrüß 日".encode(order), declared) == "grüß 日"


def test_what_has_no_decoder_is_read_as_ascii() -> None:
    for label in WITHOUT:
        assert decode(b"plain", label) == "plain"


@pytest.mark.parametrize("label", SAMPLES)
def test_words_parts_and_names_are_decoded_alike(label: str) -> None:
    content, text = SAMPLES[label]
    escaped = "".join(f"={byte:02X}" for byte in content)
    percent = escaped.replace("=", "%")
    name = label.replace(" ", "")
    shown = "".join(text.split("\x80")).translate(dict.fromkeys(range(0x80, 0xA0)))
    assert decode_words(f"=?{name}?Q?{escaped}?=") == shown
    parsed = parse(
        f"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
        f'Content-Type: text/plain; charset="{label}"\r\n'
        f"Content-Transfer-Encoding: quoted-printable\r\n\r\n{escaped}\r\n--b\r\n"
        f"Content-Type: a/b; name*={name}''{percent}\r\n\r\n\r\n--b--\r\n".encode()
    )
    assert parsed.text == text
    assert parsed.attachments[0].file_name == shown.strip()
