"""Answers that the pages show alone have the fields of those that the server gives."""

import json
import queue
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from websockets.sync.client import connect

from tests.clients.program import WITHOUT_DNS, key_of
from tests.documents.blocks import Block, blocks
from tests.end_to_end.command import told
from tests.end_to_end.daemon import RunningDaemon, running_daemon
from tests.patience import PATIENCE_S

INBOX = "me@example.com"
# With a signature, a code and a link, so that nothing in an answer is empty
SAMPLE = (
    "DKIM-Signature: v=1\r\nSubject: 482913 is your sign-in code\r\n\r\n"
    "Verify my email: https://example.com/verify?token=9a3f0c5b7d1e2a4c\r\n"
)
# An answer by its beginning: the request that it is of
ASKED = {
    '{"_id":"01m7xjdj3t000tcvqbnw3-0","codes"': (
        "GET", "addresses/me@example.com/messages/{id}/codes", None
    ),
    '{"_id":"01m7xjdj3t000tcvqbnw3-0","auth"': (
        "GET", "addresses/me@example.com/messages/{id}/authentication", None
    ),
    '{"_id":"01m7xjdj3t000tcvqbnw3-0","score"': (
        "GET", "addresses/me@example.com/messages/{id}/checks?checks=headers", None
    ),
    '{"_id":"01m7xjdj3t000tcvqbnw3-0","spam"': (
        "GET", "addresses/me@example.com/messages/{id}/spam", None
    ),
    '{"_id":"01m7xjdj3t000tcvqbnw3-0","transcript"': (
        "GET", "addresses/me@example.com/messages/{id}/transcript", None
    ),
    '{"_id":"01m7xjdj3t000tcvqbnw3-0","newer"': (
        "GET", "addresses/me@example.com/messages/{id}/neighbours", None
    ),
    '{"_id":"01m7xjdj3t000tcvqbnw3-0","labels"': (
        "PUT", "addresses/me@example.com/messages/{id}/labels", {"labels": ["a", "b"]}
    ),
    '{"_id":"01m7xjdj3t000tcvqbnw3-0","folder"': (
        "PUT", "addresses/me@example.com/messages/{id}/folder/spam", None
    ),
    '{"_id":"01m7xjdj3t000tcvqbnw3-0","read"': (
        "PUT", "addresses/me@example.com/messages/{id}/read", None
    ),
    '{"_id":"jeff@example.com","owner"': ("GET", "addresses/me@example.com", None),
    '{"_id":"example.com","owner"': ("POST", "domains/new.example", None),
    '{"addresses":["jeff@example.com"]': ("GET", "me/stats", None),
    '{"month":"2026-11"': ("GET", "usage", None),
    '[{"since":"2026-11-29"': ("GET", "usage/inbound/daily", None),
}  # fmt: skip
# Whose blocks are compared at the end of this
BELOW = ("docs/websocket.md", "docs/webhooks.md")


@pytest.fixture(scope="module")
def daemon(migrated_data: Path) -> Iterator[RunningDaemon]:
    allowing = ("--set", "webhook.allowed_networks=127.0.0.0/8")
    with running_daemon(migrated_data, *WITHOUT_DNS, *allowing) as running:
        told(running.data_dir, "address", "add", "admin", INBOX)
        told(running.data_dir, "address", "set", "admin", INBOX, "--enablews", "--transcript")
        for kind, word in (("spam", "pills"), ("ham", "email")):
            samples = migrated_data / f"{kind}.mbox"
            samples.write_text(f"From a@example.net Sun Nov 29 12:00:00 2026\n\n{word}\n\n" * 50)
            told(running.data_dir, "spam", "learn", kind, str(samples))
        running.send(INBOX, SAMPLE)
        yield running


def _fields(value: Any) -> Any:
    """The names in objects, and in the first of each list of them."""
    if isinstance(value, dict):
        return {name: _fields(one) for name, one in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [_fields(value[0])]
    return None


def _shown() -> list[Block]:
    return [block for block in blocks() if block.language in ("json", "http")]


def test_every_answer_is_compared() -> None:
    alone = [block for block in _shown() if block.page not in BELOW]
    assert [next((a for a in ASKED if b.text.startswith(a)), str(b)) for b in alone] == list(ASKED)


@pytest.mark.parametrize("begins", ASKED)
def test_an_answer_has_the_fields_that_are_shown(daemon: RunningDaemon, begins: str) -> None:
    (block,) = (one for one in _shown() if one.text.startswith(begins))
    api = f"http://127.0.0.1:{daemon.ready.ports['http']}/api/"
    headers = {"Mailsac-Key": key_of(daemon)}
    (message,) = requests.get(
        f"{api}addresses/{INBOX}/messages", headers=headers, timeout=30
    ).json()
    method, path, body = ASKED[begins]
    url = api + path.format(id=message["_id"])
    shown, deadline = _fields(json.loads(block.text)), time.monotonic() + PATIENCE_S
    while True:
        answer = requests.request(method, url, headers=headers, json=body, timeout=30)
        assert answer.ok, answer.text
        if (found := _fields(answer.json())) == shown or time.monotonic() > deadline:
            break
        time.sleep(0.1)  # counts are written down now and then
    assert found == shown


def test_the_frames_of_a_websocket(daemon: RunningDaemon) -> None:
    (block,) = (one for one in _shown() if one.page == "docs/websocket.md")
    first, beat, pushed = block.text.splitlines()
    host = f"127.0.0.1:{daemon.ready.ports['http']}"
    url = f"ws://{host}/incoming-messages?key={key_of(daemon)}&addresses={INBOX}"
    with connect(url) as listener:
        assert json.loads(listener.recv()).keys() == json.loads(first).keys()
        daemon.send(INBOX, "Subject: hi\r\n\r\nhello\r\n")
        while "email" not in (frame := json.loads(listener.recv())):
            assert frame == json.loads(beat)
    assert json.loads(beat) == {"status": 200, "msg": "ok"}
    whole = json.loads(pushed.replace(" …,", "").replace(", …", ""))
    assert whole.keys() <= frame.keys()
    assert whole["email"].keys() <= frame["email"].keys()


class _Receiver(BaseHTTPRequestHandler):
    """Keeps what is posted to it: the names of the header fields, and the body."""

    posted: "queue.Queue[tuple[str, list[str], bytes]]" = queue.Queue()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.posted.put((self.path, list(self.headers), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


def test_what_is_posted_to_webhooks(daemon: RunningDaemon) -> None:
    (http,) = (one for one in _shown() if one.language == "http")
    (slack,) = (one for one in _shown() if one.page == http.page and one.language == "json")
    head, _, body = http.text.partition("\n\n")
    receiver = HTTPServer(("127.0.0.1", 0), _Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    at = f"http://127.0.0.1:{receiver.server_port}"
    set_up = ("address", "set", "admin", INBOX)
    told(daemon.data_dir, *set_up, "--webhook", f"{at}/in", "--webhook-slack", f"{at}/slack")
    daemon.send(INBOX, "Subject: hi\r\n\r\nhello\r\n")
    posted: dict[str, bytes] = {}
    for _ in range(2):
        path, names, form = _Receiver.posted.get(timeout=30)
        posted[path] = form
        if path == "/in":
            assert names == [line.partition(":")[0] for line in head.splitlines()[1:]]
    whole = json.loads(body.replace(", …", "}"))
    assert whole.keys() <= json.loads(posted["/in"]).keys()
    assert json.loads(posted["/slack"]).keys() == json.loads(slack.text).keys()
    receiver.shutdown()
    receiver.server_close()
