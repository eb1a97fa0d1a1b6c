"""A public WebSocket client, two processes, one of them killed: nothing is missed nor twice."""

import asyncio
import json
import os
import signal
from smtplib import SMTPException
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.end_to_end.command import told
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon
from tests.patience import PATIENCE_S, block_until

ADDRESS = "me@listen.example"
LISTENERS = 12  # over two workers
MESSAGES = 60


class Listener:
    """A program that connects again when it has to, after the last sequence it saw."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._since = ""
        self.got: list[tuple[str, str]] = []
        self.connections = 0

    @property
    def subjects(self) -> set[str]:
        """Of all that it got."""
        return {subject for subject, _ in self.got}

    async def listen(self, ready: asyncio.Semaphore) -> None:
        """Until it has got all, or waits for too long."""
        while len(self.subjects) < MESSAGES:
            try:
                async with connect(f"{self._url}&since={self._since}") as socket:
                    self.connections += 1
                    await self._receive(socket, ready)
            except (ConnectionClosed, OSError):
                await asyncio.sleep(0.05)

    async def _receive(self, socket: ClientConnection, ready: asyncio.Semaphore) -> None:
        while len(self.subjects) < MESSAGES:
            frame: dict[str, Any] = json.loads(await socket.recv())
            assert frame["status"] == 200, frame
            if "email" in frame:
                self.got.append((frame["subject"], frame["_id"]))
            elif frame["msg"] == "Listening":
                ready.release()
            self._since = frame.get("sequence", self._since)


def _key(daemon: RunningDaemon) -> str:
    told(daemon.data_dir, "address", "add", "admin", ADDRESS)
    told(daemon.data_dir, "address", "set", "admin", ADDRESS, "--enablews")
    return told(daemon.data_dir, "key", "add", "admin", "--name", "listening")


async def _exchange(daemon: RunningDaemon, url: str) -> list[Listener]:
    listeners = [Listener(url) for _ in range(LISTENERS)]
    ready = asyncio.Semaphore(0)
    listening = asyncio.gather(*(each.listen(ready) for each in listeners))
    for _ in range(LISTENERS):
        await asyncio.wait_for(ready.acquire(), PATIENCE_S)
    workers = daemon.worker_pids()
    for number in range(MESSAGES):
        mail = f"Subject: {number}\r\n\r\n"
        while True:
            try:
                await asyncio.to_thread(daemon.send, ADDRESS, mail)
            except (OSError, SMTPException):  # it was talking to the worker that died
                continue
            break
        if number == MESSAGES // 2:
            os.kill(workers[0], signal.SIGKILL)
    await asyncio.wait_for(listening, PATIENCE_S)
    return listeners


def test_every_listener_gets_every_message_once_though_a_worker_dies(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon("--set", "server.workers=2").start()
    url = (
        f"ws://127.0.0.1:{daemon.ready.ports['http']}/incoming-messages"
        f"?key={_key(daemon)}&addresses={ADDRESS}"
    )
    listeners = asyncio.run(_exchange(daemon, url))
    expected = {str(number) for number in range(MESSAGES)}
    for each in listeners:
        assert each.subjects == expected
        assert len(set(each.got)) == len(each.got)
    again = sum(each.connections > 1 for each in listeners)
    assert 0 < again < LISTENERS
    block_until(lambda: len(daemon.worker_pids()) == 2)
    daemon.stop()
