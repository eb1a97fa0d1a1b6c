"""Mail taken in each second: the daemon and its peers under the same load, in turns.

python -m bench.ingest                         every row, every peer
python -m bench.ingest --rows text-new --peers mailsacd,postfix
python -m bench.ingest --peers '' --server mine=127.0.0.1:2525 --generator own
"""

import argparse
import resource
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

from bench.command import run_alone
from bench.dialogue import LoadError, mail, on_the_wire
from bench.load import Load, Plan
from bench.messages import RECIPIENT, SENDER, SHAPES
from bench.peers import PEERS, server_at, start_all
from bench.quiet import LIMIT_S, settle
from bench.rounds import Row, Verdict, alternate, compare
from bench.servers import NotInstalledError, Server, program

WARM_UP_MESSAGES: Final = 400
_TIMEOUT_S: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is sent, and how: ``kept`` sends all over the sessions' first connections."""

    kind: str
    size_bytes: int
    kept: bool


Send = Callable[[Server, Shape, int, int], float]
"""Sends a number of messages in a number of sessions; gives the seconds that it took."""

ROWS: Final[Mapping[str, tuple[Shape, Row]]] = {
    "multipart-kept": (
        Shape(kind="multipart", size_bytes=20_480, kept=True),
        Row(
            title="20 KB multipart, kept sessions",
            unit="messages/s",
            goals={"postfix": 3.0, "smtp-sink": 0.4},
        ),
    ),
    "text-new": (
        Shape(kind="text", size_bytes=1_024, kept=False),
        Row(
            title="1 KB text, a new connection each",
            unit="messages/s",
            goals={"postfix": 2.5},
        ),
    ),
    "text-kept": (
        Shape(kind="text", size_bytes=1_024, kept=True),
        Row(title="1 KB text, kept sessions", unit="messages/s", goals={}),
    ),
    "multipart-new": (
        Shape(kind="multipart", size_bytes=20_480, kept=False),
        Row(title="20 KB multipart, a new connection each", unit="messages/s", goals={}),
    ),
}
GOAL_ROWS: Final = ("multipart-kept", "text-new")


def send_own(server: Server, shape: Shape, sessions: int, count: int) -> float:
    """By the generator of this package. Raises LoadError."""
    wire = on_the_wire(SHAPES[shape.kind](shape.size_bytes))
    mails = repeat(mail(0, SENDER, [RECIPIENT], wire), count)
    plan = Plan(sessions=sessions, kept=shape.kept, timeout_s=_TIMEOUT_S)
    outcome = Load(server.address, iter(mails), plan).run()
    if outcome.acknowledged != count:
        raise LoadError(f"{outcome.acknowledged} of {count} messages were taken")
    return outcome.seconds


