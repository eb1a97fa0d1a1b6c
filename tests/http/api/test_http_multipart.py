"""Forms with files: what browsers and curl send, and what nobody should."""

import time
from base64 import b64decode
from contextlib import suppress
from typing import Any

import pytest

from mailsacd.core.errors import InvalidInputError
from mailsacd.http.api.codec import MAX_FIELDS, Form, read_body

KIND = b'multipart/form-data; boundary="b\'(:)-x"'
DELIMITER = b"--b'(:)-x"
MEGABYTE = 1_048_576


def _part(name: str, content: bytes, more: str = "") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return DELIMITER + b"\r\n" + head.encode() + content + b"\r\n"


def _file(content: bytes, filename: str = "a.bin", kind: str = "") -> bytes:
    told = f"\r\nContent-Type: {kind}" if kind else ""
    return _part("file", content, f'; filename="{filename}"{told}')


def _read(*parts: bytes) -> Form:
    fields = read_body(b"".join(parts) + DELIMITER + b"--\r\n", KIND)
    assert isinstance(fields, Form)
    return fields


def test_texts_are_fields_and_those_that_repeat_are_all_there() -> None:
    fields = _read(_part("a", "ü\r\nx".encode()), _part("b", b""), _part("a", b"2"))
    assert fields == {"a": "2", "b": ""}
    assert fields.all_of("a") == ["ü\r\nx", "2"]
    assert fields.filled_in() == {"a": "2"}
    assert fields.without({"a"}) == {"b": ""}


@pytest.mark.parametrize(
    ("filename", "told"),
    [
        ("a.bin", "a.bin"),
        ("päge.txt", "päge.txt"),
        ("C:\\Users\\me\\a.txt", "a.txt"),
        ("../../etc/passwd", "passwd"),
        ("a%22b.txt", 'a"b.txt'),
    ],
)
def test_a_file_is_what_an_attachment_is(filename: str, told: str) -> None:
    content = bytes(range(256)) + DELIMITER + b"\r\n--"
    file: dict[str, Any] = _read(_file(content, filename, "image/PNG; x=y"))["file"]
    assert b64decode(file.pop("content")) == content
    assert file == {"filename": told, "contentType": "image/png", "encoding": "base64"}


def test_a_file_that_was_not_chosen_is_left_out_and_an_empty_one_is_there() -> None:
    fields = _read(_file(b"", ""), _file(b"", "empty"), _file(b"has no name", ""))
    assert [each["filename"] for each in fields.all_of("file")] == ["empty", ""]


@pytest.mark.parametrize(
    "body",
    [
        DELIMITER,
        _part("a", b"x"),
        _part("a", b"\xff") + DELIMITER + b"--",
        b"x" + DELIMITER + b"--",
        DELIMITER + b"\r\n\r\nx\r\n" + DELIMITER + b"--",
        DELIMITER + b"\nContent-Disposition: form-data; name=a\n\nx\n" + DELIMITER + b"--",
        _part("a", b"x") * (MAX_FIELDS + 1) + DELIMITER + b"--",
        DELIMITER + b"\r\nX: " + b"y" * 10_000 + b"\r\n\r\nx\r\n" + DELIMITER + b"--",
        DELIMITER + b"\r\n" + b"X: y\r\n" * 100 + b"\r\nx\r\n" + DELIMITER + b"--",
    ],
)
def test_what_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInputError):
        read_body(body, KIND)


@pytest.mark.parametrize("boundary", [b"", b"; boundary=", b"; boundary=" + b"x" * 71])
def test_a_boundary_is_needed(boundary: bytes) -> None:
    with pytest.raises(InvalidInputError):
        read_body(b"--x--\r\n", b"multipart/form-data" + boundary)


@pytest.mark.parametrize(
    "body",
    [
        b"\r" * (4 * MEGABYTE),
        b"\r\n--" * MEGABYTE,
        b"\r\n" + DELIMITER[:-1] + b"\r\n" * MEGABYTE,
        _part("a", b"\r\n" * 2 * MEGABYTE) + DELIMITER + b"--",
        DELIMITER + b"\r\n" + b"X: y\r\n " * MEGABYTE,
        DELIMITER + b'\r\nContent-Disposition: form-data; name="' + b'\\"' * MEGABYTE,
        _part("a", b"x" * 15_000) * MAX_FIELDS + DELIMITER + b"--",
    ],
)
def test_hostile_megabytes_take_no_longer_than_others(body: bytes) -> None:
    begun = time.process_time()
    with suppress(InvalidInputError):
        read_body(body, KIND)
    assert time.process_time() - begun < 1
