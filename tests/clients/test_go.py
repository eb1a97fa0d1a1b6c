"""Go's `smtp.SendMail` and the WebSocket of `golang.org/x/net`, in a program that is built here."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.program import HERE, WITHOUT_DNS, environment, key_of, run
from tests.data_directory import open_directory
from tests.end_to_end.command import told
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon, running_daemon

ADDRESS = "me@go.example"
BUILD_TIMEOUT_S = 240  # of Go's own packages, where none of them was built before


@pytest.fixture(scope="module")
def program() -> Iterator[str]:
    with open_directory() as directory:
        built = str(directory / "client")
        subprocess.run(
            ["go", "build", "-gcflags=all=-N -l", "-o", built, "."],
            cwd=HERE / "go", check=True, timeout=BUILD_TIMEOUT_S,
            env={**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"},
        )  # fmt: skip
        yield built


@pytest.fixture(scope="module")
def daemon(migrated_data: Path) -> Iterator[RunningDaemon]:
    with running_daemon(migrated_data, *WITHOUT_DNS) as running:
        told(running.data_dir, "address", "add", "admin", ADDRESS)
        told(running.data_dir, "address", "set", "admin", ADDRESS, "--enablews")
        yield running


def test_send_mail_works_on_a_fresh_server(program: str, daemon: RunningDaemon) -> None:
    address = f"127.0.0.1:{daemon.ready.ports['smtp']}"
    run([program, "send", address, "a@public.example", "in one call"], environment(daemon))
    address = f"localhost:{daemon.ready.ports['capture']}"
    command = [program, "send-logged-in", address, "a@public.example", "logged in"]
    run(command, environment(daemon))
    found = daemon.json("/api/addresses/a@public.example/messages")
    assert [message["subject"] for message in found] == ["logged in", "in one call"]


def test_send_mail_begins_tls_where_it_is_offered_and_the_certificate_is_trusted(
    program: str, make_daemon: MakeDaemon
) -> None:
    daemon = make_daemon("--set", "smtp.starttls=offer").start()
    address = f"localhost:{daemon.ready.ports['smtp']}"
    run([program, "send", address, "a@public.example", "by TLS"], environment(daemon))
    (message,) = daemon.json("/api/addresses/a@public.example/messages")
    assert (message["subject"], message["rtls"]) == ("by TLS", True)
    daemon.stop()


def test_send_mail_submits(program: str, daemon: RunningDaemon) -> None:
    address = f"localhost:{daemon.ready.ports['submission']}"
    command = [program, "send-logged-in", address, "bob@elsewhere.example", "submitted"]
    run(command, environment(daemon, FROM=ADDRESS))
    (sent,) = daemon.json(f"/api/outgoing-messages?_mailsacKey={key_of(daemon)}")
    assert (sent["subject"], sent["from"], sent["origin"]) == ("submitted", ADDRESS, "submission")


@pytest.mark.parametrize("origin", ["http://{0}/", "http://{0}", "http://localhost/"])
def test_its_websocket_listens_whatever_origin_of_this_machine_it_tells(
    program: str, daemon: RunningDaemon, origin: str
) -> None:
    host = f"127.0.0.1:{daemon.ready.ports['http']}"
    url = f"ws://{host}/incoming-messages?key={key_of(daemon)}&addresses={ADDRESS}"
    command = [program, "listen", url, origin.format(host)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listener:
        assert listener.stdout
        assert listener.stdout.readline() == "listening\n"
        daemon.send(ADDRESS, "Subject: pushed\r\n\r\n")
        assert listener.stdout.read() == "pushed\n"
    assert listener.returncode == 0
