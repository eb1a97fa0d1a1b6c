"""Console blocks: what is typed in them, and what is to be printed then."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.documents.blocks import Block, blocks
from tests.end_to_end.daemon import RunningDaemon

TIMEOUT_S = 60
USUAL_PORTS = {
    "1025": "smtp",
    "1587": "capture",
    "1588": "submission",
    "1110": "pop3",
    "8025": "http",
}

_MARK = "\x1e"
# What is another one each time
_VOLATILE = {
    r"\b01[0-9a-z]{19}(-\d+)?(-w\d+)?\b": "(an id)",
    r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z": "(a time)",
    r"\b\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT": "(a date)",
    r"\binbox-[0-9a-f]{40}@": "(an alternate)@",
    r"\bX-Request-Id: [0-9a-f]{16}": "(a request)",
    r"\bwhsec_[\w+/=]+": "(a secret)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A command as it is typed, with all its lines, and the text that is shown below it."""

    block: Block
    command: str
    shown: str


def steps(page: str) -> Iterator[Step]:
    """Yield what the console blocks of ``page`` have typed."""
    for block in blocks():
        if block.page == page and block.language == "console":
            yield from _steps(block)


def _steps(block: Block) -> Iterator[Step]:
    lines = iter(block.text.splitlines())
    command, shown = "", list[str]()
    for line in lines:
        if not line.startswith("$ "):
            shown.append(line)
            continue
        if command:
            yield Step(block=block, command=command, shown="\n".join(shown))
        command, shown = line[2:], []
        while command.endswith("\\"):
            command += "\n" + next(lines)
        if "<<'END'" in command:
            while not command.endswith("\nEND"):
                command += "\n" + next(lines)
    yield Step(block=block, command=command, shown="\n".join(shown))


def localised(text: str, daemon: RunningDaemon) -> str:
    """Return ``text`` with the ports, the data and the programs of this machine."""
    for usual, name in USUAL_PORTS.items():
        text = re.sub(rf"\b{usual}\b", str(daemon.ready.ports[name]), text)
    text = text.replace("var/admin.key", f"{daemon.data_dir}/admin.key")
    text = text.replace("--data-dir var", f"--data-dir {daemon.data_dir}")
    return text.replace(".venv/bin/", f"{Path(sys.executable).parent}/")


def printed_by(
    typed: Sequence[Step],
    daemon: RunningDaemon,
    before: Mapping[str, str],
    variables: Mapping[str, str],
) -> list[str]:
    """Return what each of the commands prints, in one shell, with ``variables`` in its environment.

    ``before`` has what is done before a command that begins so: what the reader has done by then.
    An id that is shown stands for the last one that was printed.
    """
    script = ""
    for step in typed:
        for start, more in before.items():
            script += f"{more}\n" if step.command.startswith(start) else ""
        command = re.sub(r"\b01[0-9a-z]{19}-0\b", "$ID", localised(step.command, daemon))
        script += f"printf '{_MARK}'\n{command}\n{_ID_SEEN}"
    screen = daemon.data_dir.parent / "screen"
    with screen.open("wb") as output:
        subprocess.run(
            ["bash", "-c", script],
            stdout=output, stderr=output, stdin=subprocess.DEVNULL, timeout=TIMEOUT_S, check=False,
            cwd=screen.parent, env={**variables, "SCREEN": str(screen)},
        )  # fmt: skip
    return screen.read_text(encoding="utf-8").split(_MARK)[1:]


_ID_SEEN = """ID=$(grep -oaE '\\b01[0-9a-z]{19}-0\\b' "$SCREEN" | tail -n 1)\n"""


def is_as_shown(printed: str, shown: str) -> bool:
    """Whether ``shown`` was printed: `…` is anything, and white space does not count."""
    if not shown:
        return True  # a page does not show all that is printed
    pattern = re.escape(_stripped(shown)).replace("…", ".*")
    return re.fullmatch(pattern, _stripped(printed), re.DOTALL) is not None


def _stripped(text: str) -> str:
    for volatile, name in _VOLATILE.items():
        text = re.sub(volatile, name, text)
    return re.sub(r"\s+", "", text)
