"""The newcomer's way: send to any address, read it back."""

import email.message
import email.policy
import hashlib
import urllib.parse
from typing import Any

import pytest

from tests.end_to_end.daemon import RunningDaemon

PICTURE = bytes(range(256)) * 8
CHECKSUM = hashlib.md5(PICTURE).hexdigest()


def _message() -> email.message.EmailMessage:
    message = email.message.EmailMessage()
    message["From"] = "Ann Example <Ann@Example.net>"
    message["To"] = "Bob <Bob@example.com>"
    message["Subject"] = "Grüße"
    message.set_content("Hallo,\nsee https://example.org/a?b=1 for more.\n")
    message.add_alternative('<p>Hallo, <a href="https://example.org/c">more</a></p>', "html")
    message.add_attachment(PICTURE, "image", "png", filename="bild.png")
    return message


MESSAGE = _message().as_bytes(policy=email.policy.SMTP)


@pytest.fixture(scope="module")
def stored(shared_daemon: RunningDaemon) -> dict[str, Any]:
    """The message as the list of its inbox shows it."""
    with shared_daemon.smtp() as client:
        client.sendmail("ann@example.net", ["Bob+tag@example.com"], MESSAGE)
    (only,) = shared_daemon.json("/api/addresses/bob@example.com/messages")
    assert isinstance(only, dict)
    return only


def _path(kind: str, stored: dict[str, Any]) -> str:
    return f"/api/{kind}/bob@example.com/{stored['_id']}"


def test_the_list_shows_every_field(stored: dict[str, Any]) -> None:
    facts = {
        name: value for name, value in stored.items() if name not in {"_id", "received", "size"}
    }
    assert facts == {
        "from": [{"address": "ann@example.net", "name": "Ann Example"}],
        "to": [{"address": "bob@example.com", "name": "Bob"}],
        "cc": None,
        "bcc": None,
        "subject": "Grüße",
        "savedBy": None,
        "inbox": "bob@example.com",
        "originalInbox": "bob+tag@example.com",
        "domain": "example.com",
        "attachments": [CHECKSUM],
        "ip": "127.0.0.1",
        "via": "127.0.0.1",
        "folder": "inbox",
        "labels": [],
        "read": None,
        "rtls": False,
        "links": ["https://example.org/a?b=1", "https://example.org/c"],
        "spam": 0,
        "parseLimited": False,
        "auth": None,
    }
    assert stored["_id"].endswith("-0")
    assert stored["received"].endswith("Z")


def test_text_html_and_raw_are_read_back(
    shared_daemon: RunningDaemon, stored: dict[str, Any]
) -> None:
    status, headers, text = shared_daemon.request(_path("text", stored))
    assert (status, text.decode().splitlines()[0]) == (200, "Hallo,")
    assert headers["content-type"] == "text/plain; charset=utf-8"

    _, headers, dirty = shared_daemon.request(_path("dirty", stored))
    assert b'<a href="https://example.org/c">' in dirty
    assert "sandbox" in headers["content-security-policy"]

    _, _, body = shared_daemon.request(_path("body", stored))
    assert b"Hallo" in body
    assert b"https://" not in body

    _, _, raw = shared_daemon.request(_path("raw", stored))
    assert len(raw) == stored["size"]
    assert raw.startswith(b"Return-Path: <ann@example.net>\r\nReceived: from ")
    assert raw.endswith(MESSAGE)


def test_an_attachment_is_downloaded_by_checksum_and_by_name(
    shared_daemon: RunningDaemon, stored: dict[str, Any]
) -> None:
    base = f"/api/addresses/bob@example.com/messages/{stored['_id']}/attachments"
    (listed,) = shared_daemon.json(base)
    assert (listed["checksum"], listed["fileName"], listed["length"]) == (
        CHECKSUM,
        "bild.png",
        len(PICTURE),
    )
    for name in (CHECKSUM, "bild.png"):
        status, headers, content = shared_daemon.request(f"{base}/{name}/download")
        assert (status, content) == (200, PICTURE)
        assert headers["content-type"] == "image/png"
        assert headers["content-disposition"].startswith("attachment")


def test_every_recipient_gets_a_copy_and_one_may_be_deleted(shared_daemon: RunningDaemon) -> None:
    people = [f"copy{n}@example.com" for n in range(3)]
    with shared_daemon.smtp() as client:
        client.sendmail("ann@example.net", people, b"Subject: to three\r\n\r\nhello\r\n")
    ids = [shared_daemon.json(f"/api/addresses/{p}/messages")[0]["_id"] for p in people]
    assert [i.rpartition("-")[2] for i in ids] == ["0", "1", "2"]

    one = urllib.parse.quote(people[1])
    status, _, _ = shared_daemon.request(f"/api/addresses/{one}/messages/{ids[1]}", "DELETE")
    assert status == 200
    counts = [shared_daemon.json(f"/api/addresses/{p}/message-count")["count"] for p in people]
    assert counts == [1, 0, 1]
    assert shared_daemon.request(f"/api/raw/{people[2]}/{ids[2]}")[2].endswith(b"\r\n\r\nhello\r\n")


def test_a_message_over_tls_is_marked(shared_daemon: RunningDaemon) -> None:
    with shared_daemon.smtp() as client:
        client.starttls()
        client.sendmail("a@example.net", ["tls@example.com"], b"Subject: sealed\r\n\r\n")
    (only,) = shared_daemon.json("/api/addresses/tls@example.com/messages")
    assert only["rtls"] is True
    assert b"ESMTPS" in shared_daemon.request(f"/api/raw/tls@example.com/{only['_id']}")[2]


def test_the_operator_sees_that_it_is_well(shared_daemon: RunningDaemon) -> None:
    for path in ("/livez", "/readyz", "/version", "/openapi.json", "/docs/"):
        assert shared_daemon.request(path)[0] == 200, path
