"""Values go to PostgreSQL and come back as what they are, whatever they look like."""

import random
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
import pytest_twisted

from mailsacd.core.errors import StatementError
from mailsacd.store.binary import encoded
from mailsacd.store.pool import Database
from mailsacd.store.sql import column, one

_MARKS = "'\\\"%$(){};,-/*E\n\r\t& x"
_CHANCE = random.Random(5321)

_text: one[str] = one(column, "select %(value)s::text")
_bytes: one[bytes] = one(column, "select %(value)s::bytea")
_texts: one[list[str]] = one(column, "select %(value)s::text[]")


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
    assert await _texts(database, value=texts) == texts
    for text in texts[:100]:
        assert await _text(database, value=text) == text


@pytest.mark.parametrize(
    "value",
    [b"", b"\0", b"'\\", bytes(range(256)), _CHANCE.randbytes(70_000), bytes(20_000_000)],
    ids=len,
)
@pytest_twisted.ensureDeferred
async def test_any_bytes_come_back(database: Database, value: bytes) -> None:
    assert await _bytes(database, value=value) == value


@pytest_twisted.ensureDeferred
async def test_many_bytes_go_at_once_and_stay_in_order(database: Database) -> None:
    digests: one[list[str]] = one(
        column,
        """select array_agg(md5(body) order by place)
           from unnest(%(values)s::bytea[]) with ordinality as t (body, place)""",
    )
    digest: one[str] = one(column, "select md5(%(value)s::bytea)")
    values = [_CHANCE.randbytes(_CHANCE.randrange(5_000)) for _ in range(200)]
    expected = [await digest(database, value=value) for value in values]
    assert await digests(database, values=values) == expected


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        (None, "text"),
        (None, "bytea"),
        ("", "text"),
        ("\U0001f4e7 ä", "text"),
        (True, "boolean"),
        (False, "boolean"),
        (0, "int"),
        (2**31 - 1, "int"),
        (-(2**63), "bigint"),
        (datetime(2018, 3, 29, 18, 28, 7, 732_001, tzinfo=UTC), "timestamptz"),
        (datetime(1969, 3, 29, 18, tzinfo=timezone(timedelta(hours=-3.5))), "timestamptz"),
        (datetime(2000, 1, 1, tzinfo=UTC), "timestamptz"),
        ([], "text[]"),
        ((), "text[]"),
        ([None, None], "text[]"),
        (["a", "", "ä", None, "null", "{}"], "text[]"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_values_of_each_type_come_back(database: Database, value: object, type_: str) -> None:
    expected = list(value) if isinstance(value, tuple) else value
    echo: one[object] = one(column, f"select %(value)s::{type_}")
    assert await echo(database, value=value) == expected


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ([1, None, -(2**31)], "int[]"),
        ([2**62], "bigint[]"),
        ([True, False, None], "boolean[]"),
        ([datetime(2018, 3, 29, 18, 28, 7, 1, tzinfo=UTC), None], "timestamptz[]"),
        ([b"", b"\0\xff", None], "bytea[]"),
        ([], "bytea[]"),
        ([None], "int[]"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_arrays_of_each_type_arrive(
    database: Database, values: list[object], type_: str
) -> None:
    one_of: one[object] = one(column, f"select (%(values)s::{type_})[%(place)s::int]")
    length: one[int] = one(column, f"select cardinality(%(values)s::{type_})")
    assert await length(database, values=values) == len(values)
    for place, value in enumerate(values, 1):
        assert await one_of(database, values=values, place=place) == value


@pytest_twisted.ensureDeferred
async def test_days_come_back(database: Database) -> None:
    day: one[date] = one(column, "select %(value)s::date")
    assert await day(database, value="1999-12-31") == date(1999, 12, 31)


@pytest.mark.parametrize("value", [object(), {"a": 1}, {1}, [object()], 1.5, [1.5]])
def test_what_has_no_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        encoded(value)


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
@pytest_twisted.ensureDeferred
async def test_a_text_that_postgresql_cannot_hold_is_refused(database: Database, text: str) -> None:
    with pytest.raises(StatementError):
        await _text(database, value=text)
    with pytest.raises(StatementError):
        await _texts(database, value=["before", text])
    assert await _texts(database, value=["after"]) == ["after"]
