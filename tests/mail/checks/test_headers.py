"""What is wrong with a header, and with the parts below it."""

from collections.abc import Callable
from datetime import UTC, datetime
from time import process_time

import pytest

from mailsacd.mail.checks.check import Result, Subject
from mailsacd.mail.checks.headers import check_headers

CAME = datetime(2026, 11, 29, 18, 6, tzinfo=UTC)
GOOD = (
    b"From: Shop <shop@example.com>\r\nTo: bob@example.org\r\nSubject: Your order\r\n"
    b"Date: Sun, 29 Nov 2026 18:05:12 +0000\r\nMessage-ID: <1@example.com>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n"
)
MIXED = (
    GOOD.partition(b"Content-Type")[0]
    + b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\n'
    + b"Content-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n--x--\r\n"
)
Change = Callable[[bytes], bytes]


def without(name: bytes) -> Change:
    return lambda content: b"".join(
        line for line in content.splitlines(keepends=True) if not line.startswith(name + b":")
    )


def put(old: bytes, new: bytes) -> Change:
    def change(content: bytes) -> bytes:
        assert old in content
        return content.replace(old, new)

    return change


def first(field: bytes) -> Change:
    return lambda content: field + b"\r\n" + content


def check(content: bytes) -> Result:
    return check_headers(Subject(content, CAME))


@pytest.mark.parametrize("content", [GOOD, MIXED], ids=["text", "mixed"])
def test_a_good_message_has_all_points(content: bytes) -> None:
    result = check(content)
    assert (result.score, result.reasons) == (100, ())
    assert result.data["messageId"] == "1@example.com"
    assert result.data["date"] == "2026-11-29T18:05:12+00:00"


@pytest.mark.parametrize(
    ("change", "score", "word"),
    [
        (without(b"Date"), 80, "no Date"),
        (put(b"Sun, 29 Nov 2026 18:05:12 +0000", b"yesterday"), 80, "The Date is none"),
        (put(b"Sun, 29 Nov 2026 18:05:12 +0000", b"2026-11-29T18:05:12Z"), 90, "the form"),
        (put(b"29 Nov 2026", b"29 Dec 2026"), 85, "later than"),
        (put(b"29 Nov 2026", b"29 Oct 2026"), 95, "earlier than"),
        (without(b"Message-ID"), 85, "no Message-ID"),
        (put(b"<1@example.com>", b"1@example.com"), 90, "<left@right>"),
        (put(b"<1@example.com>", b"<1@[192.0.2.1]>"), 100, ""),
        (without(b"From"), 50, "no From"),
        (put(b"<shop@example.com>", b""), 50, "no mail address in From"),
        (put(b"Shop <shop@example.com>", b"a@example.com, b@example.com"), 80, "no Sender"),
        (first(b"Reply-To: nobody"), 85, "Reply-To"),
        (first(b"From: a@example.com"), 50, "There are 2 fields"),
        (first(b"SUBJECT: Another"), 80, "There are 2 fields"),
        (without(b"To"), 95, "recipient"),
        (without(b"Subject"), 95, "Subject"),
        (put(b"Your order", b" "), 95, "Subject"),
        (put(b"Your order", "Ihre Bestätigung".encode()), 95, "SMTPUTF8"),
        (put(b"Your order", b"Ihre Best\xe4tigung"), 80, "neither ASCII nor UTF-8"),
        (without(b"MIME-Version"), 90, "MIME-Version"),
        (put(b"charset=utf-8", b"charset=klingon"), 85, "charset"),
        (put(b"; charset=utf-8\r\n\r\nHello", "\r\n\r\nHällo".encode()), 75, "its charset"),
        (put(b"\r\n\r\nHello", b"\r\nContent-Transfer-Encoding: x\r\n\r\nHello"), 80, "Encoding"),
        (put(b"\r\n\r\nHello", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n!!"), 85, "base64"),
        (
            put(b"\r\n\r\nHello", b"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=b"),
            90,
            "quoted-printable",
        ),
        (
            put(
                b"\r\n\r\nHello",
                b"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=\r\n=3D",
            ),
            100,
            "",
        ),
        (put(b"Hello", "Hällo".encode()), 90, "beyond ASCII"),
        (put(b"Hello", b"x" * 999), 85, "998 bytes"),
        (put(b"Hello", b"x" * 998), 100, ""),
    ],
)
def test_what_is_wrong_with_it(change: Change, score: int, word: str) -> None:
    result = check(change(GOOD))
    assert result.score == score, result.reasons
    assert word in " ".join(reason.text for reason in result.reasons)


@pytest.mark.parametrize(
    ("change", "score", "word"),
    [
        (put(b'; boundary="x"', b""), 60, "without a boundary"),
        (put(b'boundary="x"', b'boundary="y"'), 60, "nowhere"),
        (put(b"--x--", b""), 80, "no end"),
        (first(b"Content-Transfer-Encoding: base64"), 80, "as a whole"),
    ],
)
def test_what_is_wrong_with_its_parts(change: Change, score: int, word: str) -> None:
    result = check(change(MIXED))
    assert result.score == score, result.reasons
    assert word in " ".join(reason.text for reason in result.reasons)


@pytest.mark.parametrize(
    "body",
    [(b"x" * 998 + b"\r\n") * 5_000, b"= " * 2_500_000, b"=" * 5_000_000, b"=\t" * 2_500_000],
    ids=["lines", "signs", "equals", "tabs"],
)
def test_a_hostile_body_takes_little_time(body: bytes) -> None:
    encoded = put(
        b"\r\n\r\nHello", b"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + body
    )
    before = process_time()
    check(encoded(GOOD))
    assert process_time() - before < 2.0
