"""Requests a second over a filled store, beside a Klein route that returns a constant, and peers.

python -m bench http --messages 20000
python -m bench http --messages 1000000 --recipients 20 --peers ''
"""

import argparse
import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from time import perf_counter
from typing import Any, Final

from bench.command import run_alone
from bench.daemon import REPOSITORY, mailsacd
from bench.dialogue import LoadError
from bench.fill import fill, inbox
from bench.peers import start_all
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
_LIST, _ONE, _TEXT, _RAW = "list of 20", "metadata", "text", "raw"
_GOALS: Final[Mapping[str, Mapping[str, float]]] = {
    _LIST: {_CONSTANT: 0.6, "inbucket": 0.7},
    _ONE: {_CONSTANT: 0.6},
    _TEXT: {_CONSTANT: 0.5},
    _RAW: {_CONSTANT: 0.6, "mailpit": 0.6},
}
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
    place = f"{email}/{_first(_answer(listing), '_id')}"
    return {
        _LIST: listing,
        _ONE: f"{base}/addresses/{email}/messages/{place.rpartition('/')[2]}",
        _TEXT: f"{base}/text/{place}",
        _RAW: f"{base}/raw/{place}",
    }


def _mailpit_paths(server: Server, email: str) -> dict[str, str]:  # noqa: ARG001  it has one mailbox
    base = f"http://{server.host}:{server.http_port}/api/v1"
    listing = f"{base}/messages?limit=20"
    one = f"{base}/message/{_first(_answer(listing)['messages'], 'ID')}"
    return {_LIST: listing, _ONE: one, _RAW: f"{one}/raw"}


def _inbucket_paths(server: Server, email: str) -> dict[str, str]:
    name = email.partition("@")[0]
    listing = f"http://{server.host}:{server.http_port}/api/v1/mailbox/{name}"
    one = f"{listing}/{_first(_answer(listing), 'id')}"
    return {_LIST: listing, _ONE: one, _RAW: f"{one}/source"}


_PATHS: Final[Mapping[str, Callable[[Server, str], dict[str, str]]]] = {
    OURS: paths,
    "mailpit": _mailpit_paths,
    "inbucket": _inbucket_paths,
}


def _answer(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
        return json.load(answer)


def _first(messages: list[dict[str, str]], key: str) -> str:
    if not messages:
        raise LoadError("the inbox is empty")
    return messages[0][key]


def run(options: argparse.Namespace) -> list[Verdict]:
    """Fill a fresh daemon and its peers, then measure each URL and the constant in turns."""
    try:
        with ExitStack() as stack:
            servers = [stack.enter_context(mailsacd())]
            servers += start_all(filter(None, options.peers.split(",")), stack)
            constant = stack.enter_context(constant_route())
            urls = {(_CONSTANT, _CONSTANT): f"http://{HOST}:{constant.http_port}/"}
            for server in servers:
                started = perf_counter()
                fill(server, options.messages, options.recipients)
                print(f"\n{server.name}: {options.messages} messages filled", end=" ")
                print(f"in {perf_counter() - started:.0f} s")
                found = _PATHS[server.name](server, inbox(options.messages // 40))
                urls |= {(server.name, what): url for what, url in found.items()}
            return _measure(urls, options)
    except (LoadError, NotInstalledError, NotStartedError, OSError) as e:
        print(f"http: {e}")
        return []


def _measure(urls: Mapping[tuple[str, str], str], options: argparse.Namespace) -> list[Verdict]:
    ask = partial(requests_per_s, connections=options.connections, seconds=options.seconds)
    contestants = {" ".join(key): partial(ask, url) for key, url in urls.items()}
    measured = alternate(contestants, options.rounds, (LoadError, subprocess.TimeoutExpired))
    verdicts = []
    for what, goals in _GOALS.items():
        figures = {}
        for name, asked in urls:
            if asked in {what, _CONSTANT}:
                figures[name] = measured[f"{name} {asked}"]
                figures[name].name = name
        verdicts += compare(Row(title=f"GET {what}", unit="requests/s", goals=goals), figures)
    return verdicts


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that `run` reads."""
    parser.add_argument("--messages", type=int, default=20_000, help="in the store")
    parser.add_argument("--recipients", type=int, default=1, help="of each message that fills it")
    parser.add_argument("--peers", default="mailpit,inbucket", help="of mailpit, inbucket")
    parser.add_argument("--connections", type=int, default=8, help="of wrk")
    parser.add_argument("--rounds", type=int, default=3, help="turns for each URL")
    parser.add_argument("--seconds", type=int, default=3, help="length of a turn")


if __name__ == "__main__":
    run_alone("http", __doc__, add_options, run)
