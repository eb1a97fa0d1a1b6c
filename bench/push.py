"""How long from a message's 250 to its WebSocket frame, on the same node and on another.

python -m bench.push
python -m bench.push --rate 500 --listeners 100 --size 20480

Two daemons on one PostgreSQL; each has half of the listeners, and mail comes in at the first.
"""

import argparse
import json
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from bench.command import run_alone
from bench.daemon import daemon_command, daemon_running
from bench.dialogue import LoadError, Mail, mail, on_the_wire
from bench.latency import percentile_ms
from bench.listeners import SUBJECT, Arrivals, Listeners
from bench.load import Load, Plan
from bench.messages import RECIPIENT, SENDER, text_message
from bench.rounds import Verdict
from bench.servers import HOST, NotStartedError, temporary_dir
from mailsacd.core.ready import Ready

_WARM_UP_MESSAGES: Final = 100
_PATIENCE_S: Final = 20.0
_GOALS_MS: Final = {"the same node": 50.0, "another node": 100.0}


@dataclass(frozen=True, slots=True)
class Node:
    """A daemon, and where its listeners connect to."""

    ready: Ready
    path: str

    @property
    def url(self) -> tuple[str, int, str]:
        """Host, port and path of its WebSocket."""
        return HOST, self.ready.ports["http"], self.path


def run(options: argparse.Namespace) -> list[Verdict]:
    """Start both daemons and the listeners, send, and compare what came with what was sent."""
    print(
        f"\n250 to WebSocket frame: {options.messages} messages of {options.size} bytes at"
        f" {options.rate:.0f}/s to {options.listeners} listeners on two nodes, in ms"
    )
    try:
        with ExitStack() as stack:
            nodes = _start(stack)
            urls = [nodes[n % 2].url for n in range(options.listeners)]
            listeners = Listeners(urls, _WARM_UP_MESSAGES + options.messages)
            stack.callback(listeners.stop)
            listeners.ready()
            acknowledged = _send(nodes[0].ready, options)
            arrivals = listeners.arrivals(_PATIENCE_S)
    except (LoadError, NotStartedError, OSError) as e:
        print(f"  push: {e}")
        return []
    return judge(acknowledged, arrivals)


def _start(stack: ExitStack) -> list[Node]:
    home = stack.enter_context(temporary_dir("push"))
    first = home / "first"
    ready = stack.enter_context(daemon_running(daemon_command(first), first))
    key = (first / "admin.key").read_text().strip()
    settings = json.dumps({"enablews": True}).encode()
    for method in ("POST", "PUT"):
        urllib.request.urlopen(
            urllib.request.Request(
                f"http://{HOST}:{ready.ports['http']}/api/addresses/{RECIPIENT}",
                data=settings,
                headers={"Mailsac-Key": key, "Content-Type": "application/json"},
                method=method,
            )
        ).close()
    second = home / "second"
    dsn = f"host='{first}/postgres' port=5432 user=mailsacd dbname=postgres"
    command = [*daemon_command(second), "--set", f"database.dsn={dsn}"]
    other = stack.enter_context(daemon_running(command, second))
    path = f"/incoming-messages?key={key}&addresses={RECIPIENT}"
    return [Node(ready, path), Node(other, path)]


def _send(ready: Ready, options: argparse.Namespace) -> dict[int, float]:
    """Send all; when each was acknowledged, by its number. The first ones warm up."""
    acknowledged: dict[int, float] = {}

    def note(done: Mail) -> None:
        acknowledged[done.number] = perf_counter()

    for start, count in ((0, _WARM_UP_MESSAGES), (_WARM_UP_MESSAGES, options.messages)):
        plan = Plan(rate=options.rate, timeout_s=count / options.rate + _PATIENCE_S)
        mails = _mails(start, count, options.size)
        Load((HOST, ready.ports["smtp"]), mails, plan, note).run()
    return acknowledged


def _mails(start: int, count: int, size_bytes: int) -> Iterator[Mail]:
    for number in range(start, start + count):
        content = text_message(size_bytes, SUBJECT.format(number), str(number))
        yield mail(number, SENDER, [RECIPIENT], on_the_wire(content))


def judge(acknowledged: dict[int, float], arrivals: Sequence[Arrivals]) -> list[Verdict]:
    """``arrivals`` of the two nodes' listeners in turns."""
    verdicts = []
    for name, places in (("the same node", slice(0, None, 2)), ("another node", slice(1, None, 2))):
        latencies = [
            max(when - acknowledged[number], 0.0)
            for each in arrivals[places]
            for number, when in each
            if number >= _WARM_UP_MESSAGES and number in acknowledged
        ]
        figures = {p: percentile_ms(latencies, p) for p in (50, 90, 99, 99.9)}
        shown = "  ".join(f"p{p:g} {ms:.2f}" for p, ms in figures.items())
        print(f"  on {name:<14} {shown}  worst {max(latencies) * 1000:.1f}")
        verdicts.append(
            Verdict(
                what=f"250 to WebSocket frame, {name}: p99",
                figure=f"{figures[99]:.2f} ms",
                wanted=f"at most {_GOALS_MS[name]:g} ms",
                met=figures[99] <= _GOALS_MS[name],
            )
        )
    return [*verdicts, _counted(acknowledged, arrivals)]


def _counted(acknowledged: dict[int, float], arrivals: Sequence[Arrivals]) -> Verdict:
    missed = twice = 0
    for each in arrivals:
        counts = Counter(number for number, _ in each)
        missed += sum(not counts[number] for number in acknowledged)
        twice += sum(count - 1 for count in counts.values())
    return Verdict(
        what=f"{len(acknowledged)} messages to {len(arrivals)} listeners: missed, twice",
        figure=f"{missed}, {twice}",
        wanted="none",
        met=not missed and not twice,
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that `run` reads."""
    parser.add_argument("--messages", type=int, default=1_000)
    parser.add_argument("--rate", type=float, default=200.0, help="messages a second")
    parser.add_argument("--listeners", type=int, default=50, help="on both nodes together")
    parser.add_argument("--size", type=int, default=1_024, help="bytes of a message")


if __name__ == "__main__":
    run_alone("push", __doc__, add_options, run)
