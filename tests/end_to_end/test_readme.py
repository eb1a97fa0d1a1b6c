"""The README is true: its tour is typed as it stands, and prints what it says."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.end_to_end.daemon import MakeDaemon, RunningDaemon

README = Path(__file__).parents[2] / "README.md"
TIMEOUT_S = 60
ID = r"01[0-9a-z]{19}-0"

# What a person does who sees the screen: waits for it, and copies an id from it.
_SEEN = "until grep -q '{}' \"$SCREEN\"; do sleep 0.05; done\n"
_BEFORE = {
    "printf 'Subject: pushed": _SEEN.format(": listening"),
    "kill %1": _SEEN.format("^data: "),
    "curl -s $API/text": f"ID=$(grep -oE '{ID}' \"$SCREEN\" | tail -n 1)\n",
}


def _typed_and_told() -> Iterator[tuple[str, list[str]]]:
    """Each command of the tour, with the lines that are to follow it."""
    text = README.read_text(encoding="utf-8")
    tour = text.partition("In another, in the same directory")[2].partition("In a script")[0]
    fences = re.findall(r"^```console\n(.*?)^```$", tour, re.DOTALL | re.MULTILINE)
    lines = iter("".join(fences).splitlines())
    command, told = "", list[str]()
    for line in lines:
        if not line.startswith("$ "):
            told.append(line)
            continue
        if command:
            yield command, told
        command, told = line[2:], []
        while command.endswith("\\"):
            command += "\n" + next(lines)
        if "<<'END'" in command:
            while not command.endswith("\nEND"):
                command += "\n" + next(lines)
    yield command, told


def _script(daemon: RunningDaemon) -> str:
    script = ""
    for command, _ in _typed_and_told():
        script += next((more for start, more in _BEFORE.items() if command.startswith(start)), "")
        script += re.sub(ID, "$ID", command) + "\n"
    ports = {"1025": "smtp", "1587": "capture", "1110": "pop3", "8025": "http"}
    for usual, name in ports.items():
        script = script.replace(usual, str(daemon.ready.ports[name]))
    script = script.replace("var/admin.key", f"{daemon.data_dir}/admin.key")
    script = script.replace("--data-dir var", f"--data-dir {daemon.data_dir}")
    return script.replace(".venv/bin", str(Path(sys.executable).parent))


def _pattern(line: str) -> str:
    """A line that is told as a regular expression: what differs each time may differ."""
    escaped = re.escape(line).replace("…", ".*")
    escaped = re.sub(ID.replace("-0", r"\\-0"), ID, escaped)
    return re.sub(r"^id:\\ [\w\\-]+$", r"id:\\ \\S+", escaped)


def test_the_tour_prints_what_the_readme_says(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(fresh=True).start()
    screen = daemon.data_dir.parent / "screen"
    with screen.open("wb") as output:
        subprocess.run(
            ["bash", "-c", _script(daemon)],
            check=True, stdout=output, stderr=output, timeout=TIMEOUT_S,
            env={"PATH": "/usr/bin:/bin", "SCREEN": str(screen)},
        )  # fmt: skip
    printed = screen.read_text(encoding="utf-8")
    told = [line for _, lines in _typed_and_told() for line in lines if line.strip()]
    missing = [line for line in told if not re.search(_pattern(line), printed)]
    assert not missing, printed
