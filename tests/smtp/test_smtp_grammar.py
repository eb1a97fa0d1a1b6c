"""Command lines into values."""

import pytest

from mailsacd.smtp.grammar import (
    GrammarError,
    parse_chunk,
    parse_helo,
    parse_mail,
    parse_nothing,
    parse_rcpt,
    parse_size,
    split_line,
)


@pytest.mark.parametrize(
    ("argument", "path"),
    [
        (b"FROM:<a@b.example>", "a@b.example"),
        (b"from:<a@b.example>", "a@b.example"),
        (b"FROM: <a@b.example>", "a@b.example"),
        (b"FROM:<a@b.example>  ", "a@b.example"),
        (b"FROM:a@b.example", "a@b.example"),
        (b"FROM:<>", ""),
        (b'FROM:<"john doe"@b.example>', '"john doe"@b.example'),
        (b'FROM:<"a>b\\"c@d"@b.example>', '"a>b\\"c@d"@b.example'),
        (b"FROM:<@one.example,@two.example:a@b.example>", "a@b.example"),
        (b"FROM:<a@[192.0.2.1]>", "a@[192.0.2.1]"),
        (b"FROM:<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]"),
        (b"FROM:<foo..bar.@docomo.example>", "foo..bar.@docomo.example"),
        ("FROM:<j\u00fcrgen@b\u00fccher.example>".encode(), "j\u00fcrgen@b\u00fccher.example"),
        (b"FROM:<" + b"l" * 64 + b"@" + b"d" * 189 + b">", "l" * 64 + "@" + "d" * 189),
    ],
)
def test_a_reverse_path_is_read(argument: bytes, path: str) -> None:
    assert parse_mail(argument) == (path, {})


@pytest.mark.parametrize(
    "argument",
    [
        b"",
        b"FROM",
        b"FROM:",
        b"TO:<a@b.example>",
        b"FROM:<a@b.example",
        b"FROM:a@b.example>",
        b"FROM:<<a@b.example>>",
        b"FROM:<a@b.example>SIZE=1",
        b"FROM:<root>",
        b"FROM:<@b.example>",
        b"FROM:<a@>",
        b"FROM:<a@b@c.example>",
        b"FROM:<a b@c.example>",
        b"FROM:<a\x00b@c.example>",
        b"FROM:<a\tb@c.example>",
        b'FROM:<"a@b.example>',
        b"FROM:<@one.example:>",
        b"FROM:<a@b.example> SIZE=1 SIZE=1",
        b"FROM:<a@b.example> =1",
        b"FROM:<a@b.example> SIZE=",
        b"FROM:<a@\xff.example>",
        b"FROM:<" + b"l" * 65 + b"@b.example>",
        b"FROM:<l@" + b"d" * 256 + b">",
        b"FROM:<" + b"l" * 64 + b"@" + b"d" * 190 + b">",
    ],
)
def test_what_is_no_reverse_path_is_a_syntax_error(argument: bytes) -> None:
    with pytest.raises(GrammarError) as e:
        parse_mail(argument)
    assert e.value.reply.code == 501


@pytest.mark.parametrize(
    ("argument", "path"),
    [
        (b"TO:<a@b.example>", "a@b.example"),
        (b"To:<Postmaster>", "Postmaster"),
        (b"TO:<a b>", None),
        (b"TO:<>", None),
        (b"FROM:<a@b.example>", None),
        (b"TO:<no-domain>", "no-domain"),
        (b"TO:<@relay.example:a@b.example>", "a@b.example"),
        (b"TO:<" + b"x" * 255 + b">", None),
    ],
)
def test_a_forward_path_is_read_or_refused(argument: bytes, path: str | None) -> None:
    if path is None:
        with pytest.raises(GrammarError) as e:
            parse_rcpt(argument)
        assert e.value.reply.code == 501
    else:
        assert parse_rcpt(argument) == (path, {})


def test_parameters_are_read_with_names_in_upper_case() -> None:
    _, parameters = parse_mail(b"FROM:<a@b.example>  size=10  Body=8bitmime SMTPUTF8 ")
    assert parameters == {b"SIZE": b"10", b"BODY": b"8bitmime", b"SMTPUTF8": None}


@pytest.mark.parametrize("value", [None, b"", b"-1", b"1x", b"9" * 21])
def test_a_size_is_up_to_twenty_digits(value: bytes | None) -> None:
    with pytest.raises(GrammarError):
        parse_size(value)


@pytest.mark.parametrize(
    ("argument", "chunk"),
    [
        (b"10", (10, False)),
        (b"0 LAST", (0, True)),
        (b"7 last ", (7, True)),
        (b"", None),
        (b"-1", None),
        (b"1 FIRST", None),
        (b"1LAST", None),
        (b"9" * 21, None),
    ],
)
def test_a_chunk_is_a_size_and_perhaps_the_last(
    argument: bytes, chunk: tuple[int, bool] | None
) -> None:
    if chunk is None:
        with pytest.raises(GrammarError):
            parse_chunk(argument)
    else:
        assert parse_chunk(argument) == chunk


@pytest.mark.parametrize(
    ("argument", "name"),
    [
        (b"mail.example", "mail.example"),
        (b"[192.0.2.1]", "[192.0.2.1]"),
        (b"my laptop_1 ", "my laptop_1"),
        ("b\u00fccher.example".encode(), "b\u00fccher.example"),
        (b"\xff", "\\xff"),
    ],
)
def test_a_client_may_call_itself_anything_printable(argument: bytes, name: str) -> None:
    assert parse_helo(argument) == name


@pytest.mark.parametrize("argument", [b"", b"  ", b"a\x00b", b"a\x1bb", b"\xc2\x85", b"x" * 256])
def test_a_client_must_call_itself_something(argument: bytes) -> None:
    with pytest.raises(GrammarError):
        parse_helo(argument)


def test_a_verb_is_what_stands_before_the_first_space() -> None:
    assert split_line(b"mail FROM:<> X") == (b"MAIL", b"FROM:<> X")
    assert split_line(b"Quit") == (b"QUIT", b"")
    assert split_line(b"MAIL\tFROM:<>") == (b"MAIL\tFROM:<>", b"")


def test_an_argument_where_none_belongs_is_an_error() -> None:
    parse_nothing(b"  ")
    with pytest.raises(GrammarError):
        parse_nothing(b" x")
