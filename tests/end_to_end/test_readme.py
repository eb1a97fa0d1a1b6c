"""The README is true: its tour is typed as it stands, and prints what it says."""

import re
import subprocess
import sys
from pathlib import Path

from tests.documents.console import USUAL_PORTS, Step, is_as_shown, localised, steps
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "In another, in the same directory", "In a script"
TIMEOUT_S = 60
ID = r"01[0-9a-z]{19}-0"

# What a person does who sees the screen: waits for it, and copies an id from it.
_SEEN = "until grep -q '{}' \"$SCREEN\"; do sleep 0.05; done\n"
_BEFORE = {
    "printf 'Subject: pushed": _SEEN.format(": listening"),
    "kill %1": _SEEN.format("^data: "),
    "curl -s $API/text": f"ID=$(grep -oE '{ID}' \"$SCREEN\" | tail -n 1)\n",
}


def _tour() -> list[Step]:
    """What is typed after the start, up to the section on scripts."""
    text = README.read_text(encoding="utf-8")
    begin, end = (text[: text.index(words)].count("\n") for words in (BEGIN, END))
    return [step for step in steps("README.md") if begin < step.block.line <= end]


def _script(daemon: RunningDaemon) -> str:
    script = ""
    for command in (step.command for step in _tour()):
        script += next((more for start, more in _BEFORE.items() if command.startswith(start)), "")
        script += re.sub(ID, "$ID", command) + "\n"
    return localised(script, daemon)


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
    told = [line for step in _tour() for line in step.shown.splitlines() if line.strip()]
    missing = [line for line in told if not re.search(_pattern(line), printed)]
    assert not missing, printed


def _step(begins: str) -> Step:
    (found,) = (step for step in steps("README.md") if step.command.startswith(begins))
    return found


def test_the_start_prints_what_the_readme_says(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(fresh=True).start()
    daemon.stop()
    printed = daemon.log.read_text(encoding="utf-8")
    for usual, name in USUAL_PORTS.items():
        printed = printed.replace(f":{daemon.ready.ports[name]}", f":{usual}")
    banner = _step("make run").shown.replace("/home/you/mailsacd/var", str(daemon.data_dir))
    at_no_terminal = re.sub(r"\n +Key .*", "", banner)  # the key is shown at a terminal alone
    assert at_no_terminal != banner
    assert is_as_shown(printed, f"…{at_no_terminal}…")


def test_a_script_starts_it_in_the_background(workspace: Path) -> None:
    bin_ = str(Path(sys.executable).parent)
    script = "\n".join(
        _step(f".venv/bin/{one}").command for one in ("twistd mailsacd", "mailsacd wait")
    )
    script += f"\n{_step('kill $(cat').command}\nwhile [ -e twistd.pid ]; do sleep 0.05; done"
    free = {f"MAILSACD_{name.upper()}_PORT": "0" for name in USUAL_PORTS.values()}
    printed = subprocess.run(
        ["bash", "-ec", script.replace(".venv/bin", bin_)],
        check=True, stdout=subprocess.PIPE, text=True, timeout=TIMEOUT_S, cwd=workspace,
        env={"PATH": "/usr/bin:/bin", **free},
    ).stdout  # fmt: skip
    shown = _step(".venv/bin/mailsacd wait").shown
    assert re.sub(r"\d+", "…", printed).strip() == re.sub(r"\d+", "…", shown).strip()
