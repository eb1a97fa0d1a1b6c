"""A million stored messages of one account, beside the empty store: what is slower for it?

python -m bench.growth                        about three minutes
python -m bench.growth --messages 100000      less than one

Two daemons are measured in turns. Both have the same few messages in an inbox of an account's
domain; one has a million others in that domain, which are put there by SQL. What is asked for a
page, a message or a number is to cost the same in both; a search is to be short in any case. At the
end all mail of the domain is deleted.
"""

import argparse
import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from bench.command import run_alone
from bench.daemon import mailsacd
from bench.dialogue import LoadError, Mail, mail, on_the_wire
from bench.load import Load, Plan
from bench.messages import SENDER, text_message
from bench.replicate import (
    DOMAIN,
    FORMER,
    NEWER,
    SUBJECT,
    WORDS,
    claim,
    left,
    replicate,
    settle,
)
from bench.rounds import Figures, Verdict, alternate
from bench.servers import NotStartedError, Server

_INBOX: Final = f"own@{DOMAIN}"
_TIMEOUT_S: Final = 120
_ASKED: Final = 15
_SENT: Final = 1_000
_RATIO: Final = 0.9
_PAGE_MS, _SEARCH_MS, _DELETION_MS = 10.0, 50.0, 1_000.0
_BASE: Final = f"/api/addresses/{_INBOX}/messages"
_PAGES: Final[Mapping[str, str]] = {
    "list of 20": _BASE,
    "/inbox": "/api/inbox",
    "/inbox?skip=1000": "/api/inbox?skip=1000",
    "/me/stats": "/api/me/stats",
    f"/domains/{DOMAIN}": f"/api/domains/{DOMAIN}",
}
_SEARCHES: Final[Mapping[str, str]] = {
    f"search: {word}, in one of {every:,}": f"/api/inbox-search?query={word}"
    for word, every in WORDS.items()
} | {
    f"search: {FORMER}, in one of 10 but for {NEWER:,}": f"/api/inbox-search?query={FORMER}",
    "search: nowhere": "/api/inbox-search?query=nowhere",
    "search: two letters, nowhere": "/api/inbox-search?query=qz",
    "search: a whole address": f"/api/inbox-search?query=i77@{DOMAIN}",
    "search: what is read": "/api/inbox-filter?andRead=true",
}


class _Client:
    """Asks one daemon with the key of its first account."""

    def __init__(self, server: Server) -> None:
        if server.data_dir is None:
            raise NotStartedError("where its data is is not known")
        self.server = server
        self.data_dir: Path = server.data_dir
        self._key = (server.data_dir / "admin.key").read_text().strip()
        self._connection = http.client.HTTPConnection(
            server.host, server.http_port, timeout=_TIMEOUT_S
        )

    def ask(self, method: str, path: str) -> tuple[bytes, float]:
        """The answer's body, and how many milliseconds it took. Raises LoadError."""
        began = time.perf_counter()
        self._connection.request(method, path, headers={"Mailsac-Key": self._key})
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status >= http.client.MULTIPLE_CHOICES:
            raise LoadError(f"{method} {path}: {answer.status} {body[:200]!r}")
        return body, 1_000 * (time.perf_counter() - began)

    def usual_ms(self, path: str) -> float:
        """The median of some requests."""
        return median(self.ask("GET", path)[1] for _ in range(_ASKED))

    def one_ms(self) -> float:
        """The same for single messages."""
        return median(self.ask("GET", f"{_BASE}/{id_}")[1] for id_ in self._ids())

    def deletion_ms(self) -> float:
        """The same for deletions of single messages."""
        return median(self.ask("DELETE", f"{_BASE}/{id_}")[1] for id_ in self._ids())

    def send(self, messages: int) -> float:
        """Messages a second that it takes in, 1 KB each, on kept connections."""
        return Load(self.server.address, _mails(messages), Plan()).run().rate

    def _ids(self) -> list[str]:
        listed = json.loads(self.ask("GET", f"{_BASE}?limit={_ASKED}")[0])
        return [message["_id"] for message in listed]


