"""What nobody waits for any more holds up nobody."""

import json
import socket
import time
import urllib.request

from tests.end_to_end.daemon import MakeDaemon, RunningDaemon

PATIENCE_S = 3.0
"""It takes some hundredths of a second; and some seconds when all that was given up is made."""

_LINE = '<p>Hello <b>you</b>, this is <a href="http://a.example/x">text</a> to be looked at</p>\r\n'
_PAGE = "Subject: page\r\nContent-Type: text/html\r\n\r\n" + _LINE * (2_200_000 // len(_LINE))
_LOGIN = {"name": "ann", "password": "correct horse battery"}


def test_a_hundred_readers_that_hang_up_hold_up_neither_mail_nor_logins(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon("--set", "accounts.sign_up=open").start()
    _post(daemon, "/api/auth/sign-up", {**_LOGIN, "email": "ann@example.net"})
    daemon.send("box@example.com", _PAGE)
    (message,) = daemon.json("/api/addresses/box@example.com/messages")
    for _ in range(120):
        _ask_and_hang_up(daemon, f"/api/body/box@example.com/{message['_id']}")
    began = time.monotonic()
    daemon.send("box@example.com", "Subject: large\r\n\r\n" + "x" * 210_000)
    daemon.send("box@example.com", "Subject: small\r\n\r\n")
    _post(daemon, "/api/auth/login", _LOGIN)
    assert time.monotonic() - began < PATIENCE_S
    assert daemon.request(f"/api/body/box@example.com/{message['_id']}")[0] == 200


def _ask_and_hang_up(daemon: RunningDaemon, path: str) -> None:
    with socket.create_connection(("127.0.0.1", daemon.ready.ports["http"])) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        time.sleep(0.004)


def _post(daemon: RunningDaemon, path: str, fields: dict[str, str]) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{daemon.ready.ports['http']}{path}",
        data=json.dumps(fields).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200
