"""ready.json, by which programs learn the daemon's ports."""

import os
from pathlib import Path

from mailsacd.core.ready import Ready, is_alive, read_ready


def test_what_was_written_is_read(tmp_path: Path) -> None:
    ready = Ready(pid=os.getpid(), version="1", ports={"smtp": 1025})
    ready.write(tmp_path)
    assert read_ready(tmp_path) == ready
    ready.remove(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_file_of_another_daemon_is_left_alone(tmp_path: Path) -> None:
    other = Ready(pid=1, version="1", ports={})
    other.write(tmp_path)
    Ready(pid=2, version="1", ports={}).remove(tmp_path)
    assert read_ready(tmp_path) == other


def test_a_missing_or_broken_file_is_none(tmp_path: Path) -> None:
    assert read_ready(tmp_path) is None
    for broken in ("", "{", "[]", '{"pid": 1}'):
        (tmp_path / "ready.json").write_text(broken)
        assert read_ready(tmp_path) is None


def test_a_process_that_ended_is_not_alive() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    assert not is_alive(pid)
    assert is_alive(os.getpid())
