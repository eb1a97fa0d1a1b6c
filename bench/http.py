"""Requests a second over a filled store, beside a Klein route that returns a constant.

python -m bench.http --messages 20000
python -m bench.http --messages 1000000 --recipients 20
"""

import argparse
import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import Final

from bench.command import run_alone
from bench.daemon import REPOSITORY, mailsacd
from bench.dialogue import LoadError
from bench.fill import fill, inbox
from bench.rounds import OURS, Row, Verdict, alternate, compare
from bench.servers import (
    HOST,
    NotInstalledError,
    NotStartedError,
    Server,
    free_port,
    listens,
    program,
    running,
)

_CONSTANT: Final = "constant"
_GOALS: Final = {"list of 20": 0.5, "metadata": 0.5, "text": 0.4, "raw": 0.4}
_TIMEOUT_S: Final = 30
_RATE: Final = re.compile(r"Requests/sec:\s+([0-9.]+)")
_FAULTS: Final = re.compile(r"Non-2xx or 3xx responses: \d+|Socket errors: .*")


@contextmanager
def constant_route() -> Iterator[Server]:
    """The peer: a Klein process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "bench.constant", str(port)]
    with running(command, listens(port), cwd=REPOSITORY) as process:
        yield Server(name=_CONSTANT, port=port, http_port=port, pid=process.pid)


def requests_per_s(url: str, connections: int, seconds: int) -> float:
    """What wrk reaches. Raises LoadError when an answer was none of 2xx."""
    wrk = program("wrk", "apt-get install wrk")
    done = subprocess.run(
        [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", url],
        capture_output=True,
        timeout=seconds + _TIMEOUT_S,
        check=False,
    )
    printed = done.stdout.decode()
    rate = _RATE.search(printed)
    fault = _FAULTS.search(printed)
    if rate is None or fault is not None:
        raise LoadError(fault.group() if fault else done.stderr.decode().strip())
    return float(rate.group(1))


def paths(server: Server, email: str) -> dict[str, str]:
    """The URLs to ask for, by the name of their row. Raises LoadError when the inbox is empty."""
    base = f"http://{server.host}:{server.http_port}/api"
    listing = f"{base}/addresses/{email}/messages"
    with urllib.request.urlopen(listing, timeout=_TIMEOUT_S) as answer:
        messages = json.load(answer)
    if not messages:
        raise LoadError(f"{email} is empty")
    message_id = messages[0]["_id"]
    return {
        "list of 20": listing,
        "metadata": f"{listing}/{message_id}",
        "text": f"{base}/text/{email}/{message_id}",
        "raw": f"{base}/raw/{email}/{message_id}",
    }


def run(options: argparse.Namespace) -> list[Verdict]:
    """Fill a fresh daemon, then measure each URL and the constant in turns."""
    try:
        with mailsacd() as server, constant_route() as constant:
            started = perf_counter()
            fill(server, options.messages, options.recipients)
            print(f"\n{options.messages} messages filled in {perf_counter() - started:.0f} s")
            return _measure(server, constant, options)
    except (LoadError, NotInstalledError, NotStartedError, OSError) as e:
        print(f"http: {e}")
        return []


def _measure(server: Server, constant: Server, options: argparse.Namespace) -> list[Verdict]:
    ask = partial(requests_per_s, connections=options.connections, seconds=options.seconds)
    constant_url = f"http://{HOST}:{constant.http_port}/"
    urls = paths(server, inbox(options.messages // 40))
    contestants: dict[str, Callable[[], float]] = {_CONSTANT: partial(ask, constant_url)}
    contestants |= {what: partial(ask, url) for what, url in urls.items()}
    figures = alternate(contestants, options.rounds, (LoadError, subprocess.TimeoutExpired))
    verdicts = []
    for what in urls:
        row = Row(title=f"GET {what}", unit="requests/s", goals={_CONSTANT: _GOALS[what]})
        figures[what].name = OURS
        verdicts += compare(row, {OURS: figures[what], _CONSTANT: figures[_CONSTANT]})
    return verdicts


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that `run` reads."""
    parser.add_argument("--messages", type=int, default=20_000, help="in the store")
    parser.add_argument("--recipients", type=int, default=1, help="of each message that fills it")
    parser.add_argument("--connections", type=int, default=50, help="of wrk")
    parser.add_argument("--rounds", type=int, default=3, help="turns for each URL")
    parser.add_argument("--seconds", type=int, default=3, help="length of a turn")


if __name__ == "__main__":
    run_alone("http", __doc__, add_options, run)
