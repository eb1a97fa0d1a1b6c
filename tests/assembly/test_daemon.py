"""A whole daemon, in the process of the test."""

import gc
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.assembly.daemon import Daemon
from mailsacd.configuration import load_settings

reactor: Any = the_reactor


@pytest.mark.usefixtures("database")
@pytest_twisted.ensureDeferred
async def test_the_collector_does_not_go_through_what_a_daemon_is_made_of(
    database_dsn: str, tmp_path: Path
) -> None:
    ports = [f"{name}.port=0" for name in ("smtp", "capture", "pop3", "http")]
    options = [f"database.dsn={database_dsn}", f"server.data_dir={tmp_path}", *ports]
    daemon = Daemon(load_settings(None, {}, options), reactor)
    await daemon.start()
    watched = len(gc.get_objects())
    await daemon.stop()
    assert watched * 10 < len(gc.get_objects())
