"""What is queued arrives: kill -9 while mail goes out, and an account of every recipient.

    python -m bench.relay                        # all three
    python -m bench.relay kill --messages 1000 --kills 12
    python -m bench.relay kill --victim postgres
    python -m bench.relay rate --messages 3000
    python -m bench.relay claims --rows 100000

``kill`` queues messages by the API, for a recipient at another host and one that is received here.
That host refuses some, defers some and drops connections, and the daemon is killed at random
moments. Then everybody is accounted for: what was acknowledged has arrived or was reported to have
failed, once; a second copy is allowed only of one whose taking the host did not get through.

``rate`` measures how fast mail with two DKIM signatures goes to Postfix's smtp-sink. ``claims``
measures what a search for mail to be sent costs in a long queue beside a short one.
"""

import argparse
from collections.abc import Callable, Sequence

from bench.relay_claims import measure_claims
from bench.relay_kill import kill_and_account
from bench.relay_rate import measure_rate
from bench.rounds import Verdict, print_verdicts


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of all three to ``parser``."""
    parser.add_argument("parts", nargs="*", metavar="PART", help="kill, rate, claims; else all")
    parser.add_argument("--messages", type=int, default=1_000)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--victim", choices=("daemon", "postgres"), default="daemon")
    parser.add_argument("--rows", type=int, default=100_000)


def run(options: argparse.Namespace) -> list[Verdict]:
    """Run what the options name."""
    parts: dict[str, Callable[[], Sequence[Verdict]]] = {
        "kill": lambda: kill_and_account(options.messages, options.kills, options.victim),
        "rate": lambda: measure_rate(options.messages),
        "claims": lambda: measure_claims(options.rows),
    }
    return [verdict for name in options.parts or parts for verdict in parts[name]()]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.relay",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(parser)
    options = parser.parse_args()
    if not {*options.parts} <= {"kill", "rate", "claims"}:
        parser.error("the parts are kill, rate and claims")
    print_verdicts(run(options))


if __name__ == "__main__":
    main()
