"""Mail programs submit what is to be sent: real ones, and such as nobody should let in."""

import base64
import contextlib
import signal
import smtplib
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.program import WITHOUT_DNS, key_of
from tests.end_to_end.command import told
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon, running_daemon

ME = "jeff@mine.example"
OTHER = "ann@mine.example"
PASSWORD = "correct horse"
TO = "bob@elsewhere.example"
MESSAGE = f"From: Jeff <{ME}>\r\nTo: {TO}\r\nSubject: {{0}}\r\n\r\nhello\r\n"
OPTIONS = (
    *WITHOUT_DNS,
    "--set", "submission.tls_port=0", "--set", "submission.starttls=offer",
)  # fmt: skip


def _own(daemon: RunningDaemon) -> None:
    told(daemon.data_dir, "address", "add", "admin", ME)
    told(daemon.data_dir, "address", "add", "admin", OTHER)
    _call(daemon, f"/api/addresses/{ME}", f'{{"password": "{PASSWORD}"}}')


def _call(daemon: RunningDaemon, path: str, body: str, *, method: str = "PUT") -> None:
    url = f"http://127.0.0.1:{daemon.ready.ports['http']}{path}"
    headers = {"Mailsac-Key": key_of(daemon)}
    asked = urllib.request.Request(url, body.encode(), headers, method=method)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        assert answer.status == 200


@pytest.fixture(scope="module")
def daemon(migrated_data: Path) -> Iterator[RunningDaemon]:
    with running_daemon(migrated_data, *OPTIONS) as running:
        _own(running)
        yield running


@pytest.fixture
def client(daemon: RunningDaemon) -> Iterator[smtplib.SMTP]:
    """One that has logged in with a key."""
    with _client(daemon) as client:
        client.login("admin", key_of(daemon))
        yield client


@contextlib.contextmanager
def _client(daemon: RunningDaemon, port: str = "submission") -> Iterator[smtplib.SMTP]:
    client = smtplib.SMTP("127.0.0.1", daemon.ready.ports[port], timeout=30)
    try:
        yield client
    finally:
        client.close()


def _sent(daemon: RunningDaemon, subject: str = "") -> list[Any]:
    """What the account has queued, the newest first."""
    found = daemon.json(f"/api/outgoing-messages?limit=100&_mailsacKey={key_of(daemon)}")
    assert isinstance(found, list)
    return [one for one in found if not subject or one["subject"] == subject]


def test_smtplib_submits(daemon: RunningDaemon, client: smtplib.SMTP) -> None:
    assert client.has_extn("dsn")
    assert client.sendmail(ME, [TO, "carol@elsewhere.example"], MESSAGE.format("smtplib")) == {}
    (sent,) = _sent(daemon, "smtplib")
    assert (sent["from"], sent["origin"]) == (ME, "submission")
    assert [one["address"] for one in sent["recipients"]] == [TO, "carol@elsewhere.example"]


def _arrived(daemon: RunningDaemon, subject: str) -> str:
    """The message that OTHER, which is here, gets: as it was sent, but for our own trace."""
    with_key = f"_mailsacKey={key_of(daemon)}"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = daemon.json(f"/api/addresses/{OTHER}/messages?{with_key}")
        for one in found:
            if one["subject"] == subject:
                raw = daemon.request(f"/api/raw/{OTHER}/{one['_id']}?{with_key}")[2]
                return raw.decode().partition(" with LOCAL\r\n")[2]
        time.sleep(0.1)
    raise AssertionError(f"{subject} did not arrive")


def test_what_a_program_leaves_out_is_added_and_nobody_sees_who_else_gets_it(
    daemon: RunningDaemon, client: smtplib.SMTP
) -> None:
    client.starttls()
    client.login("admin", key_of(daemon))
    content = f"From: {ME}\r\nBcc: hidden@x.example\r\nSubject: bare\r\n\r\n.\r\n..\r\n"
    client.sendmail(ME, [OTHER, "hidden@x.example"], content)
    sent = _arrived(daemon, "bare")
    received = sent.partition("Received: ")[2].partition("\r\nDate: ")[0]
    assert "([127.0.0.1])\r\n\tby " in received
    assert " with ESMTPSA\r\n" in received
    assert "hidden" not in sent
    assert "\r\nMessage-ID: <" in sent
    assert sent.endswith("\r\nSubject: bare\r\n\r\n.\r\n..\r\n")


