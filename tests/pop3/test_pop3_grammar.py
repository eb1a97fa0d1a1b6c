"""Command lines: what is understood, and what is not."""

from collections.abc import Callable
from typing import Any

import pytest

from mailsacd.pop3 import answer
from mailsacd.pop3.grammar import (
    GrammarError,
    parse_nothing,
    parse_number,
    parse_text,
    parse_top,
    split_line,
)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (b"QUIT", (b"QUIT", b"")),
        (b"retr 1", (b"RETR", b"1")),
        (b"PASS a b ", (b"PASS", b"a b ")),
        (b"", (b"", b"")),
    ],
)
def test_a_line_is_split_at_its_first_space(line: bytes, parts: tuple[bytes, bytes]) -> None:
    assert split_line(line) == parts


@pytest.mark.parametrize(
    ("parse", "argument", "value"),
    [
        (parse_number, b"1", 1),
        (parse_number, b" 007 ", 7),
        (parse_number, b"0" * 38 + b"12", 12),
        (parse_number, b"999999999", 999_999_999),
        (parse_top, b"1 0", (1, 0)),
        (parse_top, b"2  30", (2, 30)),
        (parse_text, b"a b", "a b"),
        (parse_text, " gr\u00fcn ".encode(), " gr\u00fcn "),
        (parse_nothing, b"  ", None),
    ],
)
def test_an_argument_is_read(parse: Callable[[bytes], Any], argument: bytes, value: Any) -> None:
    assert parse(argument) == value


@pytest.mark.parametrize(
    ("parse", "argument", "expected"),
    [
        (parse_number, b"", answer.BAD_NUMBER),
        (parse_number, b"0", answer.BAD_NUMBER),
        (parse_number, b"-1", answer.BAD_NUMBER),
        (parse_number, b"+1", answer.BAD_NUMBER),
        (parse_number, b"1 2", answer.BAD_NUMBER),
        (parse_number, b"1.0", answer.BAD_NUMBER),
        (parse_number, "\u0661".encode(), answer.BAD_NUMBER),
        (parse_number, b"1" * 10, answer.BAD_NUMBER),
        (parse_number, b"0" * 10_000 + b"1", answer.BAD_NUMBER),
        (parse_number, b"0" * 39 + b"12", answer.BAD_NUMBER),
        (parse_top, b"1", answer.BAD_ARGUMENTS),
        (parse_top, b"1 2 3", answer.BAD_ARGUMENTS),
        (parse_top, b"1 -2", answer.BAD_ARGUMENTS),
        (parse_top, b"0 1", answer.BAD_NUMBER),
        (parse_text, b"", answer.BAD_ARGUMENTS),
        (parse_text, b"a\0b", answer.BAD_ARGUMENTS),
        (parse_text, b"\xff", answer.NOT_UTF8),
        (parse_nothing, b"x", answer.BAD_ARGUMENTS),
    ],
)
def test_a_bad_argument_is_refused(
    parse: Callable[[bytes], Any], argument: bytes, expected: bytes
) -> None:
    with pytest.raises(GrammarError) as refused:
        parse(argument)
    assert refused.value.answer == expected
