"""Whole messages: what comes out of samples that were written for this, and which limits cut in."""

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from mailsacd.core.message_form import Mailbox
from mailsacd.mime import addresses, header, structure
from mailsacd.mime.extract import text_of_stored
from mailsacd.mime.parse import parse

SAMPLES = Path(__file__).parent / "samples"
THING = ("application/x-thing", None, None, None, None, b"thing")


class Golden(NamedTuple):
    """What is expected of a sample: subject, texts, and each attachment's facts and bytes."""

    subject: str = "A sample"
    text: str | None = None
    html: str | None = None
    attachments: tuple[tuple[object, ...], ...] = ()


EXPECTED = {
    "everything": Golden(
        text="Gr\u00fc\u00dfe, siehe https://example.com/text.\n",
        html='<p>Gr\u00fc\u00dfe, <a href="https://example.com/html?a=1&amp;b=2">siehe</a>'
        ' <img src="cid:logo@example.com"></p>\n',
        attachments=(
            ("image/png", "logo.png", "inline", "logo@example.com", "base64", b"\x89PNG\r\n\x1a\n"),
            ("application/pdf", "report.pdf", "attachment", None, "base64", b"%PDF-1.4\n"),
            (
                "message/rfc822",
                None,
                None,
                None,
                None,
                b"From: inner@example.com\r\nSubject: inner\r\nContent-Type: multipart/mixed;"
                b' boundary="=_inner_000000"\r\n\r\n--=_inner_000000\r\n\r\ninner text\r\n'
                b"--=_inner_000000--\r\n",
            ),
            ("text/plain", "notes.txt", "attachment", None, None, b"notes"),
        ),
    ),
    "charsets": Golden(
        text="\u4f60\u597d\ngr\u00fc\u00df lies\ngr\u00fc\u00df",
    ),
    "rfc2231": Golden(
        attachments=(
            ("application/octet-stream", "\u00fcber the.bin", None, None, "base64", b"\0\1\2"),
            ("application/octet-stream", "\u00fcber.bin", "attachment", None, "base64", b"\0\1\2"),
        )
    ),
    "bad-base64": Golden(
        text="fine",
        attachments=(("image/gif", None, None, None, "base64", b"hello"),),
    ),
    "quoted-printable": Golden(
        text="Gr\u00fc\u00dfe, a soft break, trailing\nand =XY broken ",
    ),
    "uuencode": Golden(text="begin 644 hello.txt\n%:&5L;&\\\n`\nend\n"),
    "winmail": Golden(
        text="See the attachment.",
        attachments=(
            (
                "application/ms-tnef",
                "winmail.dat",
                "attachment",
                None,
                "base64",
                b"x\x9f>\x22\x00\x01",
            ),
        ),
    ),
    "bare-newlines": Golden(text="one \ntwo", attachments=(THING,)),
    "no-header": Golden(subject="", text="just words\nand more\n"),
    "only-header": Golden(text=""),
    "eight-bit-header": Golden(subject="gr\u00fc\u00df", text="body\n"),
    "nul": Golden(subject="withnul", text="body\n"),
    "never-closed": Golden(text="the end is missing", attachments=(THING,)),
    "no-delimiter": Golden(text="There is no part here, only this.\n"),
    "no-boundary": Golden(text="There is no boundary here, only this.\n"),
    "prefix-boundaries": Golden(text="text", html="<p>html</p>", attachments=(THING,)),
    "digest": Golden(
        attachments=(
            ("message/rfc822", None, None, None, None, b"From: one@example.com\r\n\r\none"),
            ("message/rfc822", None, None, None, None, b"From: two@example.com\r\n\r\ntwo"),
        )
    ),
    "groups": Golden(subject="Gr\u00fc\u00dfe again", text="text\n"),
    "html-only": Golden(
        html='<html><body><p>Hello <a href="https://example.com/">there</a></p></body></html>\n'
    ),
    "pdf-alone": Golden(
        attachments=(("application/pdf", "alone.pdf", None, None, "base64", b"%PDF-1.4\n"),)
    ),
    "bounce": Golden(
        subject="Undelivered",
        text="It could not be delivered.",
        attachments=(
            (
                "message/delivery-status",
                None,
                None,
                None,
                None,
                b"Reporting-MTA: dns; mx.example.com",
            ),
            ("text/rfc822-headers", None, None, None, None, b"Subject: hi"),
        ),
    ),
}


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.eml").read_bytes()


