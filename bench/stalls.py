"""How long others wait while somebody makes the server work hard: does the reactor ever stand?

python -m bench stalls                        every attack
python -m bench stalls --attacks calm,bodies
python -m bench stalls --server mine=127.0.0.1:1025 --http-port 8025

Well-behaved clients ask `/livez` every 5 ms over a kept connection, send mail and log in, while
one attack after the other runs from another process. Requests that would have been asked while one
waits count as waiting, too.
"""

import argparse
import json
import multiprocessing
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bench.attacks import Attack, attacks, store
from bench.command import run_alone
from bench.daemon import daemon_command, daemon_running
from bench.dialogue import LoadError
from bench.latency import percentile_ms
from bench.observers import Observer, observers
from bench.peers import server_at
from bench.rounds import Verdict
from bench.servers import NotStartedError, Server, temporary_dir

_LOGIN: Final = {"name": "observer", "password": "correct horse battery"}
_P99_GOAL_MS: Final = 500.0
_STALL_GOAL_MS: Final = 20.0
_LONGEST_ATTACK_S: Final = 30.0
_FORK: Final = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class Target:
    """A server; ``login`` is of an account there, where one is known."""

    server: Server
    login: dict[str, str] | None


@contextmanager
def _daemon() -> Iterator[Target]:
    with temporary_dir("stalls") as home:
        command = [*daemon_command(home / "data"), "--set", "accounts.sign_up=open"]
        with daemon_running(command, home / "data") as ready:
            server = Server(
                name="mailsacd",
                port=ready.ports["smtp"],
                http_port=ready.ports["http"],
                pid=ready.pid,
            )
            yield Target(server, _signed_up(server))


def _signed_up(server: Server) -> dict[str, str] | None:
    body = json.dumps({**_LOGIN, "email": "observer@bench.example"}).encode()
    url = f"http://{server.host}:{server.http_port}/api/auth/sign-up"
    headers = {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10).close()
    return _LOGIN


def measure(target: Target, attack: Attack, rest_s: float) -> tuple[list[Observer], float]:
    """The clients, after one attack and a rest; and the seconds that the attack took."""
    store(target.server, attack.stored)
    clients = observers(target.server, target.login)
    attacker = _FORK.Process(target=attack.run, args=(target.server,), daemon=True)
    for client in clients:
        client.start()
    time.sleep(rest_s / 2)
    started = time.monotonic()
    attacker.start()
    attacker.join(_LONGEST_ATTACK_S)
    taken_s = time.monotonic() - started
    attacker.kill()
    time.sleep(rest_s)
    for client in clients:
        client.stop()
    return clients, taken_s


def run(options: argparse.Namespace) -> list[Verdict]:
    """Every attack asked for, one after the other, each on a fresh daemon of our own."""
    known = attacks()
    verdicts = []
    print("\nOthers' waits in ms while the server is attacked")
    for name in options.attacks:
        try:
            with _target(options) as target:
                verdicts += _measured(target, known[name], options.seconds)
        except (LoadError, NotStartedError, OSError) as e:
            print(f"  {known[name].title}: {e}")
    return verdicts


@contextmanager
def _target(options: argparse.Namespace) -> Iterator[Target]:
    if options.server is not None:
        yield Target(replace(options.server, http_port=options.http_port), None)
    else:
        with _daemon() as target:
            yield target


def _measured(target: Target, attack: Attack, rest_s: float) -> list[Verdict]:
    memory = _Memory(target.server.pid)
    clients, taken_s = measure(target, attack, rest_s)
    print(f"\n  {attack.title}: {taken_s:.1f} s; {memory.grown()}")
    for client in clients:
        print(f"    {client.name:<16} {_shown(client)}")
    return _judge(attack, clients)


def _shown(client: Observer) -> str:
    refused = f"; {client.refused} refused" if client.refused else ""
    if not client.waits_s:
        return f"no answer{refused}"
    figures = "  ".join(f"p{p} {percentile_ms(client.waits_s, p):9.2f}" for p in (50, 99))
    return f"{figures}  worst {max(client.waits_s) * 1000:9.2f}  ({len(client.waits_s)}{refused})"


def _judge(attack: Attack, clients: list[Observer]) -> list[Verdict]:
    answered = [client for client in clients if client.waits_s]
    p99 = max(percentile_ms(client.waits_s, 99) for client in answered)
    worst = max(clients[0].waits_s, default=0.0) * 1000
    return [
        Verdict(
            what=f"{attack.title[:44]}: {what}",
            figure=f"{figure:.1f} ms",
            wanted=f"at most {goal:g} ms",
            met=figure <= goal and len(answered) == len(clients),
        )
        for what, figure, goal in (
            ("others' p99", p99, _P99_GOAL_MS),
            ("worst /livez", worst, _STALL_GOAL_MS),
        )
    ]


class _Memory:
    """How much a process's resident memory grows, at its highest."""

    def __init__(self, pid: int | None) -> None:
        self._pid = pid
        if pid:
            # 5 sets the high-water mark to what is resident now (proc(5))
            Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
            self._before = self._highest_mib()

    def grown(self) -> str:
        """Return the growth as a text."""
        if not self._pid:
            return "memory not known"
        highest = self._highest_mib()
        return f"resident {self._before:.0f} MiB, at most {highest - self._before:.0f} more"

    def _highest_mib(self) -> float:
        lines = Path(f"/proc/{self._pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - attacks().keys():
        raise argparse.ArgumentTypeError(f"not known: {', '.join(sorted(unknown))}")
    return names


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that `run` reads."""
    names = list(attacks())
    parser.add_argument("--attacks", type=_names, default=names, help=f"of {', '.join(names)}")
    parser.add_argument("--server", type=server_at, metavar="NAME=HOST:PORT", help="SMTP")
    parser.add_argument("--http-port", type=int, default=8025, help="of that server")
    parser.add_argument("--seconds", type=float, default=2.0, help="watched after each attack")


if __name__ == "__main__":
    run_alone("stalls", __doc__, add_options, run)
