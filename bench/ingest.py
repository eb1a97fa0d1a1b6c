"""Mail taken in each second, all work counted in, and the processor time of each message.

python -m bench ingest                               every row with goals, and its peers
python -m bench ingest --seconds 3 --rounds 1        a quick look
python -m bench ingest --rows text-new --peers mailsacd,postfix
python -m bench ingest --peers '' --server mine=127.0.0.1:2525 --generator own
python -m bench ingest --peers mailsacd --command 'mine=mailpit --smtp 127.0.0.1:{port}'

The servers run at once, idle but for the one whose turn it is. A turn is over when the server is
quiet: what it does after its last reply counts. Processor time is that of all its processes.
"""

import argparse
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Final

from bench.command import run_alone
from bench.dialogue import LoadError
from bench.generators import GENERATORS, Shape, default_generator
from bench.peers import INGEST_PEERS, PEERS, command_of, server_at, start_all, start_commands
from bench.rounds import Figures, Row, Verdict, alternate, judge
from bench.servers import Server
from bench.turns import Contestant

_RATE: Final = "messages/s"
_CPU_GOALS: Final = {"mailpit": 0.9}

ROWS: Final[Mapping[str, tuple[Shape, Row]]] = {
    "text-new": (
        Shape(kind="text", size_bytes=1_024, kept=False),
        Row(
            title="1 KB text, a new connection each",
            unit=_RATE,
            goals={"mailpit": 1.0, "postfix": 2.2},
        ),
    ),
    "text-kept": (
        Shape(kind="text", size_bytes=1_024, kept=True),
        Row(title="1 KB text, kept sessions", unit=_RATE, goals={"mailpit": 1.3, "postfix": 2.5}),
    ),
    "multipart-kept": (
        Shape(kind="multipart", size_bytes=20_480, kept=True),
        Row(
            title="20 KB multipart, kept sessions",
            unit=_RATE,
            goals={"mailpit": 3.0, "postfix": 2.0, "smtp-sink": 0.2},
        ),
    ),
    "multipart-new": (
        Shape(kind="multipart", size_bytes=20_480, kept=False),
        Row(title="20 KB multipart, a new connection each", unit=_RATE, goals={}),
    ),
}
GOAL_ROWS: Final = ("text-new", "text-kept", "multipart-kept")


def measure_row(
    name: str, servers: list[Server], generator: str, options: argparse.Namespace
) -> list[Verdict]:
    """One row: every server warmed up, then measured in turns."""
    shape, row = ROWS[name]
    generate = GENERATORS[generator]

    def send(server: Server, count: int) -> float:
        return generate(server, shape, options.sessions, count)

    contestants = {each.name: Contestant(each, send, options.seconds) for each in servers}
    rates = alternate(contestants, options.rounds, (LoadError,))
    print(f"\n{row.title}: {row.unit} with all work counted in (lowest to highest round)")
    for each in rates.values():
        note = "" if each.problem else f"   {contestants[each.name].after}"
        print(f"  {each.name:<14} {each.shown():<26}{note}")
    print(f"  ({generator}, {options.sessions} sessions; {_generator_share(contestants)})")
    verdicts = judge(row, rates)
    return verdicts + _measure_cpu(row, rates, contestants)


def _measure_cpu(
    row: Row, rates: Mapping[str, Figures], contestants: Mapping[str, Contestant]
) -> list[Verdict]:
    cpu = {
        name: Figures(name, contestants[name].cpu_ms)
        for name, each in rates.items()
        if not each.problem and contestants[name].cpu_ms
    }
    print("  Processor time of all processes of the server, ms a message")
    for each in cpu.values():
        print(f"  {each.name:<14} {each.shown(digits=3)}")
    goals = _CPU_GOALS if row.goals else {}
    return judge(
        Row(title=row.title, unit="CPU a message", goals=goals, is_cost=True, digits=3), cpu
    )


def _generator_share(contestants: Mapping[str, Contestant]) -> str:
    turns = [turn for each in contestants.values() for turn in each.turns]
    sending_s = sum(turn.sending_s for turn in turns) or 1.0
    return f"it took {sum(turn.generator_s for turn in turns) / sending_s:.0%} of a core"


def run(options: argparse.Namespace) -> list[Verdict]:
    """Every row asked for, with every server that can be had."""
    generator = options.generator or default_generator()
    verdicts = []
    with ExitStack() as stack:
        servers = start_all(filter(None, options.peers.split(",")), stack)
        servers += start_commands(options.command, stack)
        servers += options.server
        for name in options.rows.split(","):
            verdicts += measure_row(name, servers, generator, options)
    return verdicts


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that `run` reads."""
    parser.add_argument("--rows", default=",".join(GOAL_ROWS), help=f"of {', '.join(ROWS)}")
    parser.add_argument("--peers", default=",".join(INGEST_PEERS), help=f"of {', '.join(PEERS)}")
    parser.add_argument(
        "--server",
        action="append",
        default=[],
        type=server_at,
        metavar="NAME=HOST:PORT",
        help="a server that runs already; may be repeated",
    )
    parser.add_argument(
        "--command",
        action="append",
        default=[],
        type=command_of,
        metavar="NAME=COMMAND",
        help="starts one more server, with {port}, {http_port} and {home} filled in",
    )
    parser.add_argument("--generator", choices=GENERATORS, help="default: smtp-source if installed")
    parser.add_argument("--sessions", type=int, default=20, help="connections at a time")
    parser.add_argument("--rounds", type=int, default=3, help="turns for each server")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a turn, about")


if __name__ == "__main__":
    run_alone("ingest", __doc__, add_options, run)