def test_no_sample_is_forgotten() -> None:
    assert {path.stem for path in SAMPLES.glob("*.eml")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_is_understood(name: str) -> None:
    parsed = parse(sample(name))
    assert not parsed.limited
    found = tuple(
        (a.content_type, a.file_name, a.disposition, a.content_id, a.transfer_encoding, a.content)
        for a in parsed.attachments
    )
    assert Golden(parsed.subject, parsed.text, parsed.html, found) == EXPECTED[name]


def test_the_usual_fields() -> None:
    parsed = parse(sample("everything"))
    assert parsed.sender == (Mailbox("ann@example.com", "Ann"),)
    assert parsed.to == (Mailbox("ben@example.com", "Ben"),)
    assert parsed.cc is None
    assert parsed.bcc is None
    assert parsed.message_id == "sample@example.com"
    assert parsed.date == datetime(2024, 3, 5, 9, 20, 30, tzinfo=UTC)
    assert parsed.priority == "normal"
    assert parsed.attachments[1].checksum == "6446a98080f5e51ab7f0abc0e8eda635"
    assert [name for name, _ in parsed.headers] == [
        "From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type",
    ]  # fmt: skip


def test_odd_address_fields() -> None:
    parsed = parse(sample("groups"))
    assert parsed.sender == (Mailbox("joerg@example.com", "J\u00f6rg"),)
    assert parsed.to == ()
    assert parsed.cc == (
        Mailbox("ann@example.com", "Doe, Ann"),
        Mailbox("ben@example.com", ""),
        Mailbox("", "Carl"),
    )
    assert parsed.bcc == ()
    assert parsed.priority == "high"


def test_a_sender_without_address_counts_as_none() -> None:
    assert parse(sample("bounce")).sender == ()


def test_repeated_address_fields_are_put_together_and_the_first_subject_counts() -> None:
    parsed = parse(b"To: a@b.c\r\nTo: d@e.f\r\nSubject: one\r\nSubject: two\r\n\r\n")
    assert parsed.to == (Mailbox("a@b.c", ""), Mailbox("d@e.f", ""))
    assert parsed.subject == "one"


@pytest.mark.parametrize("cut", ["Ann <a@b.c", '"Ann" <a@b.c', "Ann <a@b.c (", 'a@b.c, "Ann'])
def test_what_an_address_field_leaves_open_ends_with_it(cut: str) -> None:
    parsed = parse(f"To: {cut}\r\nTo: d@e.f, Ben <g@e.f>\r\n\r\n".encode())
    assert parsed.to is not None
    assert [mailbox.address for mailbox in parsed.to if mailbox.address] == [
        "a@b.c",
        "d@e.f",
        "g@e.f",
    ]


def test_repeated_address_fields_are_bounded_together() -> None:
    field = b"To: " + b"a@b.c," * addresses.MAX_MAILBOXES + b"\r\n"
    parsed = parse(field + field + b"\r\n")
    assert parsed.to is not None
    assert len(parsed.to) == addresses.MAX_MAILBOXES
    assert parsed.limited


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<a@b.c>", "a@b.c"),
        ("a@b.c", "a@b.c"),
        ("(comment) <a@b.c> words", "a@b.c"),
        ("<a@b.c", "a@b.c"),
        ("a@b.c>", "a@b.c"),
        ("<>", None),
        ("<", None),
        ("", None),
    ],
)
def test_a_message_id_has_no_angle_brackets(value: str, expected: str | None) -> None:
    assert parse(f"Message-ID: {value}\r\n\r\n".encode()).message_id == expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("X-Priority: 1", "high"),
        ("X-Priority: 2 (High)", "high"),
        ("X-Priority: 3", "normal"),
        ("X-Priority: 5", "low"),
        ("Importance: HIGH", "high"),
        ("X-MSMail-Priority: Low", "low"),
        ("Priority: urgent", "high"),
        ("Priority: non-urgent", "low"),
        ("X-Priority: rubbish", "normal"),
    ],
)
def test_priority(field: str, expected: str) -> None:
    assert parse(f"{field}\r\n\r\n".encode()).priority == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Tue, 5 Mar 2024 10:20:30 +0100", datetime(2024, 3, 5, 9, 20, 30, tzinfo=UTC)),
        ("5 Mar 2024 10:20 -0000", datetime(2024, 3, 5, 10, 20, tzinfo=UTC)),
        ("yesterday", None),
        ("Tue, 99 Mar 2024 10:20:30 +0100", None),
        ("Tue, 5 Mar 2024 10:20:30 +9999", None),
        ("9" * 500, None),
        ("Mon, 01 Jan 0001 00:00:00 +0000", datetime(1, 1, 1, tzinfo=UTC)),
        ("Mon, 01 Jan 0001 00:00:00 +0100", datetime(1, 1, 1, tzinfo=UTC)),
        ("Mon, 01 Jan 0001 00:00:00 -0100", datetime(1, 1, 1, 1, tzinfo=UTC)),
        ("Fri, 31 Dec 9999 23:59:59 -0100", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("Fri, 31 Dec 9999 23:59:60 +0000", datetime(9999, 12, 31, tzinfo=UTC)),
        ("Mon, 01 Jan 0000 00:00:00 +0000", None),
        ("Sat, 31 Dec 2016 23:59:60 +0000", datetime(2017, 1, 1, tzinfo=UTC)),
        ("Sat, 31 Dec 2016 23:59:61 +0000", None),
        ("Tue, 5 Mar 2024 24:00:00 +0000", datetime(2024, 3, 6, tzinfo=UTC)),
        ("Tue, 5 Mar 2024 25:00:00 +0000", None),
        ("Tue, 30 Feb 2024 10:20:30 +0000", None),
        ("Tue, 5 Mar 24 10:20:30 +0100", datetime(2024, 3, 5, 9, 20, 30, tzinfo=UTC)),
        ("Tue, 5 Mar 98 10:20:30 GMT", datetime(1998, 3, 5, 10, 20, 30, tzinfo=UTC)),
        ("Tue, 5 Mar 124 10:20:30 GMT", datetime(2024, 3, 5, 10, 20, 30, tzinfo=UTC)),
        ("(a) Tue(b), 5 (c) Mar 2024 10:20 (d) +0100", datetime(2024, 3, 5, 9, 20, tzinfo=UTC)),
        ("Tue, 5 Mar 2024 10:20:30 GMT+0100", datetime(2024, 3, 5, 9, 20, 30, tzinfo=UTC)),
        ("Tuesday , 5 Mar 2024 10:20:30 +0100", datetime(2024, 3, 5, 9, 20, 30, tzinfo=UTC)),
        ("T,ue, 5 Mar 2024 10:20:30 +0100", datetime(2024, 3, 5, 9, 20, 30, tzinfo=UTC)),
        (", 5 Mar 2024 10:20:30 +0100", datetime(2024, 3, 5, 9, 20, 30, tzinfo=UTC)),
        ("Tue,5 Mar 2024 10:20:30 +0100", datetime(2024, 3, 5, 9, 20, 30, tzinfo=UTC)),
        ("Tue Mar  5 10:20:30 2024", datetime(2024, 3, 5, 10, 20, 30, tzinfo=UTC)),
        ("2024-03-05T10:20:30+01:00", datetime(2024, 3, 5, 9, 20, 30, tzinfo=UTC)),
        ("2024-03-05 10:20:30", datetime(2024, 3, 5, 10, 20, 30, tzinfo=UTC)),
        ("", None),
    ],
)
def test_dates_are_understood_or_none(value: str, expected: datetime | None) -> None:
    assert parse(f"Date: {value}\r\n\r\n".encode()).date == expected


