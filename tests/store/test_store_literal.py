"""Literals written by hand are read by PostgreSQL as what they stand for."""

import random
from datetime import UTC, datetime, timedelta, timezone

import pytest
import pytest_twisted

from mailsacd.store.literal import literal, literals
from mailsacd.store.pool import Database

_MARKS = "'\\\"%$(){};,-/*E\n\r\t& x"
_CHANCE = random.Random(5321)


def odd_text() -> str:
    """Up to 30 characters, half of them of some meaning in SQL, the others of any plane."""
    characters = []
    for _ in range(_CHANCE.randrange(30)):
        point = _CHANCE.choice([_CHANCE.randrange(1, 0xD800), _CHANCE.randrange(0xE000, 0x110000)])
        characters.append(_CHANCE.choice([_CHANCE.choice(_MARKS), chr(point)]))
    return "".join(characters)


@pytest_twisted.ensureDeferred
async def test_any_text_comes_back(database: Database) -> None:
    texts = [odd_text() for _ in range(1_000)]
    ((alone,),) = await database.fetch(f"select array[{literals(texts)}]")
    ((as_list,),) = await database.fetch(f"select {literal(texts)}")
    assert alone == texts
    assert as_list == texts


@pytest_twisted.ensureDeferred
async def test_any_bytes_come_back(database: Database) -> None:
    values = [b"", b"\0", bytes(range(256)), *(_CHANCE.randbytes(n) for n in range(1, 40))]
    for data in values:
        ((back,),) = await database.fetch(f"select {literal(data)}::bytea")
        assert bytes(back) == data


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        (None, "text"),
        (True, "boolean"),
        (False, "boolean"),
        (0, "int"),
        (-(2**62), "bigint"),
        (datetime(2018, 3, 29, 18, 28, 7, 732_000, tzinfo=UTC), "timestamptz"),
        (datetime(2018, 3, 29, 18, tzinfo=timezone(timedelta(hours=-3.5))), "timestamptz"),
        ([1, 2], "int[]"),
        ([], "int[]"),
        ((), "text[]"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_values_of_each_type_come_back(database: Database, value: object, type_: str) -> None:
    expected = list(value) if isinstance(value, tuple) else value
    assert await database.fetch(f"select {literal(value)}::{type_}") == [(expected,)]


@pytest.mark.parametrize("value", [object(), {"a": 1}, {1}, [object()]])
def test_what_has_no_literal_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        literal(value)


def test_a_text_with_nul_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        literal("a\0b")
