"""Daemons for the end-to-end tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.data_directory import copy_data
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon, running_daemon


@pytest.fixture
def make_daemon(workspace: Path, migrated_data: Path) -> Iterator[MakeDaemon]:
    """Makes daemons, not yet started; none outlives the test.

    Their database is there already, unless they are to be ``fresh``: that takes longer.
    """
    made: list[RunningDaemon] = []

    def make(*options: str, name: str = "data", fresh: bool = False) -> RunningDaemon:
        data_dir = workspace / name
        if not fresh and not data_dir.exists():
            copy_data(migrated_data, data_dir)
        made.append(RunningDaemon(data_dir, options))
        return made[-1]

    yield make
    started = [daemon for daemon in made if hasattr(daemon, "process")]
    for daemon in started:
        daemon.kill()
    for daemon in started:
        daemon.wait_for_postgres_to_end()


@pytest.fixture(scope="module")
def shared_daemon(migrated_data: Path) -> Iterator[RunningDaemon]:
    """One daemon for all tests of a module that do it no harm."""
    with running_daemon(migrated_data, "--set", "smtp.starttls=offer") as daemon:
        yield daemon
