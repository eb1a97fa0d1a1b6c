"""ready.json, by which programs learn the daemon's ports."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import permutations
from pathlib import Path

import pytest

from mailsacd.core.ready import Ready, read_ready


def test_what_was_written_is_read(tmp_path: Path) -> None:
    ready = Ready(pid=os.getpid(), version="1", ports={"smtp": 1025})
    ready.write(tmp_path)
    assert read_ready(tmp_path) == ready
    ready.remove(tmp_path)
    assert list(tmp_path.iterdir()) == []


@contextmanager
def daemon(number: int) -> Iterator[Ready]:
    """One that runs."""
    process = subprocess.Popen(["sleep", "60"])
    try:
        yield Ready(pid=process.pid, version="1", ports={"smtp": number})
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def running() -> Iterator[list[Ready]]:
    """Three daemons."""
    with ExitStack() as ending:
        yield [ending.enter_context(daemon(number)) for number in range(3)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_of_several_on_the_same_data_the_youngest_that_runs_is_told_of(
    tmp_path: Path, running: list[Ready], order: tuple[int, ...]
) -> None:
    for each in running:
        each.write(tmp_path)
        assert read_ready(tmp_path) == each
    left = list(running)
    for number in order:
        running[number].remove(tmp_path)
        left.remove(running[number])
        assert read_ready(tmp_path) == (left[-1] if left else None)
    assert list(tmp_path.iterdir()) == []


def test_one_that_was_killed_is_passed_over(tmp_path: Path, running: list[Ready]) -> None:
    for each in running:
        each.write(tmp_path)
    for number in (2, 0):
        os.kill(running[number].pid, signal.SIGKILL)
        os.waitid(os.P_PID, running[number].pid, os.WEXITED)
    assert read_ready(tmp_path) == running[1]
    running[1].remove(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_one_that_started_again_with_the_same_id_is_told_of_once(tmp_path: Path) -> None:
    for port in (1, 2):
        again = Ready(pid=os.getpid(), version="1", ports={"smtp": port})
        again.write(tmp_path)
    again.remove(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_or_broken_file_is_none(tmp_path: Path) -> None:
    assert read_ready(tmp_path) is None
    for broken in ("", "{", "[]", '{"pid": 1}', '{"pid": "x", "version": "", "ports": {}}'):
        (tmp_path / "ready.json").write_text(broken)
        assert read_ready(tmp_path) is None