def send_by_smtp_source(server: Server, shape: Shape, sessions: int, count: int) -> float:
    """By Postfix's generator, which stops at the first reply it does not like: LoadError."""
    path = program("smtp-source", "apt-get install postfix")
    with tempfile.NamedTemporaryFile(prefix="mailsacd-bench-") as file:
        Path(file.name).write_bytes(SHAPES[shape.kind](shape.size_bytes).replace(b"\r\n", b"\n"))
        command = [path, "-s", str(sessions), "-m", str(count), "-F", file.name]
        command += ["-M", "bench.example", "-f", SENDER, "-t", RECIPIENT]
        command += ["-d"] if shape.kept else []
        started = perf_counter()
        try:
            done = subprocess.run(
                [*command, f"{server.host}:{server.port}"],
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as e:
            raise LoadError(f"not done after {_TIMEOUT_S:.0f} s") from e
        seconds = perf_counter() - started
    if done.returncode:
        raise LoadError(done.stderr.decode(errors="replace").strip()[-200:])
    return seconds


GENERATORS: Final[Mapping[str, Send]] = {"own": send_own, "smtp-source": send_by_smtp_source}


def default_generator() -> str:
    """`smtp-source` where it is installed: it takes less of the machine than Python does."""
    try:
        program("smtp-source", "")
    except NotInstalledError:
        return "own"
    return "smtp-source"


def measure_row(
    name: str, servers: list[Server], generator: str, options: argparse.Namespace
) -> list[Verdict]:
    """One row: every server warmed up, then measured in turns."""
    shape, row = ROWS[name]
    generate = GENERATORS[generator]

    def send(server: Server, count: int) -> float:
        return generate(server, shape, options.sessions, count)

    contestants = {each.name: _Contestant(each, send, options.seconds) for each in servers}
    before = _generator_cpu_s()
    figures = alternate(contestants, options.rounds, (LoadError,))
    sending_s = sum(each.sending_s for each in contestants.values()) or 1.0
    share = (_generator_cpu_s() - before) / sending_s
    verdicts = compare(row, figures)
    print(f"  ({generator}, {options.sessions} sessions; it took {share:.0%} of a core)")
    print("  What each still did after its last reply, and messages/s with that counted in:")
    for each in figures.values():
        if not each.problem:
            print(f"  {each.name:<14} {contestants[each.name].settling}")
    return verdicts


class _Contestant:
    """A server's turns: its first call finds out how many messages make a turn of that length."""

    def __init__(self, server: Server, send: Callable[[Server, int], float], seconds: float):
        self._server = server
        self._send = send
        self._seconds = seconds
        self._count = 0
        self._turns_s: list[tuple[float, float | None]] = []  # until the last reply, and after it

    @property
    def sending_s(self) -> float:
        """How long it was sent to in all its turns."""
        return sum(taken_s for taken_s, _ in self._turns_s)

    def __call__(self) -> float:
        """Messages a second in one turn. Returns when the machine is quiet again."""
        if not self._count:
            warm_up_s = self._send(self._server, WARM_UP_MESSAGES)
            wanted = int(WARM_UP_MESSAGES / warm_up_s * self._seconds)
            self._count = max(wanted, WARM_UP_MESSAGES)
            settle()
        taken_s = self._send(self._server, self._count)
        self._turns_s.append((taken_s, settle()))
        self._server.empty()
        settle()
        return self._count / taken_s

    @property
    def settling(self) -> str:
        """The medians of the turns after which the machine was quiet in time."""
        settled = [(taken_s, after_s) for taken_s, after_s in self._turns_s if after_s is not None]
        if len(settled) < len(self._turns_s):
            return f"not quiet within {LIMIT_S:.0f} s: other programs are at work"
        after_s = median(after_s for _, after_s in settled)
        rate = median(self._count / (taken_s + after_s) for taken_s, after_s in settled)
        return f"{after_s:.1f} s {rate:>12,.0f}"


def _generator_cpu_s() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def run(options: argparse.Namespace) -> list[Verdict]:
    """Every row asked for, with every server that can be had."""
    generator = options.generator or default_generator()
    verdicts = []
    with ExitStack() as stack:
        servers = start_all(filter(None, options.peers.split(",")), stack)
        servers += options.server
        for name in options.rows.split(","):
            verdicts += measure_row(name, servers, generator, options)
    return verdicts


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that `run` reads."""
    parser.add_argument("--rows", default=",".join(GOAL_ROWS), help=f"of {', '.join(ROWS)}")
    parser.add_argument("--peers", default=",".join(PEERS), help=f"of {', '.join(PEERS)}")
    parser.add_argument(
        "--server",
        action="append",
        default=[],
        type=server_at,
        metavar="NAME=HOST:PORT",
        help="a server that runs already; may be repeated",
    )
    parser.add_argument("--generator", choices=GENERATORS, help="default: smtp-source if installed")
    parser.add_argument("--sessions", type=int, default=20, help="connections at a time")
    parser.add_argument("--rounds", type=int, default=3, help="turns for each server")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a turn, about")


if __name__ == "__main__":
    run_alone("ingest", __doc__, add_options, run)