@pytest.mark.parametrize(
    ("content_fields", "is_body"),
    [
        ("Content-Type: text/plain", True),
        ("Content-Type: text", True),  # RFC 2045 section 5.2
        ("Content-Type: text/plain\r\nContent-Disposition: inline", True),
        ("Content-Type: text/plain\r\nContent-Disposition: attachment", False),
        ("Content-Type: text/plain; name=a.txt", True),
        ("Content-Type: text/plain\r\nContent-Disposition: inline; filename=a.txt", True),
        ("Content-Type: text/plain; name=a.txt\r\nContent-Disposition: attachment", False),
        ("Content-Type: text/calendar", False),
        ("Content-Type: image/png\r\nContent-ID: <x>", False),
        ("X-Nothing: said", True),
    ],
)
def test_which_parts_are_attachments(content_fields: str, is_body: bool) -> None:
    parsed = parse(
        b"Content-Type: multipart/mixed; boundary=some-boundary\r\n\r\n--some-boundary\r\n"
        + content_fields.encode()
        + b"\r\n\r\npart\r\n--some-boundary--\r\n"
    )
    assert (parsed.text == "part", len(parsed.attachments)) == (is_body, 0 if is_body else 1)


@pytest.mark.parametrize(
    ("types", "texts"),
    [
        (["text/plain; name=0", "image/png"], "0"),
        (["text/html; name=0", "text/plain; name=1"], "0"),
        (["text/plain; name=0", "text/plain; name=1"], "0"),
        (["text/plain; name=0", "text/plain"], "1"),
        (["text/plain; name=0", "text/html"], "1"),
        (["text/plain", "text/plain; name=1"], "0"),
        (["image/png", "text/plain; name=1"], ""),
    ],
)
def test_a_text_with_a_name_is_the_body_if_it_comes_first_and_no_other_is(
    types: list[str], texts: str
) -> None:
    parts = "".join(f"\r\n--b\r\nContent-Type: {t}\r\n\r\n{i}" for i, t in enumerate(types))
    raw = f"Content-Type: multipart/mixed; boundary=b\r\n\r\n{parts}\r\n--b--\r\n".encode()
    parsed = parse(raw)
    assert (parsed.text or "") + (parsed.html or "") == texts
    attached = [a.content.decode() for a in parsed.attachments]
    assert attached == [str(i) for i in range(len(types)) if str(i) not in texts]
    assert text_of_stored(raw).strip() == texts


