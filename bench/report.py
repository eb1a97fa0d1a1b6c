"""Writes the goals and what came out as a table into a page, with the machine and the day."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench.rounds import Verdict
from mailsacd import __version__

BEGIN: Final = "<!-- What follows is written by `python -m bench --report`: not to be edited -->"
END: Final = "<!-- Here ends what is written by `python -m bench --report` -->"
_GIB: Final = 1 << 30


class NoPlaceError(Exception):
    """The page has no place for a report: two lines, BEGIN and END."""


def write_report(page: Path, verdicts: Sequence[Verdict], title: str) -> None:
    """Put ``verdicts`` into ``page``, in Markdown, instead of those that it has.

    Raises NoPlaceError, OSError.
    """
    text = page.read_text("utf-8")
    before, begins, rest = text.partition(BEGIN)
    _, ends, after = rest.partition(END)
    if not begins or not ends:
        raise NoPlaceError(f"{page} has no lines {BEGIN!r} and {END!r}")
    page.write_text(f"{before}{BEGIN}\n\n{table(verdicts, title)}\n{END}{after}", "utf-8")


def table(verdicts: Sequence[Verdict], title: str) -> str:
    """The verdicts as a table, below the day and the machine."""
    met = sum(verdict.met for verdict in verdicts)
    lines = [
        f"{datetime.now(UTC):%Y-%m-%d}, mailsacd {__version__}, {title} on {machine()}. "
        f"{met} of {len(verdicts)} goals are met.",
        "",
        "| what | figure | goal | |",
        "|---|---|---|---|",
    ]
    for verdict in verdicts:
        what = verdict.what.replace("|", "\\|")
        mark = "met" if verdict.met else "**missed**"
        lines.append(f"| {what} | {verdict.figure.strip()} | {verdict.wanted} | {mark} |")
    return "\n".join(lines) + "\n"


def machine() -> str:
    """What the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB
    return (
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, "
        f"Linux {platform.release()}, Python {platform.python_version()}"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
