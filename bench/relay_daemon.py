"""The daemon as the programs about sending start it, and its API as they call it."""

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

from bench.daemon import daemon_command
from bench.servers import HOST

HOSTING: Final = "lent.example"
SENDER: Final = f"kill@{HOSTING}"
_PAGE: Final = 100


def relay_command(data_dir: Path, port: int, *settings: str) -> list[str]:
    """The command line of a daemon whose smarthost listens on ``port``, and ``settings``."""
    wanted = (
        f"domains.hosting={HOSTING}",
        f"relay.smarthost={HOST}:{port}",
        "relay.smarthost_tls=never",
        "throttle.enabled=false",
        "plans.default.sends=10000000",
        *settings,
    )
    options = [option for setting in wanted for option in ("--set", setting)]
    return [*daemon_command(data_dir), *options]


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """The REST API of a daemon that listens on ``port``, called with ``key``."""

    port: int
    key: str

    def get(self, path: str) -> Any:
        """The JSON or text at ``path``, below ``/api``."""
        url = f"http://{HOST}:{self.port}/api{path}"
        request = urllib.request.Request(url, headers={"Mailsac-Key": self.key})
        with urllib.request.urlopen(request, timeout=30) as answer:
            body = answer.read()
        return json.loads(body) if answer.headers.get_content_subtype() == "json" else body

    def post(self, connection: HTTPConnection, path: str, fields: Any = None) -> Any:
        """Post ``fields`` over ``connection``. Raises OSError, HTTPException, ValueError."""
        body = json.dumps(fields or {})
        connection.request("POST", f"/api{path}", body, {"Mailsac-Key": self.key})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise ValueError(f"{answer.status} {text[:200]!r}")
        return json.loads(text)

    def reserve(self, address: str) -> None:
        """Reserve an address for the account."""
        with closing(self.connection()) as connection:
            self.post(connection, f"/addresses/{address}")

    def connection(self) -> HTTPConnection:
        """A connection to post over."""
        return HTTPConnection(HOST, self.port, timeout=30)

    def outgoing(self) -> Iterator[dict[str, Any]]:
        """All that the account has sent."""
        skip = 0
        while page := self.get(f"/outgoing-messages?limit={_PAGE}&skip={skip}"):
            yield from page
            skip += _PAGE

    def wait_until_ended(self, patience_s: float) -> bool:
        """Wait until no recipient is open; whether it came to that."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if all(message["ended"] for message in self.outgoing()):
                return True
            time.sleep(1)
        return False


def message(number: int, recipients: list[str]) -> dict[str, Any]:
    """The fields of message ``number``."""
    text = "All that is queued arrives, or its sender hears of it.\n" * 20
    return {"from": SENDER, "to": recipients, "subject": f"message-{number}", "text": text}