@pytest.mark.parametrize(
    ("content_type", "divided"),
    [
        ('multipart/mixed; boundary="b"', True),
        ('multipart/mixed;boundary="b" \t', True),
        ('multipart/mixed;\r\n\tboundary="b"', True),
        ('multipart/mixed;\r\nboundary="b"', False),  # no continuation
        ('Multipart/Mixed; Boundary="b"', True),
        ("multipart/mixed; boundary=b", True),
        ('multipart/mixed; charset=utf-8; boundary="b"', True),
        ('multipart/mixed; boundary="b" c', True),
        ('multipart/mixed; boundary="=?utf-8?q?b?="', True),
        ('multipart/mixed; boundary=""', False),
        ('multipart/>mixed; boundary="b"', True),
        ('multipart/; boundary="b"', True),
        ('multipart; boundary="b"', False),
        ('text/plain; boundary="b"', False),
    ],
)
def test_how_a_multipart_says_its_boundary(content_type: str, divided: bool) -> None:
    part = f"Content-Type: {content_type}\r\n\r\n--b\r\n\r\none\r\n--b--\r\n".encode()
    outer = b"Content-Type: multipart/mixed; boundary=outer\r\n\r\n--outer\r\n%b\r\n--outer--"
    for content in (part, outer % part):
        assert (parse(content).text == "one") is divided


def _nested(depth: int) -> bytes:
    return b"".join(
        b"Content-Type: multipart/mixed; boundary=level-%d-\r\n\r\n--level-%d-\r\n" % (i, i)
        for i in range(depth)
    )


BOMBS = {
    "parts nested beyond any native stack": _nested(40_000) + b"\r\nleaf",
    "parts nested around much": _nested(250) + b"\r\n--level-" * 200_000,
    "messages nested in messages": b"Content-Type: message/rfc822\r\n\r\n" * 75_000,
    "parts without number": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + b"--b\r\n\r\n\r\n" * 250_000,
    "near delimiters": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--bX\r\n" * 400_000,
    "fields without number": b"X: y\r\n" * 400_000 + b"\r\n",
    "one huge field": b"Subject: " + b"a" * 2_500_000,
    "one much folded field": b"Subject: a\r\n" + b" a\r\n" * 600_000,
    "encoded words": b"Subject: " + b"=?utf-8?q?=C3=A9?= " * 130_000,
    "beginnings of encoded words in a part": b"Content-Type: multipart/mixed;"
    b" boundary=some-boundary\r\n\r\n--some-boundary\r\nX: " + b"=?" * 1_200_000,
    "commas": b"To: " + b"," * 2_500_000,
    "comments": b"To: " + b"(" * 2_500_000,
    "quotes": b"To: " + b'"\\' * 1_250_000,
    "addresses": (b"To: " + b"a@b," * 16_000 + b"\r\n") * 38,
    "parameters": b"Content-Type: text/plain" + b"; a*1=b" * 350_000,
    "base64 padding": b"Content-Transfer-Encoding: base64\r\n\r\n" + b"AA=A=" * 500_000,
    "tags in tags": b"Content-Type: text/html\r\n\r\n" + b"<div><b>" * 300_000,
}
LIMITED = set(BOMBS) - {
    "messages nested in messages", "base64 padding",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_parsed_within_bounds(name: str) -> None:
    parsed = parse(BOMBS[name])
    assert len(parsed.fields) <= header.MAX_FIELDS
    assert len(parsed.attachments) <= structure.MAX_PARTS
    assert all(len(value) <= header.MAX_FIELD_BYTES for _, value in parsed.headers)
    assert parsed.limited is (name in LIMITED)
