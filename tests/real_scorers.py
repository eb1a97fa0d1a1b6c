"""rspamd and SpamAssassin's spamd, as Debian has them, on a port of this machine."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.patience import PATIENCE_S

GTUBE: Final = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"
_WITHOUT_NETWORK: Final = (
    "rbl", "asn", "phishing", "surbl", "spf", "dmarc", "dkim", "arc", "fuzzy_check", "hfilter",
)  # fmt: skip


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def _running(command: list[str], port: int, log: Path) -> Iterator[int]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
    try:
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None, log.read_text(errors="replace")
                assert time.monotonic() < until, log.read_text(errors="replace")
                time.sleep(0.05)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(PATIENCE_S)


@contextmanager
def rspamd(directory: Path) -> Iterator[int]:
    """Run rspamd, and tell the port that it listens on."""
    port, local = _free_port(), directory / "local.d"
    local.mkdir()
    suffixes = directory / "suffixes"
    suffixes.write_text("com\nexample\n")
    directory.chmod(0o777)
    settings = {
        "worker-normal": f'bind_socket = "127.0.0.1:{port}"; count = 1;',
        **dict.fromkeys(("worker-controller", "worker-proxy", "worker-fuzzy"), "enabled = false;"),
        # the list of public suffixes that it comes with takes it 7 seconds of the processor
        "options": f'url_tld = "{suffixes}";'
        ' dns { nameserver = "127.0.0.1:9"; timeout = 0.1s; retransmits = 1; }',
        "logging": 'type = "console"; level = "error";',
    }
    for name, text in settings.items():
        (local / f"{name}.inc").write_text(text)
    for name in _WITHOUT_NETWORK:
        (local / f"{name}.conf").write_text("enabled = false;")
    command = ["rspamd", "--no-fork", "--config", "/etc/rspamd/rspamd.conf"]
    command += [f"--var=LOCAL_CONFDIR={directory}"]
    command += [f"--var={name}={directory}" for name in ("DBDIR", "RUNDIR", "LOGDIR")]
    if os.geteuid() == 0:
        command += ["--user", "nobody", "--group", "nogroup"]
    with _running(command, port, directory / "log") as listening:
        yield listening


@contextmanager
def spamd(directory: Path) -> Iterator[int]:
    """Run spamd, and tell the port that it listens on."""
    port = _free_port()
    directory.chmod(0o777)
    command = ["/usr/sbin/spamd", "--local", "--nouser-config", f"--listen=127.0.0.1:{port}"]
    command += ["--max-children=1", "--min-children=1", "--syslog=stderr"]
    command += [f"--helper-home-dir={directory}"]
    if os.geteuid() == 0:
        command += ["--username=nobody"]
    with _running(command, port, directory / "log") as listening:
        yield listening
