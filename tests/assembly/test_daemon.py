"""A whole daemon, in the process of the test."""

import gc
import sys
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.assembly.daemon import Daemon
from mailsacd.configuration import load_settings
from mailsacd.core.errors import ConfigurationError

reactor: Any = the_reactor


@pytest.mark.usefixtures("database")
@pytest_twisted.ensureDeferred
async def test_the_collector_does_not_go_through_what_a_daemon_is_made_of(
    database_dsn: str, tmp_path: Path
) -> None:
    daemon = make_daemon(database_dsn, tmp_path)
    await daemon.start()
    watched = len(gc.get_objects())
    await daemon.stop()
    assert watched * 10 < len(gc.get_objects())


@pytest.mark.usefixtures("database")
@pytest_twisted.ensureDeferred
async def test_threads_hand_the_interpreter_over_soon_for_as_long_as_the_daemon_runs(
    database_dsn: str, tmp_path: Path
) -> None:
    before_s = sys.getswitchinterval()
    daemon = make_daemon(database_dsn, tmp_path)
    await daemon.start()
    running_s = sys.getswitchinterval()
    await daemon.stop()
    assert running_s <= 0.001
    assert sys.getswitchinterval() == before_s


@pytest.mark.usefixtures("database")
@pytest_twisted.ensureDeferred
async def test_a_start_fails_at_a_domain_that_is_none(database_dsn: str, tmp_path: Path) -> None:
    daemon = make_daemon(database_dsn, tmp_path, 'message.accepted_domains=["*", "no domain"]')
    with pytest.raises(ConfigurationError, match=r"^message\.accepted_domains: 'no domain'"):
        await daemon.start()


def make_daemon(database_dsn: str, data_dir: Path, *more: str) -> Daemon:
    ports = [f"{name}.port=0" for name in ("smtp", "capture", "submission", "pop3", "http")]
    options = [f"database.dsn={database_dsn}", f"server.data_dir={data_dir}", *ports]
    return Daemon(load_settings(None, {}, [*options, *more]), reactor)
