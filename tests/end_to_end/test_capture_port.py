"""A program under test mails through the capture port, with the usual clients' usual settings."""

import smtplib
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.daemon import RunningDaemon, running_daemon

MESSAGE = "From: shop@app.example\r\nSubject: {0}\r\n\r\nYour order\r\n"


@pytest.fixture(scope="module")
def daemon(migrated_data: Path) -> Iterator[RunningDaemon]:
    """One that takes nothing by its receiving port."""
    options = (
        "--set", "capture.tls_port=0", "--set", "capture.starttls=offer",
        "--set", "message.accepted_domains=none.example",
    )  # fmt: skip
    with running_daemon(migrated_data, *options) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def key(daemon: RunningDaemon) -> str:
    return (daemon.data_dir / "admin.key").read_text().strip()


def _subjects(daemon: RunningDaemon, inbox: str) -> list[Any]:
    return [found["subject"] for found in daemon.json(f"/api/addresses/{inbox}/messages")]


def test_smtplib_mails_to_whom_it_likes(daemon: RunningDaemon, key: str) -> None:
    with smtplib.SMTP("127.0.0.1", daemon.ready.ports["capture"]) as client:
        client.login("admin", key)
        recipients = [f"user{n}@customer{n}.example" for n in range(5)]
        assert client.sendmail("shop@app.example", recipients, MESSAGE.format("smtplib")) == {}
    for recipient in recipients:
        assert _subjects(daemon, recipient) == ["smtplib"]
    with daemon.smtp() as client, pytest.raises(smtplib.SMTPRecipientsRefused):
        client.sendmail("shop@app.example", recipients, MESSAGE.format("refused"))


@pytest.mark.parametrize(
    ("scheme", "port", "options"),
    [
        ("smtp", "capture", ["--login-options", "AUTH=PLAIN"]),
        ("smtp", "capture", ["--login-options", "AUTH=LOGIN"]),
        ("smtp", "capture", ["--login-options", "AUTH=PLAIN", "--sasl-ir"]),
        ("smtp", "capture", ["--login-options", "AUTH=LOGIN", "--sasl-ir"]),
        ("smtp", "capture", ["--ssl-reqd", "--insecure"]),
        ("smtps", "capture_tls", ["--insecure"]),
    ],
)
def test_curl_mails_by_every_way(
    daemon: RunningDaemon, key: str, tmp_path: Path, scheme: str, port: str, options: list[str]
) -> None:
    content = tmp_path / "message"
    content.write_text(MESSAGE.format("curl"))
    inbox = f"{tmp_path.name}@customer.example".replace("_", "-").lower()
    command = [
        "curl", "--silent", "--show-error", "--max-time", "20", *options,
        "--url", f"{scheme}://127.0.0.1:{daemon.ready.ports[port]}", "--user", f"admin:{key}",
        "--mail-from", "shop@app.example", "--mail-rcpt", inbox, "--upload-file", str(content),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    assert _subjects(daemon, inbox) == ["curl"]


def test_a_wrong_key_is_refused_and_nothing_goes_without_one(
    daemon: RunningDaemon, key: str
) -> None:
    with smtplib.SMTP("127.0.0.1", daemon.ready.ports["capture"]) as client:
        client.ehlo()
        client.user, client.password = "admin", key[:-1]  # as no key is
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            client.auth("PLAIN", client.auth_plain)
        assert refused.value.smtp_code == 535
        with pytest.raises(smtplib.SMTPSenderRefused) as unasked:
            client.sendmail("shop@app.example", ["x@customer.example"], MESSAGE.format("no"))
        assert unasked.value.smtp_code == 530


def test_what_an_account_captures_privately_it_alone_sees(daemon: RunningDaemon, key: str) -> None:
    with_key = f"/api/addresses/secret@customer.example/messages?_mailsacKey={key}"
    for wanted in ("true", "false"):
        _put(daemon, key, "/api/me", f'{{"capturePrivate": {wanted}}}')
        with smtplib.SMTP("127.0.0.1", daemon.ready.ports["capture"]) as client:
            client.login("admin", key)
            client.sendmail("shop@app.example", ["secret@customer.example"], MESSAGE.format(wanted))
    assert _subjects(daemon, "secret@customer.example") == ["false"]
    found = daemon.json(with_key)
    assert [(m["subject"], m["savedBy"]) for m in found] == [("false", None), ("true", "admin")]


def test_an_address_with_its_own_password_captures_and_forwards(
    daemon: RunningDaemon, key: str
) -> None:
    for inbox in ("first@own.example", "last@own.example"):
        _put(daemon, key, f"/api/addresses/{inbox}", "", method="POST")
    settings = '{"password": "correct horse", "forward": "last@own.example"}'
    _put(daemon, key, "/api/addresses/first@own.example", settings)
    with smtplib.SMTP("127.0.0.1", daemon.ready.ports["capture"]) as client:
        client.login("first@own.example", "correct horse")
        client.sendmail("shop@app.example", ["First+tag@own.example"], MESSAGE.format("moved"))
    (moved,) = daemon.json(f"/api/addresses/last@own.example/messages?_mailsacKey={key}")
    assert (moved["inbox"], moved["originalInbox"]) == (
        "last@own.example",
        "first+tag@own.example",
    )
    assert daemon.json(f"/api/addresses/first@own.example/messages?_mailsacKey={key}") == []
    happened = daemon.json(f"/api/activity?_mailsacKey={key}")
    assert {"captured", "received", "forwarded"} <= {event["kind"] for event in happened}


def _put(daemon: RunningDaemon, key: str, path: str, body: str, *, method: str = "PUT") -> None:
    url = f"http://127.0.0.1:{daemon.ready.ports['http']}{path}"
    asked = urllib.request.Request(url, body.encode(), {"Mailsac-Key": key}, method=method)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        assert answer.status == 200
