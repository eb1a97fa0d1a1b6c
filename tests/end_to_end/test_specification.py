"""The specification is true: schemathesis makes requests from it, good and bad, and holds every
answer against it. Nothing may answer 500, an undeclared status, or another shape than declared.
"""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from tests.end_to_end.command import told_json
from tests.end_to_end.daemon import RunningDaemon

SCHEMATHESIS = str(Path(sys.executable).parent / "schemathesis")
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)
ENDLESS = "/events$"  # answers without an end: tests/http/test_http_events.py
LATE = f"/wait$|{ENDLESS}"  # or half a minute later
TIMEOUT_S = 600
PASSWORD = "correct horse battery"

INBOX = "box@spec.example"
ATTACHED = (
    "From: Ann <ann@example.net>\r\nTo: Bob <box@spec.example>\r\nSubject: hi\r\n"
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/html\r\n\r\n<a href='https://example.org'>x</a>\r\n"
    "--b\r\nContent-Type: text/plain; name=a.txt\r\nContent-Disposition: attachment\r\n\r\nhi\r\n"
    "--b--\r\n"
)


class Subject:
    """A daemon with a message, and somebody signed in."""

    def __init__(self, daemon: RunningDaemon) -> None:
        self.base = f"http://127.0.0.1:{daemon.ready.ports['http']}"
        self.directory = daemon.data_dir.parent
        self.key = (daemon.data_dir / "admin.key").read_text().strip()
        daemon.send(INBOX, ATTACHED)
        self.message = daemon.json(f"/api/addresses/{INBOX}/messages")[0]
        self.cookie = self._signed_in(daemon)

    def _signed_in(self, daemon: RunningDaemon) -> str:
        reset = told_json(daemon.data_dir, "account", "reset-link", "admin")
        token = reset["link"].rpartition("=")[2]
        self._post("/api/auth/reset", {"token": token, "password": PASSWORD})
        answered = self._post("/api/auth/login", {"name": "admin", "password": PASSWORD})
        return answered.partition(";")[0]

    def _post(self, path: str, body: dict[str, str]) -> str:
        request = urllib.request.Request(
            self.base + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return str(answer.headers["Set-Cookie"])

    def values(self) -> Path:
        """Parameters with which calls find something."""
        [md5] = self.message["attachments"]
        chosen = {
            "email": INBOX,
            "messageId": self.message["_id"],
            "attachmentIdentifier": md5,
            "md5": md5,
            "domain": "spec.example",
            "folder": "spam",
            "readBoolean": "true",
            "timeout": 0,
        }
        file = self.directory / "values.toml"
        lines = [f"{name} = {json.dumps(value)}" for name, value in chosen.items()]
        file.write_text("[parameters]\n" + "\n".join(lines) + "\n")
        return file

    def run(self, name: str, *options: str, config: Path | None = None) -> str:
        """What schemathesis found; empty when all is well."""
        given = ["--config-file", str(config)] if config else []
        done = subprocess.run(
            [SCHEMATHESIS, "--no-color", *given, "run", f"{self.base}/openapi.json",
             "--checks", CHECKS, "--seed", "1", "--continue-on-failure", "--warnings", "off",
             "--suppress-health-check", "all", "--generation-database", "none", *options],
            check=False, capture_output=True, text=True, timeout=TIMEOUT_S, cwd=self.directory,
        )  # fmt: skip
        return "" if done.returncode == 0 else f"{name}: {done.stdout}{done.stderr}"


@pytest.fixture(scope="module")
def tested(shared_daemon: RunningDaemon) -> Subject:
    return Subject(shared_daemon)


def test_the_specification_is_valid(shared_daemon: RunningDaemon) -> None:
    document = shared_daemon.json("/openapi.json")
    validate(document)
    assert "101" in document["paths"]["/incoming-messages"]["get"]["responses"]


def test_calls_without_a_key(tested: Subject) -> None:
    phases = ("--phases", "examples,coverage,fuzzing", "--max-examples", "2")
    assert not tested.run("no key", *phases, "--exclude-path-regex", LATE)


def test_calls_with_a_key(tested: Subject) -> None:
    # Wrong passwords shut a peer out, and with it what is tested here
    phases = ("--phases", "examples,coverage,fuzzing", "--max-examples", "2")
    header = ("-H", f"Mailsac-Key: {tested.key}")
    assert not tested.run("key", *header, *phases, "--exclude-path-regex", f"^/api/auth/|{LATE}")


def test_calls_that_find_something(tested: Subject) -> None:
    header = ("-H", f"Mailsac-Key: {tested.key}")
    assert not tested.run(
        "values", *header, "--phases", "fuzzing", "--mode", "positive", "--max-examples", "2",
        "--exclude-path-regex", f"^/api/(auth/|logout)|delete-all|{ENDLESS}",
        "--exclude-method", "DELETE",
        config=tested.values(),
    )  # fmt: skip


def test_calls_of_somebody_who_has_signed_in(tested: Subject) -> None:
    assert not tested.run(
        "session", "-H", f"Cookie: {tested.cookie}", "--phases", "coverage,fuzzing",
        "--max-examples", "2", "--include-path-regex", "^/api/(me|credentials|activity|domains)",
        "--exclude-method", "DELETE",
    )  # fmt: skip
