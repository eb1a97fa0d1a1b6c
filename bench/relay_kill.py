"""Kills the daemon while it sends, and accounts for every recipient."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Final

from bench.daemon import REPOSITORY, daemon_running
from bench.kill import postgres_pid
from bench.relay_daemon import HOSTING, SENDER, Api, message, relay_command
from bench.rounds import Verdict
from bench.servers import stop, temporary_dir

FAULTS: Final = {
    "refuse": 0.02, "defer": 0.04, "content": 0.03, "drop": 0.03, "unanswered": 0.02,
}  # fmt: skip
_SETTINGS: Final = (
    "relay.lease_s=2",
    "relay.retry_first_s=0.5",
    "relay.retry_most_s=2",
    "relay.suppressed_days=0",
)
_PATIENCE_S: Final = 120.0
_FAILED: Final = re.compile(rb"^Final-Recipient: rfc822; (\S+)\r?$", re.MULTILINE)


@dataclass(slots=True)
class Copies:
    """What the host took, by recipient: the copies in order, and which of them were confirmed."""

    by_recipient: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    accepted: set[int] = field(default_factory=set)
    confirmed: set[int] = field(default_factory=set)


def kill_and_account(messages: int, kills: int, victim: str = "daemon") -> list[Verdict]:
    """Queue ``messages``, kill the daemon or its ``postgres`` meanwhile, and count what arrived."""
    with temporary_dir("relay") as home, sink_running(home / "sink.log", FAULTS) as port:
        data_dir = home / "data"
        command = relay_command(data_dir, port, *_SETTINGS)
        acknowledged = _load(command, data_dir, messages, kills, victim)
        with daemon_running(command, data_dir) as ready:
            api = Api(port=ready.ports["http"], key=_key(data_dir))
            ended = api.wait_until_ended(_PATIENCE_S)
            time.sleep(3)  # what it would send twice it sends within a lease
            return _account(api, read_copies(home / "sink.log"), acknowledged, ended=ended)


@contextmanager
def sink_running(log: Path, faults: dict[str, float]) -> Iterator[int]:
    """A host that writes what it takes into ``log``: its port."""
    options = [f"--fault={kind}={share}" for kind, share in faults.items()]
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.relay_sink", str(log), *options],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        with process.stdout:
            yield int(process.stdout.readline())
    finally:
        stop(process)


def read_copies(log: Path) -> Copies:
    """What the host wrote down."""
    copies = Copies()
    for line in log.read_text().splitlines():
        told = json.loads(line)
        if "confirmed" in told:
            copies.confirmed.add(told["confirmed"])
            continue
        copy = told.get("accepted", told.get("unanswered"))
        if "accepted" in told:
            copies.accepted.add(copy)
        for address in told["to"]:
            copies.by_recipient[address].append(copy)
    return copies


def recipients(number: int) -> list[str]:
    """Whom message ``number`` is for: two at one other host, and one here."""
    there = f"d{number % 20}.example"
    return [f"a{number}@{there}", f"b{number}@{there}", f"local{number}@{HOSTING}"]


def _load(command: list[str], data_dir: Path, messages: int, kills: int, victim: str) -> set[int]:
    """Queue all, and kill as often. Returns the numbers of the messages that were acknowledged."""
    acknowledged: set[int] = set()
    number = 0
    for round_ in range(kills + 1):
        with daemon_running(command, data_dir) as ready:
            api = Api(port=ready.ports["http"], key=_key(data_dir))
            if round_ == 0:
                api.reserve(SENDER)
            pid = ready.pid if victim == "daemon" else postgres_pid(data_dir)
            killer = threading.Timer(random.uniform(0.05, 1.2), os.kill, (pid, signal.SIGKILL))
            if round_ < kills:
                killer.start()
            began, end = number, messages * (round_ + 1) // (kills + 1)
            number = _queue(api, range(number, end), acknowledged)
            if round_ < kills:
                killer.join()
            print(f"  {number - began} queued", "" if round_ == kills else "and killed", flush=True)
    return acknowledged


def _queue(api: Api, numbers: range, acknowledged: set[int]) -> int:
    """Queue messages until the daemon is killed. Returns the number that the next one has."""
    with closing(api.connection()) as connection:
        for number in numbers:
            try:
                api.post(connection, "/outgoing-messages", message(number, recipients(number)))
            except (OSError, HTTPException):
                return number + 1  # it may be queued or not
            except ValueError:  # the database is away
                time.sleep(0.05)
            else:
                acknowledged.add(number)
    return numbers.stop


def _account(api: Api, copies: Copies, acknowledged: set[int], *, ended: bool) -> list[Verdict]:
    states = {
        recipient["address"]: recipient["state"]
        for each in api.outgoing()
        for recipient in each["recipients"]
    }
    wanted = {address for number in acknowledged for address in recipients(number)}
    here = {address for address in states if address.endswith(f"@{HOSTING}")}
    stored = Counter({a: api.get(f"/addresses/{a}/message-count")["count"] for a in here})
    reported = _reported(api)
    taken = {a for a, found in copies.by_recipient.items() if {*found} & copies.accepted}
    told = {a for a in reported if states.get(a) == "failed"}
    lost = wanted - {a for a in here if stored[a]} - taken - told
    doubled = {a for a, found in copies.by_recipient.items() if {*found[:-1]} & copies.confirmed}
    doubled |= {a for a in here if stored[a] > 1}
    again = sum(len(found) > 1 for found in copies.by_recipient.values())
    failed = {a for a, state in states.items() if state == "failed"}
    wrong = {a for a in failed if reported[a] != 1} | {a for a in reported if a not in failed}
    print(
        f"  {len(states)} recipients of {len(acknowledged)} messages acknowledged; "
        f"{len(failed)} failed; {again} were sent twice because an answer was not read"
    )
    return [
        _verdict("all recipients are done with", int(not ended)),
        _verdict("acknowledged and lost", len(lost)),
        _verdict("sent again after the answer was read, or stored twice", len(doubled)),
        _verdict("failed and not reported once", len(wrong)),
    ]


def _reported(api: Api) -> Counter[str]:
    """How often each recipient was reported to have failed."""
    found: Counter[str] = Counter()
    for each in api.get(f"/addresses/{SENDER}/messages?limit=1000"):
        raw = api.get(f"/raw/{SENDER}/{each['_id']}")
        if b"Action: failed" in raw:
            found.update(address.decode() for address in _FAILED.findall(raw))
    return found


def _key(data_dir: Path) -> str:
    return (data_dir / "admin.key").read_text().strip()


def _verdict(what: str, count: int) -> Verdict:
    return Verdict(what=what, figure=str(count), wanted="0", met=count == 0)
