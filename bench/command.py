"""The command line of one benchmark: its options, its figures, its goals."""

import argparse
from collections.abc import Callable

from bench.rounds import Verdict, print_verdicts


def run_alone(
    name: str,
    description: str | None,
    add_options: Callable[[argparse.ArgumentParser], None],
    run: Callable[[argparse.Namespace], list[Verdict]],
) -> None:
    """`python -m bench.NAME`: what the options say is run, and the goals are printed."""
    parser = argparse.ArgumentParser(
        prog=f"python -m bench.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(parser)
    print_verdicts(run(parser.parse_args()))
