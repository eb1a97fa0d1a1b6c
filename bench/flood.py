"""A flood of public mail: is the store's size flat, and is a private inbox as fast as without?

python -m bench.flood                             two minutes, at the full speed of 20 sessions
python -m bench.flood --seconds 30 --cap 20000
python -m bench.flood --server mine=127.0.0.1:1025 --http-port 8025 --key k_… --data-dir DIR

Half of the flood goes to a hundred public inboxes, each of which has too much at once; the other
half each to an inbox of its own, which only a cap on everything bounds. Our own daemon has
``--cap`` messages as its cap, and is flooded until it is full before the clock begins. Room of what
was removed is used again once it is vacuumed, so the size counts from a quarter of the time on.
What is kept for 15 minutes and then goes (table_sizes.FILLING) does not count: it is shown. A
private inbox gets a message and is listed 20 times a second, without the flood and then beside it.
"""

import argparse
import json
import multiprocessing
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Final

from bench.command import run_alone
from bench.daemon import daemon_command, daemon_running
from bench.dialogue import LoadError, Mail, mail, on_the_wire
from bench.latency import percentile_ms
from bench.load import Load, Plan
from bench.messages import SENDER, text_message
from bench.observers import Observer, getting, mailing
from bench.peers import server_at
from bench.rounds import Verdict
from bench.servers import NotStartedError, Server, temporary_dir
from bench.table_sizes import FILLING, sizes_mb

MAX_SECONDS: Final = 120.0
_PRIVATE: Final = "private@bench.example"
_POPULAR: Final = 100
_SIZE_BYTES: Final = 2_048
_EVERY_S: Final = 0.05
_CALM_S: Final = 10.0
_FILLING_S: Final = 60.0
_GRACE_S: Final = 30.0
_SAMPLES: Final = 12
_MOST_GROWTH: Final = 1.1
_SHOWN_MB: Final = 1.0
_MOST_P99_MS: Final = 500.0
Sizes = Mapping[str, float]
"""Megabytes by table and index."""

