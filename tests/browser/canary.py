"""A server on the loopback that mail points at, and that nobody should ever hear of."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from typing import Any, Final

from tests.web.mails import png

_PIXEL: Final = png(1, 1)


class Canary:
    """``heard`` are the paths that were asked for, ``told`` what came with each as headers.

    ``connections`` counts those that were opened, whether anything was asked for or not. ``pages``
    are HTML by their paths.
    """

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.told: list[dict[str, str]] = []
        self.connections = 0
        self.port = 0
        self.pages: dict[str, str] = {}

    @property
    def url(self) -> str:
        """By a name that no cookie of the daemon's is for."""
        return f"http://localhost:{self.port}"

    @property
    def names(self) -> set[str]:
        """The first segments of what was asked for."""
        return {path.lstrip("/").partition("/")[0].partition("?")[0] for path in self.heard}

    def forget(self) -> None:
        """Begin anew."""
        self.heard.clear()
        self.told.clear()
        self.connections = 0


@contextmanager
def listening_canary() -> Iterator[Canary]:
    """A canary that answers everything with a picture of one pixel."""
    canary = Canary()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            canary.heard.append(self.path)
            canary.told.append({name.lower(): value for name, value in self.headers.items()})
            page = canary.pages.get(self.path)
            body = _PIXEL if page is None else page.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html" if page else "image/png")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_HEAD = do_OPTIONS = do_GET  # noqa: N815  the names of the library

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def get_request(self) -> tuple[socket, Any]:
            canary.connections += 1
            return super().get_request()

    with Server(("127.0.0.1", 0), Handler) as server:
        canary.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield canary
        server.shutdown()
        thread.join()
