"""Everything, one after the other, and the goals as one table at the end.

python -m bench            about five minutes
python -m bench --quick    about two: shorter turns, fewer peers; for a first look only
"""

import argparse
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from bench import http, ingest, latency, pop3, push, start
from bench.rounds import Verdict, print_verdicts


class _Part(NamedTuple):
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], list[Verdict]]
    quick: str


_PARTS: Final[Mapping[str, _Part]] = MappingProxyType(
    {
        "ingest": _Part(
            ingest.add_options,
            ingest.run,
            "--seconds 1 --peers mailsacd,postfix,postfix-hold,smtp-sink",
        ),
        "latency": _Part(latency.add_options, latency.run, "--seconds 5"),
        "push": _Part(push.add_options, push.run, "--messages 400"),
        "http": _Part(http.add_options, http.run, "--seconds 1 --messages 5000"),
        "pop3": _Part(pop3.add_options, pop3.run, "--rounds 3"),
        "start": _Part(start.add_options, start.run, "--idle-seconds 5 --rounds 1"),
    }
)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="for a first look")
    parser.add_argument("--only", choices=_PARTS, action="append", help="may be repeated")
    options = parser.parse_args()
    verdicts = []
    for name, part in _PARTS.items():
        if options.only and name not in options.only:
            continue
        part_parser = argparse.ArgumentParser()
        part.add_options(part_parser)
        arguments = part.quick.split() if options.quick else []
        verdicts += part.run(part_parser.parse_args(arguments))
    print_verdicts(verdicts)


if __name__ == "__main__":
    main()
