"""The plug-in in clients/pytest-mailsacd: its sample and its README, as their users run them."""

import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from mailsacd_client import Client
from pytest_mailsacd import Inbox
from tests.documents.blocks import ROOT, blocks_of
from tests.end_to_end.daemon import RunningDaemon

PLUGIN = ROOT / "clients" / "pytest-mailsacd"
SAMPLE = PLUGIN / "sample"
TIMEOUT_S = 120


class _StoresLate(BaseHTTPRequestHandler):
    """Has one message, and stores another of the same millisecond while newer are waited for."""

    stored: tuple[str, ...] = ("a",)

    def do_GET(self) -> None:
        """Answer a wait."""
        is_over = "since=2000" not in self.path
        answer: Any = {"message": "over"}
        if is_over:
            type(self).stored = ("b", "a")
        else:
            answer = [self._message(each) for each in self.stored]
        body = json.dumps(answer).encode()
        self.send_response(408 if is_over else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    @staticmethod
    def _message(id_: str) -> dict[str, Any]:
        place = {"_id": id_, "inbox": "x@y.example", "originalInbox": "x@y.example"}
        return {
            **place,
            "from": [],
            "subject": "",
            "received": "2026-11-30T00:40:12.004Z",
            "size": 1,
        }


def test_what_was_received_in_the_same_millisecond_and_stored_later_is_given() -> None:
    with HTTPServer(("127.0.0.1", 0), _StoresLate) as server:
        serving = Thread(target=server.serve_forever, daemon=True)
        serving.start()
        with Client(f"http://127.0.0.1:{server.server_port}") as client:
            inbox = Inbox(address="x@y.example", client=client)
            assert [inbox.wait_for(timeout=5).id for _ in range(2)] == ["a", "b"]
        server.shutdown()
        serving.join()


def _pytest(workspace: Path, *arguments: str, **variables: str) -> str:
    """Run the plug-in in place; return what it prints."""
    given = {"PYTHONPATH": f"{ROOT / 'clients' / 'python'}:{PLUGIN}", "TMPDIR": str(workspace)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", str(SAMPLE / "pyproject.toml"),
         "-p", "pytest_mailsacd.plugin", "-p", "no:cacheprovider", *arguments],
        env=os.environ | given | variables, cwd=workspace, timeout=TIMEOUT_S, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    return done.stdout


def _readme(workspace: Path) -> str:
    test, fixture = (
        block.text for block in blocks_of(PLUGIN / "README.md") if block.language == "python"
    )
    file = workspace / "test_readme.py"
    file.write_text(f"{test}\n\n{fixture}")
    return str(file)


def test_workers_share_a_daemon_that_ends_with_them(workspace: Path) -> None:
    printed = _pytest(workspace, "-n", "2", str(SAMPLE), _readme(workspace), BESIDE="8")
    assert "14 passed" in printed, printed
    assert list(workspace.glob("pytest-mailsacd*")) == []


def test_a_server_that_is_there_is_used_without_a_key(
    shared_daemon: RunningDaemon, workspace: Path
) -> None:
    ports = shared_daemon.ready.ports
    printed = _pytest(
        workspace, str(SAMPLE), "-k", "explained or robbed",
        "--mailsacd-url", f"http://127.0.0.1:{ports['http']}/",
        BESIDE="2",
        PYTEST_MAILSACD_SMTP=f"127.0.0.1:{ports['smtp']}",
        PYTEST_MAILSACD_DOMAIN="public.example",
    )  # fmt: skip
    assert "3 passed" in printed, printed


@pytest.mark.parametrize("python", ["/usr/bin/false", "/no/such/python"])
def test_a_daemon_that_does_not_start_is_told_of(workspace: Path, python: str) -> None:
    printed = _pytest(workspace, str(SAMPLE), "-k", "explained", "-o", f"mailsacd_python={python}")
    assert f"mailsacd did not start, by {python}" in printed
    assert "1 error" in printed
    assert list(workspace.glob("pytest-mailsacd*")) == []
