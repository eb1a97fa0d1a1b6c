"""Searches by the query language in an account of some thousand messages: how long each takes.

python -m bench.search                       10,000 messages of 1 KB, as many of 20 KB: two minutes
python -m bench.search --messages 1000

What is searched for is nowhere, so all messages are looked at; a search that ends for its time goes
on until it is through.
"""

import argparse
import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

from bench.daemon import mailsacd
from bench.dialogue import Mail, mail, on_the_wire
from bench.load import Load, Plan
from bench.messages import SENDER, multipart_message, text_message
from bench.replicate import DOMAIN, claim

_KINDS: Final = {
    "1 KB": on_the_wire(text_message(1_024)),
    "20 KB multipart": on_the_wire(multipart_message(20_480)),
}
_QUERIES: Final = (
    "subject:nowhere",
    "subject:nowhere is:starred",
    "has:attachment larger:1M",
    "link:nowhere",
    "raw:nowhere",
    "header:X-Nowhere",
    "nowhere",
    '"nowhere at all"',
)


def _mails(messages: int, wire: bytes) -> Iterator[Mail]:
    for number in range(messages):
        yield mail(number, SENDER, [f"box-{number % 10}@{DOMAIN}"], wire)


def _search(connection: http.client.HTTPConnection, key: str, query: str) -> tuple[float, int]:
    """The seconds that it takes to look at everything, and in how many requests."""
    began, requests, before = time.perf_counter(), 0, ""
    while requests == 0 or before:
        asked = f"/api/search?query={quote(query)}&before={before}"
        connection.request("GET", asked, headers={"Mailsac-Key": key})
        found = json.loads(connection.getresponse().read())
        before, requests = found["next"] or "", requests + 1
    return time.perf_counter() - began, requests


def _measure(messages: int, kind: str) -> None:
    with mailsacd() as server:
        data_dir = server.data_dir or Path()
        claim(data_dir)
        key = (data_dir / "admin.key").read_text().strip()
        rate = Load(server.address, _mails(messages, _KINDS[kind]), Plan()).run().rate
        print(f"{messages:,} messages of {kind}, taken in at {rate:,.0f}/s")
        connection = http.client.HTTPConnection(server.host, server.http_port, timeout=120)
        for query in _QUERIES:
            seconds, requests = _search(connection, key, query)
            print(f"  {query:30} {1_000 * seconds:8,.0f} ms in {requests} requests")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.search",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--messages", type=int, default=10_000)
    options = parser.parse_args()
    for kind in _KINDS:
        _measure(options.messages, kind)


if __name__ == "__main__":
    main()
