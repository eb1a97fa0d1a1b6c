"""A daemon that is told to stop answers what it was asked, and waits for nobody else."""

import http.client
import signal
import socket

from tests.end_to_end.daemon import MakeDaemon

BODY = b'{"emails": ["somebody@localhost"]}'
HEAD = (
    b"POST /api/validations/addresses HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
)


def test_a_request_is_answered_though_the_daemon_stops(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon().start()
    port = daemon.ready.ports["http"]
    idle = http.client.HTTPConnection("127.0.0.1", port)
    idle.request("GET", "/version")
    idle.getresponse().read()
    listener = http.client.HTTPConnection("127.0.0.1", port)
    listener.request("GET", "/api/addresses/any@example.org/events")
    events = listener.getresponse()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as asking:
        asking.sendall(HEAD)
        assert asking.recv(1_000).startswith(b"HTTP/1.1 100 ")
        daemon.process.send_signal(signal.SIGTERM)
        assert idle.sock is not None
        assert idle.sock.recv(1) == b"", "nothing was asked here: it is closed at once"
        asking.sendall(BODY)
        answer = b"".join(iter(lambda: asking.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nConnection: close\r\n" in answer
    idle.close()
    assert events.read().endswith(b'data: {"message":"The server is stopping"}\n\n')
    events.close()
    listener.close()
    assert daemon.process.wait(30) == -signal.SIGTERM
