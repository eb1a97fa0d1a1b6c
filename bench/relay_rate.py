"""How fast signed mail goes to a host that takes everything: Postfix's smtp-sink."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

from bench.daemon import daemon_running
from bench.relay_daemon import HOSTING, SENDER, Api, message, relay_command
from bench.rounds import Verdict
from bench.servers import HOST, free_port, listens, program, running, temporary_dir

GOAL_PER_S: Final = 300.0
_SLOWEST_PER_S: Final = 20
_CLIENTS: Final = 4


def measure_rate(messages: int) -> list[Verdict]:
    """Queue ``messages`` while the host stands still, then have it go on, and time the last one."""
    port = free_port()
    as_user = ("-u", "nobody") if os.geteuid() == 0 else ()
    sink = program("smtp-sink", "apt-get install postfix")
    with (
        running([sink, *as_user, f"{HOST}:{port}", "1000"], listens(port)) as process,
        temporary_dir("relay") as home,
    ):
        queued_s, sent_s = _seconds(home / "data", port, process, messages)
    print(f"  {messages / queued_s:,.0f} messages/s queued by the API, and signed twice")
    return [
        Verdict(
            what="relay to smtp-sink, with DKIM",
            figure=f"{messages / sent_s:,.0f}/s",
            wanted=f"{GOAL_PER_S:,.0f}/s",
            met=messages / sent_s >= GOAL_PER_S,
        )
    ]


def _seconds(
    data_dir: Path, port: int, sink: subprocess.Popen[bytes], messages: int
) -> tuple[float, float]:
    """How long queueing took, and then sending."""
    command = relay_command(data_dir, port, "relay.connect_timeout_s=300")
    with daemon_running(command, data_dir) as ready:
        key = (data_dir / "admin.key").read_text().strip()
        api = Api(port=ready.ports["http"], key=key)
        _sign(data_dir)
        api.reserve(SENDER)
        os.kill(sink.pid, signal.SIGSTOP)
        try:
            queued_s = _queue(api, messages)
        finally:
            began_s = time.time()
            os.kill(sink.pid, signal.SIGCONT)
        api.wait_until_ended(30 + messages / _SLOWEST_PER_S)
        ended = [m["ended"] for m in api.outgoing()]
        last = max(datetime.fromisoformat(text) for text in ended if text)
        if len(ended) < messages or None in ended:
            raise SystemExit(f"{ended.count(None)} of {len(ended)} messages are not sent")
        return queued_s, last.timestamp() - began_s


def _sign(data_dir: Path) -> None:
    """Make keys for the domain, and have them sign though no DNS has them."""
    for action in ("rotate", "activate"):
        subprocess.run(
            [
                Path(sys.executable).with_name("mailsacd"), "dkim", action, HOSTING,
                "--data-dir", data_dir, "--set", f"domains.hosting={HOSTING}",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip


def _queue(api: Api, messages: int) -> float:
    """Queue by several connections at once; how many seconds that took."""

    def some(first: int) -> None:
        with closing(api.connection()) as connection:
            for number in range(first, messages, _CLIENTS):
                fields = message(number, [f"a{number}@d{number % 20}.example"])
                api.post(connection, "/outgoing-messages", fields)

    began = time.monotonic()
    threads = [threading.Thread(target=some, args=(first,)) for first in range(_CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - began
