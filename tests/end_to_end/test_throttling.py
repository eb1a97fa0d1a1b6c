"""Mail that comes too fast, by real sockets: slowed, sent away, told; others go on as ever."""

import asyncio
import json
import poplib
import smtplib
import time
from contextlib import closing

import pytest
from websockets.asyncio.client import connect

from tests.end_to_end.command import run, told, told_json
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon
from tests.patience import block_until

EVERYBODY = ("--set", "throttle.exempt_networks=[]")


def _connect(daemon: RunningDaemon, source: str) -> smtplib.SMTP:
    return smtplib.SMTP(
        "127.0.0.1", daemon.ready.ports["smtp"], "client.example", 30, source_address=(source, 0)
    )


def _flood(daemon: RunningDaemon, source: str, count: int) -> tuple[int, int]:
    """Messages taken, and the code of the answer that ended it (0: none did), one connection."""
    try:
        client = _connect(daemon, source)
    except smtplib.SMTPConnectError as e:
        return 0, e.smtp_code
    for taken in range(count):
        try:
            client.sendmail(f"a@{source}.example", [f"{taken}@flooded.example"], b"x: y\r\n\r\n")
        except smtplib.SMTPRecipientsRefused as e:
            client.close()
            return taken, next(iter(e.recipients.values()))[0]
        except smtplib.SMTPServerDisconnected:
            return taken, 421
    client.close()
    return count, 0


def test_too_much_is_slowed_then_421_and_the_operator_sees_it(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(
        *EVERYBODY, "--set", "throttle.peer_per_minute=120", "--set", "throttle.slow_s=1",
        "--set", "throttle.recipient_per_minute=0",
    ).start()  # fmt: skip
    begun = time.monotonic()
    taken, code = _flood(daemon, "127.0.0.2", 1_000)
    took_s = time.monotonic() - begun
    assert code == 421
    assert took_s >= 1.0
    assert 121 <= taken <= 120 + 2 * took_s + 1
    data = daemon.data_dir
    block_until(lambda: len(told_json(data, "throttle", "list")) > 0)
    [shown] = told_json(data, "throttle", "list")
    assert shown["who"] == "127.0.0.2"
    assert shown["account"] is None
    assert (shown["slowed"], shown["sentAway"]) >= (1, 1)
    assert "127.0.0.2" in run(data, "throttle", "list", "--hours", "2").stdout
    daemon.stop()


def test_others_are_as_quick_as_ever_while_one_is_throttled(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(
        *EVERYBODY, "--set", "throttle.peer_per_minute=60", "--set", "throttle.slow_s=30"
    ).start()
    slowed = [_connect(daemon, "127.0.0.2") for _ in range(150)]
    for number, client in enumerate(slowed):
        client.ehlo()
        client.send(f"MAIL FROM:<a@b.example>\r\nRCPT TO:<{number}@d.example>\r\n".encode())
    latencies_s = []
    with _connect(daemon, "127.0.9.9") as other:
        for number in range(50):
            begun = time.monotonic()
            other.sendmail("x@y.example", [f"{number}@z.example"], b"x: y\r\n\r\n")
            latencies_s.append(time.monotonic() - begun)
    assert max(latencies_s) < 0.5
    for client in slowed:
        client.close()
    daemon.stop()


def test_a_denied_peer_hears_554_and_a_denied_recipient_too(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon().start()
    data = daemon.data_dir
    denied = told_json(data, "deny", "add", "127.0.0.2", "--for", "1h", "--reason", "flood")
    assert denied["expires"] > denied["created"]
    told_json(data, "deny", "add", "gone@d.example", "--recipient")

    def is_denied() -> bool:
        return _flood(daemon, "127.0.0.2", 1) == (0, 554)

    block_until(is_denied)
    with _connect(daemon, "127.0.0.3") as client:
        refused = client.sendmail("a@b.example", ["gone+x@d.example", "here@d.example"], b"x: y")
        assert {to: code for to, (code, _) in refused.items()} == {"gone+x@d.example": 554}
    assert [d["entry"] for d in told_json(data, "deny", "list")] == ["127.0.0.2", "gone@d.example"]
    assert run(data, "deny", "add", "x.example", "--for", "soon").returncode == 1
    told_json(data, "deny", "remove", "127.0.0.2")
    block_until(lambda: not is_denied())
    assert told_json(data, "deny", "remove", "gone@d.example", "--recipient")["recipient"]
    daemon.stop()


def test_workers_share_what_a_peer_may_send(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(
        *EVERYBODY, "--set", "server.workers=2", "--set", "throttle.peer_per_minute=60",
        "--set", "throttle.slow_s=0",
    ).start()  # fmt: skip
    begun = time.monotonic()
    taken = sum(_flood(daemon, "127.0.0.2", 10)[0] for _ in range(30))
    most = 60 + (time.monotonic() - begun) + 2  # two that write in the same instant lose one
    assert 60 <= taken <= most
    assert _flood(daemon, "127.0.0.2", 1) in {(0, 421), (1, 0)}
    assert _flood(daemon, "127.0.9.9", 10) == (10, 0)
    daemon.stop()


async def _listen(url: str) -> int:
    """The status that the first frame tells."""
    async with connect(url) as socket:
        return int(json.loads(await socket.recv())["status"])


def test_logins_by_pop3_and_websockets_count_as_calls(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(
        *EVERYBODY, "--set", "throttle.calls_per_minute=5", "--set", "pop3.starttls=never",
        "--set", "throttle.account_calls_per_minute=5",
    ).start()  # fmt: skip
    address = "box@paced.example"
    told(daemon.data_dir, "address", "add", "admin", address)
    key = told(daemon.data_dir, "key", "add", "admin", "--name", "pacing")
    ports = daemon.ready.ports

    def log_in() -> None:
        with closing(poplib.POP3("127.0.0.1", ports["pop3"], timeout=30)) as client:
            client.user(address)
            client.pass_(key)

    for _ in range(5):
        log_in()
    with pytest.raises(poplib.error_proto, match=r"SYS/TEMP.*Too much, too fast for 127\.0\.0\.1"):
        log_in()
    url = f"ws://127.0.0.1:{ports['http']}/incoming-messages"
    assert [asyncio.run(_listen(f"{url}?key={key}")) for _ in range(6)] == [200] * 5 + [429]
    assert asyncio.run(_listen(url)) == 429  # as a peer without a key
    daemon.stop()
