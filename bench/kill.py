"""Acknowledged against stored: kill -9 under load, start again, count.

    python -m bench.kill --rounds 5
    python -m bench.kill --victim postgres
    python -m bench.kill --data-dir DIR -- twistd -n mailsacd --data-dir DIR --set smtp.port=0

Every message has a number in its subject, and its 250 is noted as it comes. The victim is killed
at a random moment of the load. The daemon is started again by the same command line (or, when
PostgreSQL was the victim, goes on by itself), and at the end the REST API says what is there:
nothing acknowledged may be missing. A message without an answer may be there or not, once.
"""

import argparse
import json
import os
import random
import signal
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from typing import Final

from bench.daemon import daemon_command, daemon_running
from bench.dialogue import LoadError, Mail, mail, on_the_wire
from bench.load import Load, Plan
from bench.messages import SENDER, text_message
from bench.servers import HOST, NotStartedError, temporary_dir, wait_until
from mailsacd.core.ready import Ready

_MESSAGES_PER_INBOX: Final = 5  # fewer than any retention would keep
_SIZE_BYTES: Final = 2_048
_SHORTEST_S: Final = 0.2
_RECOVERY_S: Final = 10.0
_SUBJECT: Final = "message-"


@dataclass(slots=True)
class Tally:
    """The numbers of the messages that were sent, by what the server said to them."""

    sent: int = 0
    acknowledged: set[int] = field(default_factory=set)
    unanswered: set[int] = field(default_factory=set)
    refused: int = 0
    hung: int = 0


def inbox(number: int) -> str:
    """Where message ``number`` goes."""
    return f"kill-{number // _MESSAGES_PER_INBOX}@bench.example"


def numbered_mails(first: int, end: float) -> Iterator[Mail]:
    """Messages from number ``first`` on, until the monotonic time ``end``."""
    for number in count(first):
        if time.monotonic() > end:
            return
        content = text_message(_SIZE_BYTES, f"{_SUBJECT}{number}", str(number))
        yield mail(number, SENDER, [inbox(number)], on_the_wire(content))


def load_and_kill(ready: Ready, pid: int, tally: Tally, longest_s: float) -> None:
    """Send until a little after ``pid`` was killed at a random moment."""
    moment_s = random.uniform(_SHORTEST_S, longest_s)
    end = time.monotonic() + longest_s + 1
    killer = threading.Timer(moment_s, os.kill, (pid, signal.SIGKILL))
    first = tally.sent
    highest = first

    def mails() -> Iterator[Mail]:
        nonlocal highest
        for each in numbered_mails(first, end):
            highest = each.number + 1
            yield each

    load = Load(
        (HOST, ready.ports["smtp"]),
        mails(),
        Plan(tolerant=True, timeout_s=longest_s + 1 + _RECOVERY_S),
        lambda mail: tally.acknowledged.add(mail.number),
    )
    killer.start()
    outcome = load.run()
    killer.join()
    tally.sent = highest
    tally.unanswered.update(outcome.unanswered)
    tally.refused += outcome.refused
    tally.hung += outcome.hung
    print(
        f"  killed {pid} after {moment_s:.2f} s: {outcome.acknowledged} acknowledged, "
        f"{len(outcome.unanswered)} unanswered, {outcome.refused} refused, "
        f"{outcome.hung} sessions without a reply at the end"
    )


def stored(ready: Ready, sent: int) -> Counter[int]:
    """How often each message is in its inbox, by the REST API."""
    found: Counter[int] = Counter()
    connection = HTTPConnection(HOST, ready.ports["http"], timeout=30)
    for number in range(0, sent, _MESSAGES_PER_INBOX):
        connection.request("GET", f"/api/addresses/{inbox(number)}/messages?limit=1000")
        messages = json.load(connection.getresponse())
        found.update(int(each["subject"].removeprefix(_SUBJECT)) for each in messages)
    connection.close()
    return found


def is_ready(ready: Ready) -> bool:
    """Whether `/readyz` says so: the database answers."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{ready.ports['http']}/readyz", timeout=5):
            return True
    except (OSError, HTTPException):
        return False


def postgres_pid(data_dir: Path) -> int:
    """The embedded PostgreSQL's process. Raises NotStartedError when there is none."""
    for path in data_dir.rglob("postmaster.pid"):
        return int(path.read_text(encoding="ascii").split("\n", 1)[0])
    raise NotStartedError(f"no postmaster.pid under {data_dir}")


def run(command: list[str], data_dir: Path, options: argparse.Namespace) -> bool:
    """Every round, then the count; whether it is as it must be. Raises NotStartedError."""
    tally = Tally()
    for _ in range(options.rounds):
        with daemon_running(command, data_dir) as ready:
            of_postgres = options.victim == "postgres"
            pid = postgres_pid(data_dir) if of_postgres else ready.pid
            load_and_kill(ready, pid, tally, options.seconds)
            if of_postgres:
                back = wait_until(partial(is_ready, ready), _RECOVERY_S)
                print(f"  ready again without a restart: {'yes' if back else 'NO'}")
    with daemon_running(command, data_dir) as ready:
        found = stored(ready, tally.sent)
    return _report(tally, found)


def _report(tally: Tally, found: Counter[int]) -> bool:
    lost = sorted(number for number in tally.acknowledged if not found[number])
    twice = sorted(number for number, times in found.items() if times > 1)
    print(
        f"acknowledged {len(tally.acknowledged)}, of these stored "
        f"{len(tally.acknowledged) - len(lost)}, lost {len(lost)} {lost[:10] or ''}\n"
        f"unanswered {len(tally.unanswered)}, of these stored "
        f"{sum(found[number] > 0 for number in tally.unanswered)}; refused {tally.refused}\n"
        f"stored in all {found.total()}, stored twice {len(twice)} {twice[:10] or ''}"
    )
    return bool(tally.acknowledged) and not lost and not twice and not tally.hung


def main() -> None:
    """The command line; the exit status is 1 when anything acknowledged is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.kill",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--victim", choices=("daemon", "postgres"), default="daemon")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="longest load before the kill")
    parser.add_argument("--data-dir", type=Path, help="where the command's ready.json will be")
    parser.add_argument("command", nargs="*", help="starts the daemon; default: this checkout's")
    options = parser.parse_args()
    if bool(options.command) != bool(options.data_dir):
        parser.error("a command and --data-dir go together")
    with ExitStack() as stack:
        data_dir = options.data_dir or stack.enter_context(temporary_dir("kill")) / "data"
        command = options.command or daemon_command(data_dir)
        try:
            held = run(command, data_dir, options)
        except (NotStartedError, LoadError) as e:
            sys.exit(f"kill: {e}")
        sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
