"""Clusters of their own for the tests of the embedded PostgreSQL."""

import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor

from mailsacd.embedded.postgres import EmbeddedPostgres
from tests.data_directory import copy_data

_HOLDER = str(Path(__file__).with_name("holder.py"))


@pytest.fixture
def data_dir(workspace: Path, migrated_data: Path) -> Path:
    """A data directory with a cluster in it, which no server runs on."""
    copy_data(migrated_data, workspace / "data")
    return workspace / "data"


@pytest_twisted.async_yield_fixture
async def embedded() -> AsyncIterator[Callable[..., EmbeddedPostgres]]:
    """Makes them, not yet started; all are stopped after the test, the last one first."""
    made: list[EmbeddedPostgres] = []

    def make(data_dir: Path, bin_dir: str = "") -> EmbeddedPostgres:
        made.append(EmbeddedPostgres(data_dir, bin_dir=bin_dir, reactor=reactor))
        return made[-1]

    yield make
    for postgres in reversed(made):
        await postgres.stop()


@pytest.fixture
def hold() -> Iterator[Callable[[Path], tuple[subprocess.Popen[str], str]]]:
    """Starts another process that runs, or attaches to, the server of a data directory.

    Gives the process once the server is ready, and which of the two it was.
    """
    started: list[subprocess.Popen[str]] = []

    def start(data_dir: Path) -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, _HOLDER, str(data_dir)], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        process.send_signal(signal.SIGTERM)
        process.communicate()
