"""What callers may write for a parameter, and what becomes of it."""

import pytest

from mailsacd.core.errors import InvalidInputError, NotFoundError
from mailsacd.core.time_text import milliseconds_of
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import (
    DOWNLOAD,
    EMAIL,
    HEADERS_FORMAT,
    LIMIT,
    MESSAGE_ID,
    SINCE,
    SKIP,
)
from mailsacd.http.server.answer import Response


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2018-03-29", 1_522_281_600_000),
        ("2018-03-29T18:28:07.732Z", 1_522_348_087_732),
        ("2018-03-29t18:28:07.732z", 1_522_348_087_732),
        ("2018-03-29T18:28:07.732999999Z", 1_522_348_087_732),
        ("2018-03-29T18:28:07,732Z", 1_522_348_087_732),
        ("2018-03-29T18:28", 1_522_348_080_000),
        ("2018-03-29 18:28", 1_522_348_080_000),
        ("2018-03-29T18:28:07+02:00", 1_522_340_887_000),
        ("2018-03-29T18:28:07 02:00", 1_522_340_887_000),
        ("2018-03-29T18:28:07-0230", 1_522_357_087_000),
        ("1522348087732", 1_522_348_087_732),
        ("0", 0),
        ("-1", -1),
        ("0001-01-01T00:00+14:00", -62_135_647_200_000),
        ("9999-12-31T23:59:59-14:00", 253_402_351_199_000),
    ],
)
def test_a_time_is_understood_as(text: str, expected: int) -> None:
    assert milliseconds_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2018-3-29",
        "2018-13-01",
        "2018-02-30",
        "2018-03-29T25:00",
        "2018-03-29T18:28:07+25:00",
        "2018-W13-4",
        "\uff12\uff10\uff11\uff18-03-29",
        "1e9",
        "9" * 16,
        "2018-03-29\n",
        "\x00",
        "",
    ],
)
def test_a_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is n"):
        milliseconds_of(text)


@pytest.mark.parametrize(
    ("parameter", "text", "expected"),
    [
        (LIMIT, "0", 0),
        (LIMIT, "1000", 1000),
        (LIMIT, "007", 7),
        (SKIP, "1000000", 1_000_000),
        (DOWNLOAD, "1", True),
        (DOWNLOAD, "TRUE", True),
        (DOWNLOAD, "0", False),
        (DOWNLOAD, "", False),
        (HEADERS_FORMAT, "json-ordered", "json-ordered"),
        (MESSAGE_ID, "01m8fvk2qt000k5d8gr1w-99", "01m8fvk2qt000k5d8gr1w-99"),
    ],
)
def test_a_value_is_converted(parameter: object, text: str, expected: object) -> None:
    assert parameter.convert(text) == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        (LIMIT, "1001"),
        (LIMIT, "-1"),
        (LIMIT, "+1"),
        (LIMIT, ""),
        (LIMIT, " 1"),
        (LIMIT, "1.0"),
        (LIMIT, "1_0"),
        (LIMIT, "\uff11"),
        (LIMIT, "9" * 30),
        (SKIP, "1000001"),
        (DOWNLOAD, "maybe"),
        (HEADERS_FORMAT, "JSON"),
        (HEADERS_FORMAT, ""),
    ],
)
def test_a_bad_value_is_refused(parameter: object, text: str) -> None:
    with pytest.raises(ValueError, match=r"^is "):
        parameter.convert(text)  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", ["\x00", "a b", "x" * 65, "'; drop", "é", "../x", "a\n"])
def test_an_id_that_no_message_can_have_is_not_there(text: str) -> None:
    with pytest.raises(NotFoundError):
        MESSAGE_ID.convert(text)


async def _nothing(_call: Call) -> Response:
    return Response()


OPERATION = Operation(
    method="GET",
    path="/api/addresses/{email}/messages",
    id="list",
    tag="",
    summary="",
    handler=_nothing,
    parameters=(EMAIL, SINCE, LIMIT, SKIP),
    answers=(),
)


def test_the_path_in_braces_is_klein_s_rule() -> None:
    assert OPERATION.rule == "/api/addresses/<email>/messages"


def test_what_is_not_given_has_its_default() -> None:
    values = OPERATION.read({"email": "a%40b.c"}, {})
    assert values == {"email": "a@b.c", "since": None, "limit": 20, "skip": 0}


def test_what_is_given_empty_is_not_given() -> None:
    query = {b"limit": [b"3", b""], b"since": [b""], b"skip": [b""]}
    assert OPERATION.read({"email": "a@b.c"}, query) == OPERATION.read({"email": "a@b.c"}, {})


def test_of_a_repeated_parameter_the_last_counts_and_unknown_ones_do_not() -> None:
    query = {b"limit": [b"x", b"3"], b"nonsense": [b"\xff"]}
    assert OPERATION.read({"email": "a@b.c"}, query)["limit"] == 3


@pytest.mark.parametrize(
    ("segment", "email"),
    [
        ("a+b@c.d", "a+b@c.d"),
        ("a%2Bb%40c.d", "a+b@c.d"),
        ("a%2Fb@c.d", "a/b@c.d"),
        ("%C3%BC@c.d", "ü@c.d"),
        ("100%@c.d", "100%@c.d"),
        ("%2540@c.d", "%40@c.d"),
    ],
)
def test_a_path_segment_is_decoded_once(segment: str, email: str) -> None:
    assert OPERATION.read({"email": segment}, {})["email"] == email


def test_every_fault_is_named() -> None:
    query = {b"limit": [b"many"], b"since": [b"\xff"], b"skip": [b"-1"]}
    with pytest.raises(InvalidInputError) as caught:
        OPERATION.read({"email": "%ff@b.c"}, query)
    faults = {fault.field: fault.problem for fault in caught.value.faults}
    assert faults == {
        "email": "is not UTF-8",
        "since": "is not UTF-8",
        "limit": "is not a whole number from 0 to 1000",
        "skip": "is not a whole number from 0 to 1000000",
    }
    assert "limit is not a whole number" in caught.value.public