def test_a_chunked_message_beyond_ascii_goes_on_as_it_came(
    daemon: RunningDaemon, client: smtplib.SMTP
) -> None:
    client.ehlo()
    first = f"From: {ME}\r\nSubject: chunks\r\n\r\nJ".encode()
    second = "örg\r\n".encode()
    client.mail(ME, ["BODY=8BITMIME", "SMTPUTF8"])
    assert client.rcpt("jörg@elsewhere.example")[0] == 250
    client.rcpt(OTHER)
    client.send(b"BDAT %d\r\n%bBDAT %d LAST\r\n%b" % (len(first), first, len(second), second))
    assert [client.getreply()[0] for _ in range(2)] == [250, 250]
    assert _arrived(daemon, "chunks").endswith("\r\n\r\nJörg\r\n")
    assert daemon.rows("select smtputf8 from outgoing_message where subject = 'chunks'") == [
        (True,)
    ]


@pytest.mark.parametrize("end", ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r"])
def test_a_message_that_hides_another_one_arrives_as_one(
    daemon: RunningDaemon, client: smtplib.SMTP, end: str
) -> None:
    subject = f"smuggling {end!r}".replace("\\", "")
    hidden = f"MAIL FROM:<{ME}>\r\nRCPT TO:<{TO}>\r\nDATA\r\nSubject: hidden\r\n\r\n"
    client.mail(ME)
    client.rcpt(OTHER)
    client.docmd("DATA")
    client.send(f"From: {ME}\r\nSubject: {subject}\r\n\r\nabove{end}{hidden}.\r\n".encode())
    assert client.getreply()[0] == 250
    assert client.noop()[0] == 250  # one answer for one message
    content = _arrived(daemon, subject)
    assert "\r\nMAIL FROM:" in content
    assert "\n" not in content.replace("\r\n", "")
    assert "\r" not in content.replace("\r\n", "")
    assert _sent(daemon, "hidden") == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (f"From: {ME}\r\nFrom: {ME}\r\n\r\n", "550 5.6.0 The message has 2 From fields"),
        (f"From: {ME}\r\n\r\n\0", "550 5.6.0 The message has a NUL"),
        ("From: Jeff\r\n\r\n", "550 5.6.0 The message has "),
        ("Received: x\r\n" * 51 + f"From: {ME}\r\n\r\n",
         "554 5.4.6 The message has been through too many hosts"),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_told_in_words(
    client: smtplib.SMTP, content: str, told: str
) -> None:
    with pytest.raises(smtplib.SMTPDataError) as refused:
        client.sendmail(ME, [TO], content)
    said = refused.value.smtp_error
    assert isinstance(said, bytes)
    assert f"{refused.value.smtp_code} {said.decode()}".startswith(told)


def test_a_message_as_large_as_is_offered_is_taken(
    daemon: RunningDaemon, client: smtplib.SMTP
) -> None:
    client.ehlo()
    most = int(client.esmtp_features["size"])
    content = f"From: {ME}\r\nSubject: large\r\n\r\n"
    content += "x" * (most - len(content) - 2) + "\r\n"
    assert client.sendmail(ME, [TO], content) == {}
    with pytest.raises((smtplib.SMTPDataError, smtplib.SMTPSenderRefused)) as refused:
        client.sendmail(ME, [TO], "X: y\r\n" + content)
    assert refused.value.smtp_code == 552


def test_where_a_program_is_can_be_left_out(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(*OPTIONS, "--set", "submission.hide_client=true").start()
    _own(daemon)
    with _client(daemon) as client:
        client.login("admin", key_of(daemon))
        client.sendmail(ME, [OTHER], MESSAGE.format("hidden"))
    sent = _arrived(daemon, "hidden")
    assert "Received: by " in sent
    assert "127.0.0.1" not in sent.partition("Subject: ")[0]
    daemon.stop()


@pytest.mark.parametrize("who", ["admin", ME, OTHER])
def test_a_key_opens_the_port_with_the_account_and_with_its_addresses(
    daemon: RunningDaemon, who: str
) -> None:
    with _client(daemon) as client:
        client.login(who, key_of(daemon))
        assert client.mail(OTHER)[0] == 250


def test_an_address_s_own_password_sends_as_that_address_alone(daemon: RunningDaemon) -> None:
    with _client(daemon) as client:
        client.login(ME, PASSWORD)
        assert client.mail(OTHER)[0] == 550
        assert client.sendmail("Jeff+tag@mine.example", [TO], MESSAGE.format("own")) == {}
        as_other = MESSAGE.format("other").replace(ME, OTHER)
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail(ME, [TO], as_other)
        assert (refused.value.smtp_code, refused.value.smtp_error[:5]) == (550, b"5.7.1")
    assert len(_sent(daemon, "own")) == 1
    assert _sent(daemon, "other") == []


@pytest.mark.parametrize(
    ("sender", "header_from", "code"),
    [
        ("boss@elsewhere.example", ME, 550),
        (ME, "boss@elsewhere.example", 550),
        (ME, f"boss@elsewhere.example, {ME}", 550),
        (ME, f"{ME}\r\nSender: boss@elsewhere.example", 550),
        (ME, f"{ME}\r\nFrom: boss@elsewhere.example", 550),
        ("", "boss@elsewhere.example", 550),
        ("jeff@[127.0.0.1]", ME, 550),
        ("*@mine.example", ME, 550),
    ],
)
def test_nobody_sends_as_somebody_else(
    daemon: RunningDaemon, client: smtplib.SMTP, sender: str, header_from: str, code: int
) -> None:
    content = f"From: {header_from}\r\nSubject: forged\r\n\r\n"
    with pytest.raises((smtplib.SMTPSenderRefused, smtplib.SMTPDataError)) as refused:
        client.sendmail(sender, [TO], content)
    assert refused.value.smtp_code == code
    assert _sent(daemon, "forged") == []


def test_without_credits_nothing_is_sent_and_the_code_is_final(
    daemon: RunningDaemon, client: smtplib.SMTP
) -> None:
    told(daemon.data_dir, "account", "set", "admin", "--limit", "sends=0")
    try:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail(ME, [TO], MESSAGE.format("poor"))
    finally:
        told(daemon.data_dir, "account", "set", "admin", "--limit", "sends=10000")
    assert (refused.value.smtp_code, refused.value.smtp_error[:5]) == (552, b"5.7.1")
    assert _sent(daemon, "poor") == []


@pytest.mark.parametrize("port", ["smtp", "capture", "submission"])
@pytest.mark.parametrize(
    "recipient",
    [
        TO,
        f"@a.example,@b.example:{TO}",
        "bob%elsewhere.example@mine.example",
        '"bob@elsewhere.example"@mine.example',
        "elsewhere.example!bob@mine.example",
        "bob@[192.0.2.1]",
    ],
)
def test_nobody_relays_without_a_login(daemon: RunningDaemon, port: str, recipient: str) -> None:
    before = len(_sent(daemon))
    with _client(daemon, port) as client:
        client.ehlo()
        code, _ = client.docmd("MAIL", f"FROM:<{ME}>")
        assert code == (250 if port == "smtp" else 530)
        client.docmd("RCPT", f"TO:<{recipient}>")
        if client.docmd("DATA")[0] == 354:
            client.send(b"Subject: relayed\r\n\r\n.\r\n")
            client.getreply()
        client.docmd("QUIT")
    assert len(_sent(daemon)) == before


def test_what_is_injected_behind_starttls_is_thrown_away(daemon: RunningDaemon) -> None:
    context = ssl.create_default_context(cafile=str(daemon.data_dir / "tls.crt"))
    login = f"AUTH PLAIN {_plain('admin', key_of(daemon))}\r\n".encode()
    address = ("127.0.0.1", daemon.ready.ports["submission"])
    with socket.create_connection(address, timeout=30) as plain:
        lines = plain.makefile("rb")
        lines.readline()
        plain.sendall(b"EHLO c\r\n")
        while lines.readline()[3:4] == b"-":
            pass
        injected = b"EHLO c\r\n" + login + f"MAIL FROM:<{ME}>\r\nRCPT TO:<{TO}>\r\n".encode()
        plain.sendall(b"STARTTLS\r\n" + injected)
        assert lines.readline().startswith(b"220")
        lines.close()
        with context.wrap_socket(plain, server_hostname="localhost") as wrapped:
            wrapped.sendall(b"MAIL FROM:<>\r\n")
            assert wrapped.recv(100).startswith(b"503 ")


def _plain(name: str, secret: str) -> str:
    return base64.b64encode(f"\0{name}\0{secret}".encode()).decode()


def test_wrong_logins_are_shut_out_as_on_the_capture_port(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(*OPTIONS).start()
    codes: list[int] = []
    wrong = "PLAIN " + _plain("admin", "k_wrong")
    for _ in range(5):
        with _client(daemon) as client, contextlib.suppress(smtplib.SMTPServerDisconnected):
            client.ehlo()
            codes += [client.docmd("AUTH", wrong)[0] for _ in range(3)]
    assert codes.count(535) <= 10
    assert 421 in codes
    assert codes[-1] in {421, 454}
    daemon.stop()


@pytest.mark.parametrize("tls", ["no", "starttls", "at once"])
def test_curl_swaks_and_msmtp_submit(daemon: RunningDaemon, tmp_path: Path, tls: str) -> None:
    port = daemon.ready.ports["submission_tls" if tls == "at once" else "submission"]
    certificate = str(daemon.data_dir / "tls.crt")
    for name, command in _programs(tls, port, certificate, key_of(daemon), tmp_path):
        subject = f"{name}, TLS {tls}"
        done = subprocess.run(
            command,
            input=MESSAGE.format(subject), text=True, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        (sent,) = _sent(daemon, subject)
        assert [one["address"] for one in sent["recipients"]] == [TO]


def _programs(
    tls: str, port: int, certificate: str, key: str, place: Path
) -> Iterator[tuple[str, list[str]]]:
    scheme = "smtps" if tls == "at once" else "smtp"
    yield "curl", [
        "curl", "--silent", "--show-error", "--url", f"{scheme}://localhost:{port}",
        *(["--ssl-reqd"] if tls == "starttls" else []), "--cacert", certificate,
        "--user", f"admin:{key}", "--mail-from", ME, "--mail-rcpt", TO, "--upload-file", "-",
    ]  # fmt: skip
    options = {"no": [], "starttls": ["--tls"], "at once": ["--tls-on-connect"]}[tls]
    yield "swaks", [
        "swaks", "--server", f"localhost:{port}", *options, "--auth", "PLAIN", "--auth-user", ME,
        "--auth-password", PASSWORD, "--from", ME, "--to", TO, "--data", "-", "--silent", "2",
    ]  # fmt: skip
    settings = place / f"msmtp-{scheme}-{tls.replace(' ', '-')}"
    settings.write_text(
        f"account default\nhost localhost\nport {port}\nauth plain\nuser admin\npassword {key}\n"
        f"from {ME}\ntls {'off' if tls == 'no' else 'on'}\n"
        f"tls_starttls {'on' if tls == 'starttls' else 'off'}\ntls_trust_file {certificate}\n"
        "dsn_notify failure,delay\ndsn_return headers\n"
    )
    settings.chmod(0o600)
    yield "msmtp", ["msmtp", f"--file={settings}", "--", TO]


def test_what_was_answered_with_250_is_queued_whatever_happens(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(*OPTIONS).start()
    _own(daemon)
    acknowledged = []
    with _client(daemon) as client:
        client.login("admin", key_of(daemon))
        for number in range(20):
            client.mail(ME)
            client.rcpt(f"{number}@elsewhere.example")
            code, said = client.data(MESSAGE.format(f"number {number}"))
            assert code == 250
            acknowledged.append(said.decode().rpartition(" ")[2])
        daemon.process.send_signal(signal.SIGKILL)
        daemon.process.wait()
    daemon.start()
    assert {one["_id"] for one in _sent(daemon)} >= set(acknowledged)
    daemon.stop()


def test_the_ports_of_capture_and_submission_can_be_exchanged(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(*OPTIONS).start()
    ports = daemon.ready.ports
    first = (ports["capture"], ports["submission"])
    daemon.stop()
    daemon.options = (
        *daemon.options,
        "--set", f"capture.port={first[1]}", "--set", f"submission.port={first[0]}",
    )  # fmt: skip
    daemon.start()
    _own(daemon)
    with _client(daemon, "capture") as client:
        assert client.sock is not None
        assert client.sock.getpeername()[1] == first[1]
        client.login("admin", key_of(daemon))
        client.sendmail("anybody@elsewhere.example", [TO], MESSAGE.format("captured"))
    assert _sent(daemon) == []
    assert [m["subject"] for m in daemon.json(f"/api/addresses/{TO}/messages")] == ["captured"]
    daemon.stop()
