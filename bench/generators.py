"""The two programs that send mail: Postfix's `smtp-source`, and the generator of this package."""

import resource
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from time import perf_counter
from typing import Final

from bench.dialogue import LoadError, mail, on_the_wire
from bench.load import Load, Plan
from bench.messages import RECIPIENT, SENDER, SHAPES
from bench.servers import NotInstalledError, Server, program

_TIMEOUT_S: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is sent, and how: ``kept`` sends all over the sessions' first connections."""

    kind: str
    size_bytes: int
    kept: bool


Send = Callable[[Server, Shape, int, int], float]
"""Sends a number of messages in a number of sessions; gives the seconds that it took."""


def send_own(server: Server, shape: Shape, sessions: int, count: int) -> float:
    """By the generator of this package. Raises LoadError."""
    wire = on_the_wire(SHAPES[shape.kind](shape.size_bytes))
    mails = repeat(mail(0, SENDER, [RECIPIENT], wire), count)
    plan = Plan(sessions=sessions, kept=shape.kept, timeout_s=_TIMEOUT_S)
    outcome = Load(server.address, iter(mails), plan).run()
    if outcome.acknowledged != count:
        raise LoadError(f"{outcome.acknowledged} of {count} messages were taken")
    return outcome.seconds


def send_by_smtp_source(server: Server, shape: Shape, sessions: int, count: int) -> float:
    """By Postfix's generator, which stops at the first reply it does not like: LoadError."""
    path = program("smtp-source", "apt-get install postfix")
    with tempfile.NamedTemporaryFile(prefix="mailsacd-bench-") as file:
        Path(file.name).write_bytes(SHAPES[shape.kind](shape.size_bytes).replace(b"\r\n", b"\n"))
        command = [path, "-s", str(sessions), "-m", str(count), "-F", file.name]
        command += ["-M", "bench.example", "-f", SENDER, "-t", RECIPIENT]
        command += ["-d"] if shape.kept else []
        started = perf_counter()
        try:
            done = subprocess.run(
                [*command, f"{server.host}:{server.port}"],
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as e:
            raise LoadError(f"not done after {_TIMEOUT_S:.0f} s") from e
        seconds = perf_counter() - started
    if done.returncode:
        raise LoadError(done.stderr.decode(errors="replace").strip()[-200:])
    return seconds


GENERATORS: Final[Mapping[str, Send]] = {"own": send_own, "smtp-source": send_by_smtp_source}


def default_generator() -> str:
    """`smtp-source` where it is installed: it takes less of the machine than Python does."""
    try:
        program("smtp-source", "")
    except NotInstalledError:
        return "own"
    return "smtp-source"


def generator_cpu_s() -> float:
    """Return the processor seconds of this process and of the generators that it waited for."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