def _mails(messages: int) -> Iterator[Mail]:
    wire = on_the_wire(text_message(1_024, SUBJECT))
    for number in range(messages):
        yield mail(number, SENDER, [_INBOX], wire)


def run(options: argparse.Namespace) -> list[Verdict]:
    """Fill one of two daemons, measure both in turns, delete everything."""
    try:
        with ExitStack() as stack:
            empty, full = (_Client(stack.enter_context(mailsacd())) for _ in range(2))
            for client in (empty, full):
                claim(client.data_dir)
                client.send(_ASKED)
            began = time.perf_counter()
            replicate(full.data_dir, options.messages, int(time.time() * 1_000))
            print(f"{options.messages:,} messages filled in {time.perf_counter() - began:.0f} s")
            for client in (empty, full):
                settle(client.data_dir)
            verdicts = _compare(empty, full, options.rounds)
            return verdicts + _delete(full)
    except (LoadError, NotStartedError, OSError) as e:
        print(f"growth: {e}")
        return []


def _compare(empty: _Client, full: _Client, rounds: int) -> list[Verdict]:
    clients = {"empty": empty, "full": full}
    verdicts = []
    rate = _turns({name: partial(c.send, _SENT) for name, c in clients.items()}, rounds)
    verdicts.append(_judged("taking in, messages/s", rate, rate["full"] / rate["empty"], None))
    measured: dict[str, tuple[Callable[[_Client], float], float | None]] = {
        **{what: (_asking(path), _PAGE_MS) for what, path in _PAGES.items()},
        "one message": (_Client.one_ms, None),
        "deletion of one": (_Client.deletion_ms, None),
        **{what: (_asking(path), _SEARCH_MS) for what, path in _SEARCHES.items()},
    }
    for what, (ask, most_ms) in measured.items():
        ms = _turns({name: partial(ask, c) for name, c in clients.items()}, rounds)
        verdicts.append(_judged(f"{what}, ms", ms, ms["empty"] / ms["full"], most_ms))
    return verdicts


def _asking(path: str) -> Callable[[_Client], float]:
    return lambda client: client.usual_ms(path)


def _turns(contestants: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    figures: Mapping[str, Figures] = alternate(contestants, rounds, ())
    return {name: each.median for name, each in figures.items()}


def _judged(
    what: str, figures: Mapping[str, float], ratio: float, most_ms: float | None
) -> Verdict:
    """As fast as in the empty store, or, where ``most_ms`` is given, fast enough."""
    empty, full = figures["empty"], figures["full"]
    print(f"  {what:<44} empty {empty:>9,.2f}  full {full:>9,.2f}  {ratio:.2f} times as fast")
    if most_ms is None:
        return Verdict(
            what=what, figure=f"{ratio:.2f}", wanted=f"at least {_RATIO}", met=ratio >= _RATIO
        )
    return Verdict(
        what=what, figure=f"{full:.1f}", wanted=f"at most {most_ms:g}", met=full <= most_ms
    )


def _delete(full: _Client) -> list[Verdict]:
    began = time.perf_counter()
    _, answered_ms = full.ask("POST", f"/api/domains/{DOMAIN}/delete-all-domain-mail")
    listed, inbox_ms = full.ask("GET", "/api/inbox")
    _, stats_ms = full.ask("GET", "/api/me/stats")
    if json.loads(listed)["messages"]:
        raise LoadError("there is mail in a domain whose mail was deleted")
    while left(full.data_dir):
        time.sleep(1)
    print(f"  its rows were removed in {time.perf_counter() - began:.0f} s")
    return [
        Verdict(what=what, figure=f"{ms:.1f}", wanted=f"at most {most:g}", met=ms <= most)
        for what, ms, most in (
            ("delete-all-domain-mail, ms", answered_ms, _DELETION_MS),
            ("/inbox right after it, ms", inbox_ms, _PAGE_MS),
            ("/me/stats right after it, ms", stats_ms, _PAGE_MS),
        )
    ]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that `run` reads."""
    parser.add_argument("--messages", type=int, default=1_000_000, help="in the full store")
    parser.add_argument("--rounds", type=int, default=3, help="turns for each")


if __name__ == "__main__":
    run_alone("growth", __doc__, add_options, run)
