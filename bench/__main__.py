"""Benchmarks: everything, one after the other, or one of them by its name.

python -m bench                   everything, about six minutes; the goals as one table at the end
python -m bench --quick           about two: shorter turns, fewer rounds; for a first look only
python -m bench ingest --help     one of them: ingest, stalls, latency, push, waits, http, pop3,
                                  start
python -m bench --report docs/benchmarks.md    the table goes into that page, too
"""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from bench import http, ingest, latency, pop3, push, stalls, start, waits
from bench.report import write_report
from bench.rounds import Verdict, print_verdicts


class _Part(NamedTuple):
    """A benchmark: how its options are declared, how it is run, and its options for --quick."""

    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], list[Verdict]]
    description: str | None
    quick: str


PARTS: Final[Mapping[str, _Part]] = MappingProxyType(
    {
        "ingest": _Part(ingest.add_options, ingest.run, ingest.__doc__, "--seconds 2 --rounds 1"),
        "stalls": _Part(stalls.add_options, stalls.run, stalls.__doc__, "--seconds 1"),
        "latency": _Part(latency.add_options, latency.run, latency.__doc__, "--seconds 5"),
        "push": _Part(push.add_options, push.run, push.__doc__, "--messages 400"),
        "waits": _Part(waits.add_options, waits.run, waits.__doc__, "--messages 400"),
        "http": _Part(http.add_options, http.run, http.__doc__, "--seconds 1 --messages 5000"),
        "pop3": _Part(pop3.add_options, pop3.run, pop3.__doc__, "--rounds 3"),
        "start": _Part(start.add_options, start.run, start.__doc__, "--idle-seconds 5 --rounds 1"),
    }
)


def main() -> None:
    """The command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=raw
    )
    parser.add_argument("--quick", action="store_true", help="for a first look")
    parser.add_argument("--report", type=Path, metavar="PAGE", help="where the table goes, too")
    parts = parser.add_subparsers(dest="name", metavar="NAME", title="one of them")
    parsers = {}
    for name, part in PARTS.items():
        summary = (part.description or "").partition("\n")[0]
        parsers[name] = parts.add_parser(
            name, help=summary, description=part.description, formatter_class=raw
        )
        part.add_options(parsers[name])
    options = parser.parse_args()
    if options.report and options.name:
        parser.error("--report is for a whole run: it replaces the table of all")
    verdicts = []
    if options.name:
        verdicts = PARTS[options.name].run(options)
    else:
        for name, part in PARTS.items():
            arguments = part.quick.split() if options.quick else []
            verdicts += part.run(parsers[name].parse_args(arguments))
    print_verdicts(verdicts)
    if options.report:
        write_report(options.report, verdicts, "a first look" if options.quick else "a whole run")


if __name__ == "__main__":
    main()
