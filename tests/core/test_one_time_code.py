"""One-time codes in mail."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsacd.core.found_codes import MAX_CODES, found_codes
from mailsacd.core.one_time_code import MAX_CHARS

MAX_CPU_S = 0.1
"""Ten times what any of them takes; what is not linear in the text takes seconds."""


def one_time_codes(subject: str, text: str) -> tuple[str, ...]:
    return tuple(found.code for found in found_codes(subject, {"text": text}))


def mails() -> Iterator[tuple[str, str, list[str]]]:
    """Subject, text and codes of mails as services send them, with codes and without."""
    whole = Path(__file__).with_name("code_mails.txt").read_text(encoding="utf-8")
    for mail in whole.split("\n--------\n"):
        head, _, text = mail.partition("\n\n")
        found = re.fullmatch("codes:(.*)\nsubject: ?(.*)\n?", head)
        assert found is not None, mail
        yield found[2], text, found[1].split()


@pytest.mark.parametrize(("subject", "text", "codes"), list(mails()))
def test_the_codes_of_a_mail(subject: str, text: str, codes: list[str]) -> None:
    assert list(one_time_codes(subject, text)) == codes


def test_there_are_mails_of_both_kinds() -> None:
    with_codes = [bool(codes) for _, _, codes in mails()]
    assert min(with_codes.count(True), with_codes.count(False)) > 60


def test_the_likeliest_comes_first_and_there_are_not_too_many() -> None:
    text = "Backup codes: 11223344, 22334455, 33445566, 44556677. Your login code is 482913."
    found = one_time_codes("482913 is your login code", text)
    assert found[0] == "482913"
    assert len(found) == MAX_CODES


def test_a_code_that_is_told_twice_is_there_once() -> None:
    assert one_time_codes("482913 is your code", "Your code: 482 913\n\n482913") == ("482913",)


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r\n\r\n", "\n \n\t\n"])
def test_lines_end_in_any_way(ends: str) -> None:
    assert one_time_codes("", ends.join(["Your code:", "482913", "Bye"])) == ("482913",)


def test_what_nobody_sees_changes_nothing() -> None:
    assert one_time_codes("", "Your c\u00adode:\u200b 4829\u200b13") == ("482913",)


def test_far_behind_nothing_is_looked_for() -> None:
    assert one_time_codes("", "x " * MAX_CHARS + "Your code is 482913") == ()


PIECES = [
    "1", "12", "1 ", "1-", "1,", "1.", "123456 ", "123456\n", "1234-", "123 456 ", "A", "A1",
    "AB12CD ", "ABC-DEF ", "G-123456 ", "code ", "code: ", "code 123456 ", "order ",
    "order 123456 ", "verify ", "use ", "use 123456 ", "one time ", "mot de passe ", "es ",
    "a", "a@", "a.", "@", "http://", "http://a ", "www.", "+1", "(12) 3", "12 may ", "may 12 ",
    "2024-", "de ", "€1", "1€", "12:3", "Main St 1 A ", "1 Aa Aa ", ", CA 9", ". ",
    "\n", " \n", "\t", " ", "\u200b", "\u0130", "\ufdfa", "\uff11", "12\u00a03",
    "验证码", "验", "。", "コード\uff1a", "인증 ",
]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("before", ["", "code "])
def test_no_text_takes_long(piece: str, before: str) -> None:
    start = time.thread_time()
    one_time_codes(before + piece * 100_000, before + piece * 100_000)
    assert time.thread_time() - start <= MAX_CPU_S


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=30).map("".join))
def test_what_is_found_is_something_to_type(text: str) -> None:
    for code in one_time_codes("Your code", text):
        assert 4 <= len(code) <= 10
        assert code.replace("-", "").isalnum()
        assert code.isupper() or code.isdecimal()
