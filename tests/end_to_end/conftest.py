"""Daemons for the end-to-end tests."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.daemon import RunningDaemon


@pytest.fixture
def workspace() -> Iterator[Path]:
    """A directory that everybody may enter: root's PostgreSQL runs as somebody else."""
    directory = Path(tempfile.mkdtemp(prefix="mailsacd-test-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def make_daemon(workspace: Path) -> Iterator[Callable[..., RunningDaemon]]:
    """Makes daemons, not yet started; none outlives the test."""
    made: list[RunningDaemon] = []

    def make(*options: str, name: str = "data") -> RunningDaemon:
        daemon = RunningDaemon(workspace / name, options)
        made.append(daemon)
        return daemon

    yield make
    started = [daemon for daemon in made if hasattr(daemon, "process")]
    for daemon in started:
        daemon.kill()
    for daemon in started:
        daemon.wait_for_postgres_to_end()


@pytest.fixture(scope="module")
def shared_daemon() -> Iterator[RunningDaemon]:
    """One daemon for all tests of a module that do it no harm."""
    directory = Path(tempfile.mkdtemp(prefix="mailsacd-test-"))
    directory.chmod(0o755)
    daemon = RunningDaemon(directory / "data").start()
    yield daemon
    daemon.stop()
    shutil.rmtree(directory)
