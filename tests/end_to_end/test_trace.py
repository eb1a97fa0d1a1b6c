"""An operator follows the mail for one recipient, from the connection to the push."""

import json
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.command import MAILSACD, run, told
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon

FOLLOWED = "followed@x.example"


@contextmanager
def following(data: Path, address: str, *options: str) -> Iterator[list[dict[str, Any]]]:
    """What `mailsacd trace` prints, once it has ended."""
    words = ["trace", address, "--data-dir", str(data), "--json", *options]
    process = subprocess.Popen(
        [MAILSACD, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    steps: list[dict[str, Any]] = []
    assert process.stderr
    assert process.stderr.readline() == f"following {address}\n"
    time.sleep(0.5)  # until the daemon has heard of it
    yield steps
    printed, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    steps += map(json.loads, printed.splitlines())


def waits_for_mail(daemon: RunningDaemon, address: str) -> Any:
    """Somebody who listens by server-sent events."""
    port = daemon.ready.ports["http"]
    url = f"http://127.0.0.1:{port}/api/addresses/{address}/events"
    return urllib.request.urlopen(url, timeout=30)


def test_mail_is_followed_from_the_connection_to_the_push(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon().start()
    data = daemon.data_dir
    daemon.send(FOLLOWED, "Subject: before\r\n\r\nsecret")
    with waits_for_mail(daemon, FOLLOWED), following(data, FOLLOWED, "--for", "8") as steps:
        daemon.send("other@x.example", "Subject: no\r\n\r\nsecret")
        with daemon.smtp() as smtp:
            smtp.sendmail("ann@y.example", "Followed+tag@x.example", "Subject: hi\r\n\r\nsecret")
    assert [step["what"] for step in steps] == ["message", "recipient", "message", "push"]
    before, recipient, message, push = (step["detail"] for step in steps)
    assert "bytes from 127.0.0.1" in before
    assert "from <ann@y.example> to <Followed+tag@x.example>, into followed@x.example" in recipient
    envelope_id = message.rpartition(" ")[2]
    assert push == f"{envelope_id}-0 in {FOLLOWED} to 1 listeners"
    assert steps[1]["session"] == steps[2]["session"] != ""
    assert "secret" not in json.dumps(steps)
    assert json.loads(told(data, "stats", "--json"))["stored"]["messages"] == 3


def test_what_is_refused_is_followed_and_told_to_its_account(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon("--set", "message.max_bytes=1000").start()
    data = daemon.data_dir
    told(data, "account", "add", "ann", "--email", "ann@example.net")
    key = told(data, "key", "add", "ann")
    told(data, "address", "add", "ann", FOLLOWED)
    with following(data, FOLLOWED, "--for", "6", "--past", "0") as steps, daemon.smtp() as client:
        client.ehlo()
        client.mail("sender@example.net")  # without SIZE: else it would be refused here
        client.rcpt(FOLLOWED)
        code, _ = client.data(b"Subject: hi\r\n\r\n" + b"x" * 2_000)
    assert code == 552
    assert [step["what"] for step in steps] == ["recipient", "message"]
    assert steps[1]["detail"].startswith("552 5.3.4")
    [event] = daemon.json(f"/api/activity?_mailsacKey={key}")
    assert (event["kind"], event["code"], event["subject"]) == ("refused", 552, FOLLOWED)


@pytest.mark.parametrize(
    ("arguments", "words"), [(("nobody",), "no @"), (("a@x.example", "--for", "-1"), "--for")]
)
def test_bad_input_is_told(make_daemon: MakeDaemon, arguments: tuple[str, ...], words: str) -> None:
    ran = run(make_daemon().start().data_dir, "trace", *arguments)
    assert ran.returncode != 0
    assert words in ran.stderr


def test_ctrl_c_ends_it_well(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon().start()
    daemon.send(FOLLOWED, "Subject: before\r\n\r\nsecret")
    command = [MAILSACD, "trace", FOLLOWED, "--data-dir", str(daemon.data_dir)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        assert "message" in process.stdout.readline()
        assert process.stderr.readline() == f"following {FOLLOWED}\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (0, "")
    daemon.stop()
