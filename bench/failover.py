"""The primary of three PostgreSQL nodes is killed again and again, while mail is taken.

    python -m bench.failover --times 10
    python -m bench.failover --times 100 --victim node --minutes 60

A cluster of Patroni with etcd, one synchronous standby, and a daemon that has all three nodes in
`database.dsn`. In turn PostgreSQL alone is killed (-9), which Patroni starts again or replaces, and
PostgreSQL with Patroni, as when a machine is gone: another node becomes the primary, and the one
that was killed comes back as a standby before the next time. Each message has a number; at the end
the REST API says what is there: nothing acknowledged may be missing, and what is unanswered may be
there once.
"""

import argparse
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from bench.daemon import daemon_command, daemon_running
from bench.dialogue import Mail, mail, on_the_wire
from bench.kill import inbox, stored
from bench.load import Load, Plan
from bench.messages import SENDER, text_message
from bench.patroni import LOOP_WAIT_S, RETRY_TIMEOUT_S, TTL_S, Cluster, Node, formed
from bench.servers import HOST, NotInstalledError, NotStartedError, temporary_dir
from mailsacd.core.ready import Ready

GOAL_S: Final = 15.0
"""After so long mail is to be taken again."""

_RATE: Final = 100.0  # messages a second
_SIZE_BYTES: Final = 2_048
_SESSIONS: Final = 10
_BEFORE_S: Final = 2.0
_AFTER_S: Final = 1.0
_NEW_AFTER_S: Final = 0.2
"""A message that was begun so long after the kill is none that was under way."""
_GIVE_UP_S: Final = 60.0
_VICTIMS: Final = ("postgres", "node")


@dataclass(slots=True)
class Round:
    """One time that the primary was killed: when, and when mail was taken again."""

    first: int
    begun: dict[int, float] = field(default_factory=dict)
    highest: int = 0
    killed_at: float = 0.0
    again_at: float = 0.0

    def mails(self) -> Iterator[Mail]:
        """Numbered messages, until a while after mail was taken again, or in vain for too long."""
        for number in count(self.first):
            now = time.monotonic()
            if self.again_at and now > self.again_at + _AFTER_S:
                return
            if self.killed_at and now > self.killed_at + _GIVE_UP_S:
                return
            self.begun[number] = now
            self.highest = number + 1
            content = text_message(_SIZE_BYTES, f"message-{number}", str(number))
            yield mail(number, SENDER, [inbox(number)], on_the_wire(content))

    def acknowledged(self, number: int) -> None:
        """Take note of a 250."""
        is_new = self.killed_at and self.begun[number] > self.killed_at + _NEW_AFTER_S
        if is_new and not self.again_at:
            self.again_at = time.monotonic()

    @property
    def out_s(self) -> float:
        """For how long no new message was taken; infinite when none was any more."""
        return self.again_at - self.killed_at if self.again_at else float("inf")


@dataclass(slots=True)
class Tally:
    """The numbers of the messages, by what was said to them, and the times without a 250."""

    sent: int = 0
    acknowledged: set[int] = field(default_factory=set)
    unanswered: set[int] = field(default_factory=set)
    refused: int = 0
    hung: int = 0
    out_s: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in _VICTIMS})


def kill_once(ready: Ready, primary: Node, victim: str, tally: Tally) -> None:
    """Send, kill the ``primary`` meanwhile, and go on until mail is taken again."""
    turn = Round(tally.sent)

    def kill() -> None:
        turn.killed_at = time.monotonic()
        if victim == "node":
            primary.kill()
        else:
            primary.kill_postgres()

    def note(mail: Mail) -> None:
        tally.acknowledged.add(mail.number)
        turn.acknowledged(mail.number)

    killer = threading.Timer(_BEFORE_S, kill)
    killer.start()
    plan = Plan(
        sessions=_SESSIONS, rate=_RATE, tolerant=True, timeout_s=_BEFORE_S + _GIVE_UP_S + _AFTER_S
    )
    outcome = Load((HOST, ready.ports["smtp"]), turn.mails(), plan, note).run()
    killer.join()
    tally.sent = turn.highest
    tally.unanswered.update(outcome.unanswered)
    tally.refused += outcome.refused
    tally.hung += outcome.hung
    tally.out_s[victim].append(turn.out_s)
    print(
        f"  {primary.name} ({victim}): a 250 again after {turn.out_s:.1f} s; "
        f"{outcome.acknowledged} acknowledged, {len(outcome.unanswered)} unanswered, "
        f"{outcome.refused} refused, {outcome.hung} sessions without a reply",
        flush=True,
    )


def run(cluster: Cluster, ready: Ready, options: argparse.Namespace, tally: Tally) -> None:
    """Kill the primary so many times, or for so many minutes. Raises NotStartedError."""
    end = time.monotonic() + options.minutes * 60
    victims = _VICTIMS if options.victim == "both" else (options.victim,)
    for number in range(options.times):
        if not cluster.wait_until_whole():
            raise NotStartedError("the cluster is not whole again")
        primary = cluster.primary()
        if primary is None or time.monotonic() > end:
            return
        victim = victims[number % len(victims)]
        kill_once(ready, primary, victim, tally)
        if victim == "node":
            cluster.start(primary)


def report(tally: Tally, found: Counter[int]) -> bool:
    """Print what came of it; whether it is as it must be."""
    lost = sorted(number for number in tally.acknowledged if not found[number])
    twice = sorted(number for number, times in found.items() if times > 1)
    print(
        f"acknowledged {len(tally.acknowledged)}, of these stored "
        f"{len(tally.acknowledged) - len(lost)}, lost {len(lost)} {lost[:10] or ''}\n"
        f"unanswered {len(tally.unanswered)}, of these stored "
        f"{sum(found[number] > 0 for number in tally.unanswered)}; refused {tally.refused}; "
        f"sessions without a reply {tally.hung}; stored twice {len(twice)} {twice[:10] or ''}"
    )
    in_time = True
    for victim, out_s in tally.out_s.items():
        if out_s:
            middle = sorted(out_s)[len(out_s) // 2]
            print(
                f"{victim} killed {len(out_s)} times: a 250 again after {middle:.1f} s (median), "
                f"{max(out_s):.1f} s (longest); goal {GOAL_S:.0f} s"
            )
            in_time = in_time and max(out_s) <= GOAL_S
    return bool(tally.acknowledged) and not lost and not twice and in_time


def main() -> None:
    """The command line; the exit status is 1 when mail is missing or was not taken in time."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.failover",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=30.0, help="begin none after so many")
    parser.add_argument("--victim", choices=(*_VICTIMS, "both"), default="both")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that what runs is ended
    tally = Tally()
    with temporary_dir("failover") as home:
        try:
            with formed(home) as cluster:
                print(
                    f"Patroni: ttl {TTL_S} s, loop_wait {LOOP_WAIT_S} s, "
                    f"retry_timeout {RETRY_TIMEOUT_S} s; {_RATE:.0f} messages/s",
                    flush=True,
                )
                settings = ("--set", f"database.dsn={cluster.dsn}")
                command = [*daemon_command(home / "mailsacd"), *settings]
                with daemon_running(command, home / "mailsacd") as ready:
                    run(cluster, ready, options, tally)
                    found = stored(ready, tally.sent)
        except (NotInstalledError, NotStartedError) as e:
            sys.exit(f"failover: {e}")
    sys.exit(0 if report(tally, found) else 1)


if __name__ == "__main__":
    main()
