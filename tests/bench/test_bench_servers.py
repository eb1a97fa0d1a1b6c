"""What a server's processes take is counted whole, and how figures become verdicts."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.__main__ import PARTS
from bench.attacks import attacks
from bench.catchers import npm_program
from bench.observers import Observer
from bench.peers import command_of
from bench.processes import descendants, proportional_mib, tree_cpu_s
from bench.quiet import settle
from bench.rounds import Figures, Row, judge
from bench.servers import go_version, version_told, wait_until

# One child works and ends, another works on; the parent waits for its standard input to end.
_FAMILY = """
import subprocess, sys
work = "import time; end = time.process_time() + 0.3\\nwhile time.process_time() < end: pass"
subprocess.run([sys.executable, "-c", work])
second = subprocess.Popen([sys.executable, "-c", work + "\\ntime.sleep(60)"])
print(second.pid, flush=True)
sys.stdin.read()
second.kill()
"""


def test_processor_time_is_of_a_process_its_children_and_those_that_ended() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _FAMILY], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        second = int(parent.stdout.readline())

        assert wait_until(lambda: tree_cpu_s(second) >= 0.25)
        assert tree_cpu_s(parent.pid) >= 0.55
        assert descendants(parent.pid) == [second]
        assert proportional_mib([parent.pid, second]) > 1
        assert settle(parent.pid) is not None
        parent.stdin.close()
    assert tree_cpu_s(parent.pid) == 0.0


@pytest.mark.parametrize(
    ("is_cost", "ours", "met"), [(False, 3.0, True), (False, 1.0, False), (True, 1.0, True)]
)
def test_a_rate_is_to_be_high_and_a_cost_low(is_cost: bool, ours: float, met: bool) -> None:
    row = Row(title="t", unit="u", goals={"peer": 1.0}, is_cost=is_cost)
    figures = {"mailsacd": Figures("mailsacd", [ours]), "peer": Figures("peer", [2.0])}

    assert [verdict.met for verdict in judge(row, figures)] == [met]


def test_requests_that_were_due_while_the_server_stood_count_as_waiting() -> None:
    asked = []

    def ask() -> None:
        asked.append(time.monotonic())
        if len(asked) == 1:
            time.sleep(0.3)

    observer = Observer("test", 0.01, lambda: iter([ask]))
    observer.start()
    assert wait_until(lambda: len(asked) > 3)
    observer.stop()

    assert sum(wait_s > 0.1 for wait_s in observer.waits_s) >= 15
    assert max(observer.waits_s) == pytest.approx(0.3, abs=0.2)


def test_a_command_has_a_name_and_a_place_for_the_port() -> None:
    assert command_of("mine=server -p {port}") == ("mine", "server -p {port}")
    with pytest.raises(ValueError, match="NAME=COMMAND"):
        command_of("mine=server")


def test_lines_of_attacking_mail_are_as_short_as_smtp_wants() -> None:
    for attack in attacks().values():
        for content in attack.stored.values():
            assert max(map(len, content.split(b"\r\n"))) <= 998


def test_every_benchmark_is_in_the_documentation() -> None:
    page = Path(__file__).parents[2] / "docs" / "benchmarks.md"
    text = page.read_text(encoding="utf-8")

    assert [name for name in PARTS if f"`{name}`" not in text] == []


def test_a_program_tells_its_version() -> None:
    print_it = "import sys; print('server v1.27.4-rc1 (go1.25)', file=sys.stderr); sys.exit(1)"
    assert version_told(sys.executable, "-c", print_it) == "1.27.4-rc1"
    assert version_told(sys.executable, "-c", "print('no number')") == ""
    assert version_told(sys.executable, "-c", "print('dev compiled with go1.26.8')") == ""
    assert version_told("/no/such/program") == ""


def test_a_go_program_has_the_version_of_its_module(tmp_path: Path) -> None:
    program = tmp_path / "server"
    module = "github.com/x/server"
    program.write_bytes(b"\x7fELF\0path\t%b\nmod\t%b\tv3.1.2\th1:x=\n" % ((module.encode(),) * 2))
    assert go_version(str(program), module) == "3.1.2"
    assert go_version(str(program), "github.com/x/other") == ""


@pytest.mark.parametrize("bin_", ["./dist/bin/x.js", {"x": "dist/bin/x.js", "other": "y.js"}])
def test_a_program_of_npm_is_where_its_package_says(tmp_path: Path, bin_: object) -> None:
    home = tmp_path / "node_modules" / "x"
    (home / "dist" / "bin").mkdir(parents=True)
    assert npm_program(tmp_path, "x") is None
    (home / "package.json").write_text(json.dumps({"version": "3.0.0", "bin": bin_}))
    assert npm_program(tmp_path, "x") is None
    script = home / "dist" / "bin" / "x.js"
    script.touch()
    assert npm_program(tmp_path, "x") == (script, "3.0.0")
