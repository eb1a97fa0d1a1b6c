"""Bodies that come in, errors that go out, and where a key is found."""

import json
from typing import Any

import pytest
from twisted.logger import LogEvent

from mailsacd.core.errors import (
    BadAddressError,
    ConflictError,
    Fault,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    OverloadedError,
    StatementError,
    StorageFullError,
    ThrottledError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
)
from mailsacd.http.api.codec import MAX_FIELDS, error_response, read_body
from mailsacd.http.api.credentials import presented_key
from mailsacd.http.server.answer import text_bytes

FORM = b"application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "content_type", "fields"),
    [
        (b"", None, {}),
        (b"", b"application/json", {}),
        (b" \r\n", b"application/json", {}),
        (b"{}", None, {}),
        (b'{"a": [1, null]}', b"application/json; charset=utf-8", {"a": [1, None]}),
        (b'{"enablews": true}', FORM, {"enablews": True}),
        (b' \n{"a": 1}', b"text/plain", {"a": 1}),
        (b"a=1&b=%C3%BC+x&a=2", FORM, {"a": "2", "b": "ü x"}),
        (b"a=", FORM + b"; charset=utf-8", {"a": ""}),
        (b"a=1", None, {"a": "1"}),
    ],
)
def test_a_body_is_read(body: bytes, content_type: bytes | None, fields: dict[str, Any]) -> None:
    assert read_body(body, content_type) == fields


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", FORM),
        (b"{'a': 1}", None),
        (b'{"a": "\xff"}', b"application/json"),
        (b'{"a":' * 5_000, b"application/json"),
        (b"[1]", b"application/json"),
        (b"null", b"application/merge-patch+json"),
        (b"a=%ff", FORM),
        (b"a=\xff", FORM),
        (b"&".join(b"a=1" for _ in range(MAX_FIELDS + 1)), FORM),
        (b"<a/>", b"application/xml"),
        (b"--x\r\n", b"multipart/form-data; boundary=x"),
    ],
)
def test_a_bad_body_is_refused(body: bytes, content_type: bytes | None) -> None:
    with pytest.raises(InvalidInputError):
        read_body(body, content_type)


@pytest.mark.parametrize(
    ("error", "status", "header"),
    [
        (InvalidInputError("no"), 400, None),
        (BadAddressError("no"), 400, None),
        (UnauthenticatedError("no"), 401, b"WWW-Authenticate"),
        (ForbiddenError("no"), 403, None),
        (NotFoundError("no"), 404, None),
        (ConflictError("no"), 409, None),
        (TooLargeError("no"), 413, None),
        (ThrottledError("no", retry_after_s=7), 429, b"Retry-After"),
        (UnavailableError("no"), 503, b"Retry-After"),
        (StorageFullError("no"), 503, b"Retry-After"),
        (OverloadedError("no"), 503, b"Retry-After"),
    ],
)
def test_an_error_becomes_a_status(error: Exception, status: int, header: bytes | None) -> None:
    response = error_response(error, "aCall")
    assert response.status == status
    assert json.loads(response.body)["message"] == "no"
    assert [name for name, _ in response.headers] == ([header] if header else [])


def test_who_comes_when_too_much_waits_is_told_when_to_come_again() -> None:
    response = error_response(OverloadedError("no", retry_after_s=7), "aCall")
    assert response.headers == ((b"Retry-After", b"7"),)


def test_each_fault_is_shown() -> None:
    error = InvalidInputError("bad", (Fault(field="limit", problem="is too large"),))
    assert json.loads(error_response(error, "aCall").body) == {
        "message": "bad",
        "error": "Bad Request",
        "validationErrors": ["limit is too large"],
        "faults": [{"field": "limit", "message": "is too large"}],
    }


@pytest.mark.parametrize("error", [ValueError("secret"), StatementError("secret")])
def test_a_defect_shows_an_incident_and_logs_its_cause(
    error: Exception, logged_errors: list[LogEvent]
) -> None:
    try:
        raise error  # noqa: TRY301  so that it has a traceback, as in life
    except Exception as e:  # noqa: BLE001  whatever it is
        response = error_response(e, "aCall")
    assert response.status == 500
    assert b"secret" not in response.body
    (event,) = logged_errors
    logged_errors.clear()
    assert event["incident"].encode() in response.body
    assert event["log_failure"].value is error


def test_a_lone_surrogate_does_not_stop_an_answer() -> None:
    assert text_bytes("a\ud800b") == b"a?b"


@pytest.mark.parametrize(
    ("header", "query", "body", "key"),
    [
        (None, {}, {}, None),
        (b"h", {b"_mailsacKey": [b"q"]}, {"_mailsacKey": "b"}, "h"),
        (None, {b"_mailsacKey": [b"p", b"q"]}, {"_mailsacKey": "b"}, "q"),
        (None, {}, {"_mailsacKey": "b"}, "b"),
        (b"", {b"_mailsacKey": [b""]}, {"_mailsacKey": None}, None),
        (b"\xff", {}, {}, "\ufffd"),
    ],
)
def test_a_key_is_found(
    header: bytes | None, query: dict[bytes, list[bytes]], body: dict[str, Any], key: str | None
) -> None:
    assert presented_key(header, query, body) == key


@pytest.mark.parametrize("value", [1, True, ["k"], {"k": 1}, "k" * 201])
def test_what_cannot_be_a_key_is_refused(value: object) -> None:
    with pytest.raises(UnauthenticatedError):
        presented_key(None, {}, {"_mailsacKey": value})
