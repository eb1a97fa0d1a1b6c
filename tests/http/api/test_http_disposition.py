"""File names from mail, as browsers are told them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsacd.http.api.disposition import (
    MAX_FILE_NAME_CHARACTERS,
    attachment_disposition,
    safe_file_name,
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("report.pdf", 'attachment; filename="report.pdf"'),
        ("two  words.txt", 'attachment; filename="two words.txt"'),
        ("../../etc/passwd", 'attachment; filename="_.._etc_passwd"'),
        ("..\\..\\boot.ini", 'attachment; filename="_.._boot.ini"'),
        ('a"; filename="b.exe', 'attachment; filename="a_; filename=_b.exe"'),
        ("a\r\nSet-Cookie: x=1", 'attachment; filename="aSet-Cookie_ x=1"'),
        ("\u202egpj.exe", 'attachment; filename="gpj.exe"'),
        ("a\u200bb\u2066c.txt", 'attachment; filename="abc.txt"'),
        ("nul\x00.txt", 'attachment; filename="nul.txt"'),
        (".bashrc", 'attachment; filename="bashrc"'),
        ("name.", 'attachment; filename="name"'),
        ("", 'attachment; filename="attachment"'),
        (" . ", 'attachment; filename="attachment"'),
        ("C:\\x.txt", 'attachment; filename="C__x.txt"'),
        (
            "Maß €.pdf",
            "attachment; filename=\"Ma_ _.pdf\"; filename*=UTF-8''Ma%C3%9F%20%E2%82%AC.pdf",
        ),
        ("100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"),
    ],
)
def test_a_file_name_becomes(name: str, value: str) -> None:
    assert attachment_disposition(name) == value.encode()


def test_a_long_name_is_cut_before_its_extension() -> None:
    cut = safe_file_name("x" * 500 + ".tar.gz")
    assert len(cut) == MAX_FILE_NAME_CHARACTERS
    assert cut.endswith("xx.tar.gz"[-3:])


def test_a_long_extension_is_cut_too() -> None:
    assert len(safe_file_name("x." + "y" * 500)) == MAX_FILE_NAME_CHARACTERS


@given(st.text(max_size=300))
def test_no_name_breaks_the_header_or_leaves_the_directory(name: str) -> None:
    value = attachment_disposition(name).decode("ascii")
    assert value.isprintable()
    assert value.startswith('attachment; filename="')
    safe = safe_file_name(name)
    assert safe
    assert len(safe) <= MAX_FILE_NAME_CHARACTERS
    assert not set(safe) & set('/\\"')
    assert not safe.startswith(".")
