"""Fills a store through SMTP with many inboxes of few messages, spread as they arrive.

python -m bench.fill 127.0.0.1:1025 --messages 100000
"""

import argparse
from collections.abc import Iterator
from typing import Final

from bench.daemon import MESSAGES_PER_INBOX
from bench.dialogue import Mail, mail, on_the_wire
from bench.load import Load, Outcome, Plan
from bench.messages import SENDER, multipart_message
from bench.peers import server_at
from bench.servers import Server

_SIZE_BYTES: Final = 4_096
_SLOWEST_PER_S: Final = 200


def inbox(number: int) -> str:
    """The address of inbox ``number``, from 0."""
    return f"filled-{number}@bench.example"


def fill(server: Server, messages: int, recipients: int = 1) -> Outcome:
    """Send until ``messages`` are stored: a message counts once for each of its recipients.

    Every inbox gets the same number of them, a round over all inboxes at a time, so that the
    messages of one inbox do not lie side by side in the store. Raises LoadError.
    """
    plan = Plan(timeout_s=60 + messages / _SLOWEST_PER_S)
    return Load(server.address, _mails(messages, recipients), plan).run()


def _mails(messages: int, recipients: int) -> Iterator[Mail]:
    inboxes = max(messages // MESSAGES_PER_INBOX, 1)
    wire = on_the_wire(multipart_message(_SIZE_BYTES))
    for first in range(0, messages, recipients):
        numbers = range(first, min(first + recipients, messages))
        addresses = [inbox(number % inboxes) for number in numbers]
        yield mail(first, SENDER, addresses, wire, pipelining=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.fill",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("server", help="HOST:PORT")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--recipients", type=int, default=1, help="of each message sent")
    options = parser.parse_args()
    server = server_at(f"server={options.server}")
    outcome = fill(server, options.messages, options.recipients)
    print(f"{outcome.acknowledged} messages to {options.recipients} recipients each", end=" ")
    print(f"in {outcome.seconds:.1f} s: {outcome.rate:,.0f}/s")


if __name__ == "__main__":
    main()
