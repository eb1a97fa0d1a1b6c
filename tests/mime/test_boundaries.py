"""Boundaries that are used again, begin like others, or never close."""

import pytest

from mailsacd.mime.extract import text_of
from mailsacd.mime.parse import parse

T = "Content-Type: text/plain\r\n\r\n"
H = "Content-Type: text/html\r\n\r\n"
FILE = "Content-Type: application/x-thing; name={0}\r\n\r\n{0}"


def multipart(kind: str, boundary: str) -> str:
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'


CASES = {
    "the outer one inside, both closed": (
        multipart("mixed", "b")
        + "--b\r\n" + multipart("alternative", "b")
        + "--b\r\n" + T + "hello\r\n--b--\r\n"
        + "--b\r\n" + FILE.format("one") + "\r\n--b--\r\n",
        "hello", None, ["one"],
    ),
    "the outer one inside, with two forms": (
        multipart("mixed", "b")
        + "--b\r\n" + multipart("alternative", "b")
        + "--b\r\n" + T + "hello\r\n--b\r\n" + H + "<p>rich</p>\r\n--b--\r\n"
        + "--b\r\n" + FILE.format("one") + "\r\n--b\r\n" + FILE.format("two") + "\r\n--b--\r\n",
        "hello", "<p>rich</p>", ["one", "two"],
    ),
    "the outer one inside, closed once": (
        multipart("mixed", "b")
        + "--b\r\n" + multipart("alternative", "b")
        + "--b\r\n" + T + "hello\r\n--b\r\n" + H + "<p>rich</p>\r\n--b--\r\n",
        "hello", "<p>rich</p>", [],
    ),
    "the outer one inside, never closed": (
        multipart("mixed", "b")
        + "--b\r\n" + multipart("alternative", "b")
        + "--b\r\n" + T + "hello\r\n--b\r\n" + H + "<p>rich</p>\r\n",
        "hello", "<p>rich</p>\n", [],
    ),
    "the outer one inside, below a preamble": (
        multipart("mixed", "b")
        + "--b\r\n" + multipart("alternative", "b") + "for old readers\r\n"
        + "--b\r\n" + T + "hello\r\n--b--\r\n"
        + "--b\r\n" + FILE.format("one") + "\r\n--b--\r\n",
        "hello", None, ["one"],
    ),
    "the outer one inside a later part": (
        multipart("mixed", "b")
        + "--b\r\n" + T + "hello\r\n"
        + "--b\r\n" + multipart("mixed", "b")
        + "--b\r\n" + FILE.format("one") + "\r\n--b--\r\n"
        + "--b\r\n" + FILE.format("two") + "\r\n--b--\r\n",
        "hello", None, ["one", "two"],
    ),
    "one of three levels": (
        multipart("mixed", "b")
        + "--b\r\n" + multipart("related", "b")
        + "--b\r\n" + multipart("alternative", "b")
        + "--b\r\n" + T + "hello\r\n--b\r\n" + H + "<p>rich</p>\r\n--b--\r\n"
        + "--b\r\n" + FILE.format("one") + "\r\n--b--\r\n"
        + "--b\r\n" + FILE.format("two") + "\r\n--b--\r\n",
        "hello", "<p>rich</p>", ["one", "two"],
    ),
    "used again by two that are beside each other": (
        multipart("mixed", "a")
        + "--a\r\n" + multipart("alternative", "b") + "--b\r\n" + T + "hello\r\n--b--\r\n"
        + "--a\r\n" + multipart("mixed", "b") + "--b\r\n" + FILE.format("one") + "\r\n--b--\r\n"
        + "--a--\r\n",
        "hello", None, ["one"],
    ),
    "parts after the end": (
        multipart("mixed", "b") + "--b\r\n" + T + "hello\r\n--b--\r\n"
        + "--b\r\n" + FILE.format("one") + "\r\n--b--\r\n",
        "hello", None, ["one"],
    ),
    "words after the end": (
        multipart("mixed", "b") + "--b\r\n" + T + "hello\r\n--b--\r\nan epilogue\r\n",
        "hello", None, [],
    ),
    "the inner one begins like the outer one": (
        multipart("mixed", "b")
        + "--b\r\n" + multipart("alternative", "b-b")
        + "--b-b\r\n" + T + "hello\r\n--b-b--\r\n"
        + "--b\r\n" + FILE.format("one") + "\r\n--b--\r\n",
        "hello", None, ["one"],
    ),
    "the outer one begins like the inner one": (
        multipart("mixed", "b-b")
        + "--b-b\r\n" + multipart("alternative", "b")
        + "--b\r\n" + T + "hello\r\n--b--\r\n"
        + "--b-b\r\n" + FILE.format("one") + "\r\n--b-b--\r\n",
        "hello", None, ["one"],
    ),
    "the inner one is the outer one with hyphens": (
        multipart("mixed", "b")
        + "--b\r\n" + multipart("alternative", "b--")
        + "--b--\r\n" + T + "hello\r\n--b--\r\n" + H + "<p>rich</p>\r\n--b----\r\n"
        + "--b\r\n" + FILE.format("one") + "\r\n--b--\r\n",
        "hello", "<p>rich</p>", ["one"],
    ),
    "the inner one is never closed": (
        multipart("mixed", "b")
        + "--b\r\n" + multipart("alternative", "c")
        + "--c\r\n" + T + "hello\r\n"
        + "--b\r\n" + FILE.format("one") + "\r\n--b--\r\n",
        "hello", None, ["one"],
    ),
    "none is ever closed": (
        multipart("mixed", "b")
        + "--b\r\n" + multipart("alternative", "c") + "--c\r\n" + T + "hello\r\n"
        + "--b\r\n" + FILE.format("one"),
        "hello", None, ["one"],
    ),
    "blanks after them": (
        multipart("mixed", "b") + "--b \t\r\n" + T + "hello\r\n--b \r\n"
        + FILE.format("one") + "\r\n--b-- \r\n",
        "hello", None, ["one"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r\r\n"])
def test_all_parts_are_found(name: str, newline: str) -> None:
    content, text, html, files = CASES[name]
    parsed = parse(content.replace("\r\n", newline).encode())
    assert text_of(parsed) == text
    assert parsed.html == html
    assert [a.content.decode().strip() for a in parsed.attachments] == files


def test_boundaries_used_again_stay_within_bounds() -> None:
    one = b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    parsed = parse(
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + one * 900 + b"--b\r\n\r\nx"
    )
    assert parsed.limited
    assert len(parsed.bodies) <= 1_000
