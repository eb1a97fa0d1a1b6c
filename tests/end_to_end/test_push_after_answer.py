"""A test that attaches its listener when its mailer says "sent": no frame comes before that."""

import asyncio
import json
import ssl
import time
from collections.abc import Callable
from functools import partial
from smtplib import SMTP

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.end_to_end.command import told
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon

ADDRESS = "me@sent.example"
ROUNDS = 8
PATIENCE_S = 30


def _plain(daemon: RunningDaemon, _key: str) -> SMTP:
    return SMTP("localhost", daemon.ready.ports["smtp"])


def _starttls(daemon: RunningDaemon, key: str) -> SMTP:
    client = _plain(daemon, key)
    trusted = ssl.create_default_context(cafile=str(daemon.data_dir / "tls.crt"))
    client.starttls(context=trusted)
    return client


def _auth(daemon: RunningDaemon, key: str) -> SMTP:
    client = SMTP("localhost", daemon.ready.ports["capture"])
    client.login("admin", key)
    return client


async def _sent_and_come_s(
    socket: ClientConnection, mailer: Callable[[], SMTP]
) -> tuple[float, float]:
    """When the mailer was answered, and when the frame came."""

    def send() -> float:
        with mailer() as client:
            client.sendmail("a@b.example", [ADDRESS], "Subject: hi\r\n\r\n")
            return time.monotonic()

    async def receive() -> float:
        while "email" not in json.loads(await socket.recv()):
            pass
        return time.monotonic()

    both = asyncio.gather(asyncio.to_thread(send), receive())
    sent_s, come_s = await asyncio.wait_for(both, PATIENCE_S)
    return sent_s, come_s


@pytest.mark.parametrize("workers", ["1", "2"])
def test_no_frame_comes_before_the_sender_has_its_answer(
    make_daemon: MakeDaemon, workers: str
) -> None:
    options = ("--set", f"server.workers={workers}", "--set", "smtp.starttls=offer")
    daemon = make_daemon(*options).start()
    told(daemon.data_dir, "address", "add", "admin", ADDRESS)
    told(daemon.data_dir, "address", "set", "admin", ADDRESS, "--enablews")
    key = told(daemon.data_dir, "key", "add", "admin", "--name", "sent")
    port = daemon.ready.ports["http"]
    url = f"ws://127.0.0.1:{port}/incoming-messages?key={key}&addresses={ADDRESS}"

    async def rounds() -> list[tuple[str, float]]:
        async with connect(url) as socket:
            while json.loads(await socket.recv())["msg"] != "Listening":
                pass  # what is sent before that is not waited for
            taken = []
            for way in (_plain, _starttls, _auth):
                for _ in range(ROUNDS):
                    sent_s, come_s = await _sent_and_come_s(socket, partial(way, daemon, key))
                    taken.append((way.__name__, come_s - sent_s))
            return taken

    taken = asyncio.run(rounds())
    assert [each for each in taken if each[1] <= 0] == []