_FORK: Final = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server, a key of the account that owns the private inbox, and where its data is."""

    server: Server
    key: str
    data_dir: Path | None


@contextmanager
def _target(options: argparse.Namespace) -> Iterator[Target]:
    if options.server is not None:
        server = replace(options.server, http_port=options.http_port)
        yield Target(server=server, key=options.key, data_dir=options.data_dir)
        return
    with temporary_dir("flood") as home:
        data_dir = home / "data"
        command = daemon_command(data_dir)
        for setting in ("storage.public_per_inbox=6", f"storage.max_messages={options.cap}"):
            command += ["--set", setting]
        with daemon_running(command, data_dir) as ready:
            ports = ready.ports
            server = Server(
                name="mailsacd", port=ports["smtp"], http_port=ports["http"], pid=ready.pid
            )
            key = (data_dir / "admin.key").read_text(encoding="ascii").strip()
            yield Target(server=server, key=key, data_dir=data_dir)


def _flood(server: Server, seconds: float, sessions: int) -> None:
    plan = Plan(sessions=sessions, tolerant=True, timeout_s=seconds + _GRACE_S)
    outcome = Load(server.address, _mails(time.monotonic() + seconds), plan).run()
    print(f"  flood: {outcome.acknowledged} messages, {outcome.rate:,.0f}/s", flush=True)


def _mails(end: float) -> Iterator[Mail]:
    wire = on_the_wire(text_message(_SIZE_BYTES))
    for number in count():
        if time.monotonic() > end:
            return
        name = f"popular{number // 2 % _POPULAR}" if number % 2 else f"own{number}"
        yield mail(number, SENDER, [f"{name}@flood.example"], wire)


def _fill(server: Server, messages: int) -> None:
    """Send so many messages, each to an inbox of its own."""
    wire = on_the_wire(text_message(_SIZE_BYTES))
    mails = (mail(n, SENDER, [f"first{n}@flood.example"], wire) for n in range(messages))
    Load(server.address, mails, Plan(timeout_s=_FILLING_S)).run()


@contextmanager
def _flooding(server: Server, seconds: float, sessions: int) -> Iterator[None]:
    process = _FORK.Process(target=_flood, args=(server, seconds, sessions), daemon=True)
    process.start()
    try:
        yield
        process.join(_GRACE_S)
    finally:
        process.kill()


def _ask(target: Target, method: str, path: str) -> bytes:
    server = target.server
    url = f"http://{server.host}:{server.http_port}/api{path}"
    request = urllib.request.Request(url, method=method, headers={"Mailsac-Key": target.key})
    with urllib.request.urlopen(request, timeout=_GRACE_S) as answer:
        content: bytes = answer.read()
        return content


def _private_mail(target: Target) -> list[Observer]:
    """Mail to the private inbox, and lists of it; each message is told apart by nothing."""
    head = f"GET /api/addresses/{_PRIVATE}/messages HTTP/1.1\r\nMailsac-Key: {target.key}\r\n"
    content = text_message(1_024, "private")
    return [
        Observer("taking in", _EVERY_S, lambda: mailing(target.server, content, _PRIVATE)),
        Observer("listing", _EVERY_S, lambda: getting(target.server, head.encode(), b"")),
    ]


def _observed(target: Target, seconds: float) -> tuple[list[Observer], list[Sizes]]:
    """The observers of so many seconds, and the sizes of the tables at even times."""
    clients, sizes = _private_mail(target), list[Sizes]()
    for client in clients:
        client.start()
    started = time.monotonic()
    for sample in range(_SAMPLES + 1):
        after_s = seconds * sample / _SAMPLES
        time.sleep(max(started + after_s - time.monotonic(), 0.0))
        if target.data_dir is not None:
            sizes.append(sizes_mb(target.data_dir))
            print(f"  {after_s:5.1f} s  {sum(sizes[-1].values()):8.1f} MB", flush=True)
    for client in clients:
        client.stop()
    return clients, sizes


def run(options: argparse.Namespace) -> list[Verdict]:
    """Fill, wait, flood. Raises LoadError and NotStartedError."""
    seconds = min(options.seconds, MAX_SECONDS)
    print(f"\nA flood of public mail for {seconds:.0f} s, at most {options.cap} messages kept")
    try:
        with _target(options) as target:
            return _measured(target, seconds, options)
    except (LoadError, NotStartedError, OSError) as e:
        print(f"  failed: {e}")
        return []


def _measured(target: Target, seconds: float, options: argparse.Namespace) -> list[Verdict]:
    _ask(target, "POST", f"/addresses/{_PRIVATE}")
    _fill(target.server, options.cap)
    print("  without a flood:")
    calm, _ = _observed(target, _CALM_S)
    print("  beside the flood:")
    with _flooding(target.server, seconds, options.sessions):
        flooded, sizes = _observed(target, seconds)
    sent = sum(len(each[0].waits_s) for each in (calm, flooded))
    kept = json.loads(_ask(target, "GET", f"/addresses/{_PRIVATE}/message-count"))["count"]
    print(f"  private inbox: {kept} messages of about {sent} that were sent")
    verdicts = [_compared(*pair) for pair in zip(calm, flooded, strict=True)]
    return [*_flat(sizes), *verdicts]


def _flat(sizes: list[Sizes]) -> list[Verdict]:
    if not sizes:
        return []
    early, late = sizes[_SAMPLES // 4], sizes[-1]
    print("  MB after a quarter of the flood, and at its end:")
    for name, mb in sorted(late.items(), key=lambda item: -item[1]):
        if mb >= _SHOWN_MB:
            kept = "  (kept for 15 minutes)" if name in FILLING else ""
            print(f"    {name:<20} {early.get(name, 0.0):8.1f} {mb:8.1f}{kept}")
    growth = _recycled_mb(late) / _recycled_mb(early)
    return [
        Verdict(
            what="a flood of public mail: size of the store, end / first quarter",
            figure=f"{growth:.2f}",
            wanted=f"at most {_MOST_GROWTH:g}",
            met=growth <= _MOST_GROWTH,
        )
    ]


def _recycled_mb(sizes: Sizes) -> float:
    return sum(mb for name, mb in sizes.items() if name not in FILLING)


def _compared(calm: Observer, flooded: Observer) -> Verdict:
    figures = {"without": calm.waits_s, "beside the flood": flooded.waits_s}
    for name, waits_s in figures.items():
        shown = "  ".join(f"p{p} {percentile_ms(waits_s, p):.1f}" for p in (50, 99))
        print(f"  private inbox, {calm.name}, {name}: {shown} ms")
    p99_ms = percentile_ms(flooded.waits_s, 99)
    return Verdict(
        what=f"private inbox beside a flood of public mail, {calm.name}: p99",
        figure=f"{p99_ms:.0f} ms",
        wanted=f"at most {_MOST_P99_MS:g} ms",
        met=p99_ms <= _MOST_P99_MS and not flooded.refused,
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that `run` reads."""
    parser.add_argument("--seconds", type=float, default=MAX_SECONDS, help="at most 120")
    parser.add_argument("--sessions", type=int, default=20, help="kept connections of the flood")
    parser.add_argument("--cap", type=int, default=100_000, help="messages kept in all")
    parser.add_argument("--server", type=server_at, metavar="NAME=HOST:PORT")
    parser.add_argument("--http-port", type=int, default=8025, help="of --server")
    parser.add_argument("--key", default="", help="of an account of --server")
    parser.add_argument("--data-dir", type=Path, help="of --server, if it is on this machine")


if __name__ == "__main__":
    run_alone("flood", __doc__, add_options, run)
