"""How long from a message's 250 to the answer of who waits for it, and what waiting costs.

python -m bench.waits
python -m bench.waits --waits 10000 --rate 200 --messages 1000 --inboxes 1

Each of so many open calls waits for one message, by its subject. Messages come at a steady rate;
who is answered waits again. The memory is what the daemon takes more than after the first of them
had come and gone.
"""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from time import perf_counter
from typing import Final

from bench.command import run_alone
from bench.daemon import daemon_command, daemon_running
from bench.dialogue import LoadError, Mail, mail, on_the_wire
from bench.latency import percentile_ms
from bench.load import Load, Plan
from bench.messages import SENDER, text_message
from bench.processes import proportional_mib
from bench.quiet import settle
from bench.rounds import Verdict
from bench.servers import HOST, NotStartedError, temporary_dir
from bench.waiters import SUBJECT, Answered, Waiters
from mailsacd.core.ready import Ready

_SPARE: Final = 500  # connections and waits beside those that are measured
_PATIENCE_S: Final = 20.0
_WARM_UP_MESSAGES: Final = 100
_SIZE_BYTES: Final = 1_024
_GOAL_MS: Final = 20.0
_GOAL_MIB: Final = 100.0


def run(options: argparse.Namespace) -> list[Verdict]:
    """Start the daemon and those who wait, send, and compare."""
    print(
        f"\n250 to the answer of a call that waits: {options.waits} of them in {options.inboxes}"
        f" inboxes, {options.messages} messages at {options.rate:.0f}/s"
    )
    inboxes = [f"box{n}@bench.example" for n in range(options.inboxes)]
    try:
        with ExitStack() as stack:
            ready = _start(stack, options.waits + _SPARE)
            Waiters(HOST, ready.ports["http"], inboxes, 1).once()
            before_mib = proportional_mib([ready.pid])
            waiters = Waiters(HOST, ready.ports["http"], inboxes, options.waits)
            stack.callback(waiters.stop)
            waiters.ready()
            settle(ready.pid)
            waiting_mib = proportional_mib([ready.pid]) - before_mib
            acknowledged = _send(ready, inboxes, options)
            answered = waiters.answered(len(acknowledged), _PATIENCE_S)
            after_mib = proportional_mib([ready.pid]) - before_mib
    except (LoadError, NotStartedError, OSError) as e:
        print(f"  waits: {e}")
        return []
    print(f"  memory: {waiting_mib:.0f} MiB more with all of them, {after_mib:.0f} at the end")
    return judge(acknowledged, answered, max(waiting_mib, after_mib))


def _start(stack: ExitStack, most: int) -> Ready:
    home = stack.enter_context(temporary_dir("waits"))
    command = daemon_command(home)
    for name in ("http.max_connections", "wait.max_open"):
        command += ["--set", f"{name}={most}"]
    for name in ("http.max_connections_per_peer", "wait.max_open_per_peer"):
        command += ["--set", f"{name}={most}"]
    return stack.enter_context(daemon_running(command, home))


def _send(ready: Ready, inboxes: Sequence[str], options: argparse.Namespace) -> dict[int, float]:
    """Send all; when each was acknowledged, by its number. The first ones warm up."""
    acknowledged: dict[int, float] = {}

    def note(done: Mail) -> None:
        acknowledged[done.number] = perf_counter()

    count = _WARM_UP_MESSAGES + options.messages
    plan = Plan(rate=options.rate, timeout_s=count / options.rate + _PATIENCE_S)
    Load((HOST, ready.ports["smtp"]), _mails(count, inboxes), plan, note).run()
    return acknowledged


def _mails(count: int, inboxes: Sequence[str]) -> Iterator[Mail]:
    for number in range(count):
        content = text_message(_SIZE_BYTES, SUBJECT.format(number), str(number))
        yield mail(number, SENDER, [inboxes[number % len(inboxes)]], on_the_wire(content))


def judge(acknowledged: dict[int, float], answered: Answered, taken_mib: float) -> list[Verdict]:
    """What is to be said of it; the first messages warmed up, and were to be answered, too."""
    latencies = [
        max(when - acknowledged[number], 0.0)
        for number, when in answered.items()
        if number >= _WARM_UP_MESSAGES and number in acknowledged
    ]
    if not latencies:
        return []
    figures = {p: percentile_ms(latencies, p) for p in (50, 90, 99, 99.9)}
    shown = "  ".join(f"p{p:g} {ms:.2f}" for p, ms in figures.items())
    print(f"  {shown}  worst {max(latencies) * 1000:.1f}")
    missed = len(acknowledged.keys() - answered.keys())
    return [
        Verdict(
            what="250 to the answer of a call that waits: p99",
            figure=f"{figures[99]:.2f} ms",
            wanted=f"at most {_GOAL_MS:g} ms",
            met=figures[99] <= _GOAL_MS,
        ),
        Verdict(
            what=f"{len(acknowledged)} messages that were waited for: not answered",
            figure=str(missed),
            wanted="none",
            met=not missed,
        ),
        Verdict(
            what="memory of those who wait",
            figure=f"{taken_mib:.0f} MiB",
            wanted=f"at most {_GOAL_MIB:g} MiB",
            met=taken_mib <= _GOAL_MIB,
        ),
    ]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that `run` reads."""
    parser.add_argument("--waits", type=int, default=10_000, help="open calls")
    parser.add_argument("--inboxes", type=int, default=10_000, help="in which they wait")
    parser.add_argument("--messages", type=int, default=1_000)
    parser.add_argument("--rate", type=float, default=200.0, help="messages a second")


if __name__ == "__main__":
    run_alone("waits", __doc__, add_options, run)
