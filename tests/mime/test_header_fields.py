"""Header sections, unfolding, encoded words."""

import pytest

from mailsacd.mime import header


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b" plain ", "plain"),
        (b" folded\r\n  twice\r\n\there ", "folded twice here"),
        (b"bare\n folding", "bare folding"),
        ("gr\u00fc\u00df".encode(), "gr\u00fc\u00df"),
        (b"gr\xfc\xdf", "gr\u00fc\u00df"),
        (b"=?utf-8?q?gr=C3=BC=C3=9F?=", "gr\u00fc\u00df"),
        (b"=?UTF-8?B?Z3LDvMOf?=", "gr\u00fc\u00df"),
        (b"=?utf-8?b?Z3LDvMOf?= and =?utf-8?q?more_words?=", "gr\u00fc\u00df and more words"),
        (b"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        (b"=?utf-8?q?a?=\r\n =?utf-8?q?b?=", "ab"),
        (b"=?utf-8?q?a?=x=?utf-8?q?b?=", "axb"),
        (b"=?utf-8?q?gr=C3?= =?utf-8?q?=BC=C3=9F?=", "gr\u00fc\u00df"),  # cut in a character
        (b"=?utf-8?b?4oKs?= =?iso-8859-1?q?=FC?=", "\u20ac\u00fc"),
        (b"=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "\u65e5\u672c"),
        (b"=?gb2312?b?xOO6ww==?=", "\u4f60\u597d"),
        (b"=?shift_jis?b?k/qWew==?=", "\u65e5\u672c"),
        (b"=?koi8-r?q?=F0=D2=C9=D7=C5=D4?=", "\u041f\u0440\u0438\u0432\u0435\u0442"),
        (b"=?utf-8*en?q?language?=", "language"),
        (b"=?no-such-charset?q?abc?=", "abc"),
        (b"=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
        (b"=?utf-8?b?A?=", "=?utf-8?b?A?="),
        (b"=?utf-8?q?never closed", "=?utf-8?q?never closed"),
        (b"=?utf-8?b?Z3LDvMOf", "=?utf-8?b?Z3LDvMOf"),
        (b"=?utf-8?q?a=0D=0ABcc:_x?=", "a  Bcc: x"),  # no line end comes out of a word
        # bytes beyond ASCII within a word
        (b"=?iso-8859-1?Q?Gr\xfc=DFe?=", "Grüße"),
        (b"=?iso-8859-1?Q?Gr\xc3\xbc=DFe?=", "Grüße"),
        (b"=?iso-8859-1?Q?Gr\xc3\xbc=C3=9Fe?=", "Grüße"),
        (b"=?utf-8?Q?Gr\xc3\xbc=C3=9Fe?=", "Grüße"),
        (b"=?utf-8?Q?Gr\xc3=BC\xc3\x9fe?=", "Grüße"),
        (b"=?utf-8?Q?Gr\xc3?= =?utf-8?Q?\xbc\xc3=9Fe?=", "Grüße"),
        (b"=?koi8-r?Q?\xf0\xd2=C9\xd7\xc5\xd4?=", "Привет"),
        (b"=?gb2312?Q?\xc4\xe3=BA=C3?=", "你好"),
        (b"=?us-ascii?Q?Gr\xfc\xdfe?= \xfc", "Grüße ü"),
        (b"=?utf-8?B?R3LDvMOfZQ\xff==?=", "Grüße"),
        (b"\xfc =?iso-8859-1?Q?\xdf?=", "ü ß"),
        (b"=?no-such?Q?Gr\xc3\xbc=DFe?=", "Grü\ufffde"),
        # what else is in words that should not be
        (b"=?utf-8?Q?Really??=", "Really?"),
        (b"=?utf-8?Q?Is it? Yes?=", "Is it? Yes"),
        (b"=?utf-8?Q?a b?=", "a b"),
        (b"=?utf-8?Q?a\r\n b?=", "a b"),
        (b"=?utf-8?B?R3LD\r\n vMOfZQ==?=", "Grüße"),
        (b"=?utf-8?B?R3LDvMOfZQ?=", "Grüße"),
        (b"=?utf-8?B?R3LDvMOfZQ===?=", "Grüße"),
        (b"=?utf-8?B?R3LDvMOfZQ==X?=", "Grüße"),
        (b"=?utf-8?B?R3LD vMOf ZQ==?=", "Grüße"),
        (b"=?utf-8?B?R3LD(vMOfZQ?=", "Grüße"),
        (b"=??Q?abc?=", "abc"),
        (b'"=?utf-8?Q?Gr=C3=BC=C3=9Fe?="', '"Grüße"'),
        (b"(=?utf-8?Q?Gr=C3=BC=C3=9Fe?=)", "(Grüße)"),
        (b"a=?utf-8?Q?b?=c", "abc"),
        (b"=?utf-8?q?=E2?==?utf-8?b?gqw=?=", "\u20ac"),
        (b"=?utf-8?Q?a?=\t=?UTF-8?Q?b?=", "ab"),
        (b"=?iso-2022-jp?B?GyRCRnw=?= =?iso-2022-jp?B?S1wbKEI=?=", "日本"),
        (b"a\0b\x07c", "abc"),
        (b"", ""),
    ],
)
def test_a_value_is_decoded(raw: bytes, expected: str) -> None:
    assert header.decode(raw) == expected


@pytest.mark.parametrize(
    ("content", "names", "body"),
    [
        (b"A: 1\r\nB: 2\r\n\r\nbody", [b"A", b"B"], b"body"),
        (b"A: 1\nB: 2\n\nbody", [b"A", b"B"], b"body"),
        (b"A: 1\r\n\tfolded\r\nA: 2\r\n\r\n", [b"A", b"A"], b""),
        (b"A: 1\r\nB:2", [b"A", b"B"], b""),
        (b"A : 1\r\n\r\nx", [b"A"], b"x"),
        (b"From me Thu Jan  1 00:00:00 1970\r\nA: 1\r\n\r\nx", [b"A"], b"x"),
        (b"A: 1\r\nnot a field\r\nTo: 2\r\n\r\nx", [b"A", b"To"], b"x"),
        (b"no header at all\r\nmore\r\n", [], b"no header at all\r\nmore\r\n"),
        (b"\r\nbody", [], b"body"),
        (b"\nbody", [], b"body"),
        (b"", [], b""),
        (b"\0\0\0", [], b"\0\0\0"),
        (b"A: 1\n\nx\r\n\r\ny", [b"A"], b"x\r\n\r\ny"),
    ],
)
def test_a_section_is_cut_into_fields(content: bytes, names: list[bytes], body: bytes) -> None:
    section = header.split(content)
    assert [name for name, _ in section.fields] == names
    assert content[section.body_start :] == body
    assert not section.limited


def test_too_many_fields_are_cut_and_marked() -> None:
    section = header.split(b"X: y\r\n" * (header.MAX_FIELDS + 5) + b"\r\nbody")
    assert section.limited
    assert len(section.fields) == header.MAX_FIELDS


def test_a_huge_field_is_cut_and_marked() -> None:
    section = header.split(b"X: " + b"y" * header.MAX_FIELD_BYTES + b"\r\nA: b\r\n\r\nbody")
    assert section.limited
    assert [len(value) for _, value in section.fields] == [header.MAX_FIELD_BYTES, 3]
