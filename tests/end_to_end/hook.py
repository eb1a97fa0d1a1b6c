"""A receiver of webhooks, and the calls of their owner."""

import json
import socketserver
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.end_to_end.daemon import RunningDaemon

ALLOWED = ("--set", 'webhook.allowed_networks=["127.0.0.0/8"]')
"""Options of a daemon that may post to a receiver here."""


class Hook(socketserver.ThreadingTCPServer):
    """A receiver; what it ``got`` are the ids of the events, as they came, and texts for Slack."""

    allow_reuse_address = True
    request_queue_size = 128
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[str] = []
        self.slack: list[str] = []
        self.answers = threading.Event()
        self.answers.set()

    @property
    def url(self) -> str:
        """Return where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}/hook"


class _Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/slack":
            self.server.slack.append(body["text"])
        else:
            assert body["raw"]
            self.server.got.append(self.headers["webhook-id"])
        if self.server.answers.is_set():
            self.send_response(204)
            self.end_headers()
        else:
            self.server.answers.wait(30)

    def log_message(self, *args: Any) -> None:
        """Nothing."""


@contextmanager
def listening_hook() -> Iterator[Hook]:
    """A receiver that listens."""
    with Hook() as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield made
        made.answers.set()
        made.shutdown()


def call(daemon: RunningDaemon, method: str, path: str, body: Any = None) -> Any:
    """Return the JSON of a call by the account whose key is in the data directory."""
    key = (daemon.data_dir / "admin.key").read_text().strip()
    request = urllib.request.Request(
        f"http://127.0.0.1:{daemon.ready.ports['http']}{path}",
        method=method,
        headers={"Mailsac-Key": key},
        data=None if body is None else json.dumps(body).encode(),
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def states(daemon: RunningDaemon) -> list[str]:
    """Return the states of its deliveries."""
    found = call(daemon, "GET", "/api/webhooks/deliveries?limit=1000")
    return [delivery["state"] for delivery in found]


def delivered(daemon: RunningDaemon) -> list[str]:
    """Return the ids of what was delivered."""
    found = call(daemon, "GET", "/api/webhooks/deliveries?state=delivered&limit=1000")
    return [delivery["_id"] for delivery in found]
