"""mailsacd itself as the programs of the bench start it: in a fresh directory, on free ports."""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from bench.messages import RECIPIENT
from bench.servers import NotStartedError, Server, running, temporary_dir
from mailsacd import __version__
from mailsacd.core.ready import FILE_NAME, Ready, read_ready

REPOSITORY: Final = Path(__file__).resolve().parent.parent
_TIMEOUT_S: Final = 30.0
MESSAGES_PER_INBOX: Final = 20
"""What stores are filled with, and so many are kept: peers keep them, and lists are of 20."""


def daemon_command(data_dir: Path) -> list[str]:
    """The command line that runs the daemon in the foreground with its data in ``data_dir``."""
    twistd = Path(sys.executable).with_name("twistd")
    settings = (
        "smtp.host=127.0.0.1",
        "smtp.port=0",
        "capture.port=0",
        "submission.port=0",
        "pop3.host=127.0.0.1",
        "pop3.port=0",
        "http.host=127.0.0.1",
        "http.port=0",
        f"storage.public_per_inbox={MESSAGES_PER_INBOX}",
    )
    options = [option for setting in settings for option in ("--set", setting)]
    return [str(twistd), "-n", "--pidfile=", "mailsacd", "--data-dir", str(data_dir), *options]


@contextmanager
def daemon_running(command: list[str], data_dir: Path) -> Iterator[Ready]:
    """The daemon, from its ``ready.json`` on. Raises NotStartedError."""
    (data_dir / FILE_NAME).unlink(missing_ok=True)
    paths = os.pathsep.join(filter(None, (str(REPOSITORY), os.environ.get("PYTHONPATH"))))
    with running(
        command,
        lambda: read_ready(data_dir) is not None,
        cwd=REPOSITORY,
        environment={"PYTHONPATH": paths},
    ):
        ready = read_ready(data_dir)
        if ready is None:
            raise NotStartedError("the daemon was up and went away")
        yield ready


@contextmanager
def mailsacd() -> Iterator[Server]:
    """The daemon as a server to be measured, with its embedded PostgreSQL."""
    with (
        temporary_dir("mailsacd") as home,
        daemon_running(daemon_command(home / "data"), home / "data") as ready,
    ):
        yield Server(
            name="mailsacd",
            version=__version__,
            port=ready.ports["smtp"],
            http_port=ready.ports["http"],
            pop3_port=ready.ports["pop3"],
            pid=ready.pid,
            data_dir=home / "data",
        )


@contextmanager
def load_test_domain() -> Iterator[Server]:
    """The same, with the domain that the mail is for declared for load testing."""
    domain = RECIPIENT.rpartition("@")[2]
    with mailsacd() as server:
        data_dir = server.data_dir
        assert data_dir is not None  # for mypy: mailsacd() has one
        tool = Path(sys.executable).with_name("mailsacd")
        words = ("domain", "add", "admin", domain, "--vouched", "--data-dir", str(data_dir))
        subprocess.run([str(tool), *words], check=True, capture_output=True)
        key = (data_dir / "admin.key").read_text(encoding="utf-8").strip()
        url = f"http://{server.host}:{server.http_port}/api/domains/{domain}/load-test"
        begin = urllib.request.Request(url, method="POST", headers={"Mailsac-Key": key})
        with urllib.request.urlopen(begin, timeout=_TIMEOUT_S):
            yield replace(server, name="load-test")
