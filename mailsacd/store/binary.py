"""Values as they go to PostgreSQL beside a statement, and as they come back from it.

No value becomes part of a statement's text, so nothing in it can be taken for SQL. PostgreSQL
infers the type of each parameter from where it stands in the statement.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)  # of PostgreSQL's times
_FIRST_DAY: Final = date(2000, 1, 1)
_MICROSECOND: Final = timedelta(microseconds=1)
_BYTEA, _TEXT, _TIMESTAMPTZ = 17, 25, 1184  # oids of types, as PostgreSQL's pg_type.dat has them
_NULL: Final = b"\xff\xff\xff\xff"  # the length of an element that is not there
_INT = struct.Struct("!i")
_BIGINT = struct.Struct("!q")
_ARRAY_HEAD = struct.Struct("!iiIii")  # dimensions, has nulls, element's type, length, first index


def encoded(value: object) -> tuple[bytes | None, bool]:
    """``value`` for a parameter, and whether that is in PostgreSQL's binary format.

    A text, number, boolean or aware time may go to a parameter of any type that can be written so;
    bytes go to ``bytea``. A list, of one kind of these and None, goes to an array: of texts to
    ``text[]`` only, of bytes to ``bytea[]``, of times to ``timestamptz[]``. Raises TypeError for
    anything else, and ValueError for a text with NUL or a lone surrogate.
    """
    if isinstance(value, list | tuple):
        return _array(value)
    if value is None or isinstance(value, bytes):
        return value, True
    return _text(value), False


def _text(value: object) -> bytes:
    if isinstance(value, str):
        if "\0" in value:  # for libpq it would end there
            raise ValueError("a text for PostgreSQL has no NUL")
        return value.encode()
    if isinstance(value, int):  # and true, false
        return str(value).encode()
    if isinstance(value, datetime):
        return value.isoformat().encode()
    raise TypeError(f"no parameter of PostgreSQL for {type(value).__name__}")


def _array(values: Sequence[Any]) -> tuple[bytes, bool]:
    kind = next((type(value) for value in values if value is not None), int)
    if kind is str:  # one with NUL is refused by PostgreSQL
        return _binary_array(_TEXT, [v if v is None else v.encode() for v in values]), True
    if kind is bytes:
        return _binary_array(_BYTEA, values), True
    if kind is datetime:
        return _binary_array(_TIMESTAMPTZ, [v if v is None else _time(v) for v in values]), True
    if kind is int or kind is bool:
        words = ["null" if value is None else str(value) for value in values]
        return f"{{{','.join(words)}}}".encode(), False
    raise TypeError(f"no parameter of PostgreSQL for a list of {kind.__name__}")


def _binary_array(element: int, values: Sequence[bytes | None]) -> bytes:
    """One dimension: a head, then each element after its length."""
    pieces = [_ARRAY_HEAD.pack(1, None in values, element, len(values), 1)]
    for value in values:
        if value is None:
            pieces.append(_NULL)
        else:
            pieces.append(_INT.pack(len(value)))
            pieces.append(value)
    return b"".join(pieces)


def _time(when: datetime) -> bytes:
    return _BIGINT.pack((when - _EPOCH) // _MICROSECOND)


def _texts(value: bytes) -> list[str | None]:
    """A ``text[]`` of one dimension."""
    texts: list[str | None] = []
    place = _ARRAY_HEAD.size
    while place < len(value):
        (length,) = _INT.unpack_from(value, place)
        place += _INT.size
        texts.append(None if length < 0 else value[place : place + length].decode())
        place += max(length, 0)
    return texts


READERS: Final[Mapping[int, Callable[[bytes], Any]]] = {
    16: lambda value: value == b"\1",  # bool
    _BYTEA: bytes,
    20: lambda value: _BIGINT.unpack(value)[0],  # bigint
    23: lambda value: _INT.unpack(value)[0],  # integer
    _TEXT: bytes.decode,
    1009: _texts,  # text[]
    1082: lambda value: _FIRST_DAY + timedelta(days=_INT.unpack(value)[0]),  # date
    _TIMESTAMPTZ: lambda value: _EPOCH + timedelta(microseconds=_BIGINT.unpack(value)[0]),
    2278: lambda _: None,  # void
}
"""What makes a value of the binary form that PostgreSQL gives it, by the oid of its type. Texts are
those of a database in UTF-8; times are aware, in UTC."""
