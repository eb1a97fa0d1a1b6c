"""How long a sender waits from the end of its message to the 250, at a steady rate.

python -m bench.latency --rate 200 --seconds 15
python -m bench.latency --peers '' --server mine=127.0.0.1:2525
"""

import argparse
from contextlib import ExitStack
from itertools import repeat
from typing import Final

from bench.command import run_alone
from bench.dialogue import LoadError, mail, on_the_wire
from bench.load import Load, Outcome, Plan
from bench.messages import RECIPIENT, SENDER, multipart_message
from bench.peers import server_at, start_all
from bench.rounds import OURS, Verdict
from bench.servers import Server

PEERS: Final = ("mailsacd", "postfix")
_GOALS_MS: Final = {50: 2.0, 99: 10.0, 99.9: 25.0}
_SIZE_BYTES: Final = 20_480
_WARM_UP_MESSAGES: Final = 200
_GRACE_S: Final = 30.0


def percentile_ms(latencies_s: list[float], percent: float) -> float:
    """The latency that ``percent`` of the messages were not above, in milliseconds."""
    ordered = sorted(latencies_s)
    return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)] * 1000


def measure(server: Server, options: argparse.Namespace) -> Outcome:
    """One run at the rate asked for, after a short one that warms up. Raises LoadError."""
    once = mail(0, SENDER, [RECIPIENT], on_the_wire(multipart_message(_SIZE_BYTES)))
    Load(server.address, repeat(once, _WARM_UP_MESSAGES), Plan(sessions=options.sessions)).run()
    plan = Plan(sessions=options.sessions, rate=options.rate, timeout_s=options.seconds + _GRACE_S)
    count = int(options.rate * options.seconds)
    return Load(server.address, repeat(once, count), plan).run()


def run(options: argparse.Namespace) -> list[Verdict]:
    """Each server in turn."""
    print(f"\nEnd of DATA to 250, 20 KB multipart at {options.rate:.0f} messages/s, in ms")
    verdicts = []
    with ExitStack() as stack:
        servers = start_all(filter(None, options.peers.split(",")), stack)
        for server in [*servers, *options.server]:
            try:
                verdicts += _show(server.name, measure(server, options))
            except LoadError as e:
                print(f"  {server.name:<14} failed: {e}")
    return verdicts


def _show(name: str, outcome: Outcome) -> list[Verdict]:
    figures = {p: percentile_ms(outcome.latencies_s, p) for p in (50, 90, 99, 99.9)}
    shown = "  ".join(f"p{p:g} {ms:.2f}" for p, ms in figures.items())
    print(
        f"  {name:<14} {shown}  worst {max(outcome.latencies_s) * 1000:.1f}"
        f"  ({outcome.acknowledged} messages at {outcome.rate:.0f}/s;"
        f" the generator was at most {outcome.late_s * 1000:.1f} ms late)"
    )
    if name != OURS:
        return []
    return [
        Verdict(
            what=f"end of DATA to 250 at a steady rate: p{p:g}",
            figure=f"{figures[p]:.2f} ms",
            wanted=f"at most {goal:g} ms",
            met=figures[p] <= goal,
        )
        for p, goal in _GOALS_MS.items()
    ]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that `run` reads."""
    parser.add_argument("--peers", default=",".join(PEERS), help="names, between commas")
    parser.add_argument(
        "--server", action="append", default=[], type=server_at, metavar="NAME=HOST:PORT"
    )
    parser.add_argument("--rate", type=float, default=200.0, help="messages a second")
    parser.add_argument("--seconds", type=float, default=15.0, help="length of the run")
    parser.add_argument("--sessions", type=int, default=20, help="kept connections")


if __name__ == "__main__":
    run_alone("latency", __doc__, add_options, run)
