"""POP3 from end to end: a mail program's library, the daemon, its workers, and a restart."""

import json
import poplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.end_to_end.daemon import MakeDaemon, RunningDaemon

BOX = "box@pop.example"
MAIL = "Subject: {}\r\n\r\n.first\r\n..second\r\n{}\r\n"


def _call(daemon: RunningDaemon, method: str, path: str) -> tuple[int, bytes]:
    key = (daemon.data_dir / "admin.key").read_text().strip()
    status, _, body = daemon.request(f"/api{path}?_mailsacKey={key}", method)
    return status, body


@contextmanager
def _logged_in(daemon: RunningDaemon, *, tls: bool = False) -> Iterator[poplib.POP3]:
    context = ssl.create_default_context(cafile=str(daemon.data_dir / "tls.crt"))
    key = (daemon.data_dir / "admin.key").read_text().strip()
    if tls:
        port = daemon.ready.ports["pop3_tls"]
        client: poplib.POP3 = poplib.POP3_SSL("localhost", port, context=context, timeout=30)
    else:
        client = poplib.POP3("localhost", daemon.ready.ports["pop3"], timeout=30)
        client.stls(context)
    client.user(BOX)
    client.pass_(key)
    try:
        yield client
    finally:
        client.close()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_maildrop_is_fetched_and_emptied(make_daemon: MakeDaemon, workers: str) -> None:
    options = ["--set", f"server.workers={workers}", "--set", "pop3.tls_port=0"]
    options += ["--set", "pop3.starttls=offer"]
    daemon = make_daemon(*options).start()
    assert _call(daemon, "POST", f"/addresses/{BOX}")[0] == 200
    for number in range(3):
        daemon.send(BOX, MAIL.format(number, ("x" * 70 + "\r\n") * 2_000))

    for tls in (False, True):
        with _logged_in(daemon, tls=tls) as client:
            ids = [line.split()[1].decode() for line in client.uidl()[1]]
            for number, message_id in enumerate(ids, 1):
                _, lines, octets = client.retr(number)
                raw = _call(daemon, "GET", f"/raw/{BOX}/{message_id}")[1]
                assert b"".join(line + b"\r\n" for line in lines) == raw
                assert octets == len(raw) == int(client.list()[1][number - 1].split()[1])
            client.dele(1)  # and goes away without QUIT

    daemon.stop()
    daemon.start()
    with _logged_in(daemon) as client:
        assert [line.split()[1].decode() for line in client.uidl()[1]] == ids
        client.dele(1)
        client.dele(3)
        client.quit()
    listed = json.loads(_call(daemon, "GET", f"/addresses/{BOX}/messages")[1])
    assert [message["_id"] for message in listed] == [ids[1]]

    settings = json.loads(_call(daemon, "GET", f"/addresses/{BOX}/pop3")[1])
    assert settings["port"] == daemon.ready.ports["pop3"]
    assert settings["tlsPort"] == daemon.ready.ports["pop3_tls"]
    daemon.stop()


def test_guesses_are_slowed_and_shut_out(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon("--set", "pop3.starttls=offer").start()
    assert _call(daemon, "POST", f"/addresses/{BOX}")[0] == 200
    names = (BOX, "nobody@pop.example", "public@anybody.example", "x")
    answers = _try_at_once(daemon, [(name, "wrong") for name in names * 3])
    assert len(set(answers)) == 2
    assert sum(text.startswith(b"-ERR [AUTH] ") for text in answers) == 10
    assert sum(text.startswith(b"-ERR [SYS/TEMP] ") for text in answers) == 2
    key = (daemon.data_dir / "admin.key").read_text().strip()
    (refused,) = _try_at_once(daemon, [(BOX, key)])
    assert refused.startswith(b"-ERR [SYS/TEMP] ")  # the right key is no help now
    daemon.stop()


def _try_at_once(daemon: RunningDaemon, logins: list[tuple[str, str]]) -> list[bytes]:
    """What each login is answered, all of them under way at the same time."""
    address = ("127.0.0.1", daemon.ready.ports["pop3"])
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_connection(address, 30)) for _ in logins]
        for sock, (name, secret) in zip(sockets, logins, strict=True):
            sock.sendall(f"USER {name}\r\nPASS {secret}\r\n".encode())
        files = [stack.enter_context(sock.makefile("rb")) for sock in sockets]
        return [[file.readline() for _ in range(3)][2] for file in files]
