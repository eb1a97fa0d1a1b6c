"""What each of several workers is given of the limits that are for all."""

from pathlib import Path

import msgspec
import pytest

from mailsacd.configuration import load_settings
from mailsacd.core.errors import ConfigurationError
from mailsacd.settings import Settings
from mailsacd.workers.pipe import (
    Alive,
    Failed,
    Job,
    Logged,
    Ready,
    SharedFiles,
    as_line,
    read_job,
    read_message,
)
from mailsacd.workers.share import MAX_AUTOMATIC, check_connections, share, with_workers_counted


def _settings(*overrides: str) -> Settings:
    return load_settings(None, {}, overrides)


@pytest.mark.parametrize(
    ("overrides", "name", "part"),
    [
        (("server.workers=4", "smtp.max_connections=10"), "smtp.max_connections", 3),
        (("server.workers=4", "smtp.max_connections=2"), "smtp.max_connections", 1),
        (("server.workers=2", "http.max_connections=10"), "http.max_connections", 5),
        (("server.workers=2", "message.buffer_bytes=30000000"), "message.buffer_bytes", 15_000_000),
        (("server.workers=4", "pop3.max_connections=10"), "pop3.max_connections", 3),
        (("server.workers=4", "pop3.buffer_bytes=400"), "pop3.buffer_bytes", 100),
        (("server.workers=4", "http.buffer_bytes=400"), "http.buffer_bytes", 100),
        # a message has to fit in
        (("server.workers=4", "message.buffer_bytes=4000000"), "message.buffer_bytes", 2_621_440),
        (("server.workers=4", "message.buffer_bytes=1000000"), "message.buffer_bytes", 1_000_000),
        # what one peer or account may have is counted by all together
        (
            ("server.workers=4", "smtp.max_connections_per_peer=1000"),
            "smtp.max_connections_per_peer",
            1000,
        ),
        (
            ("server.workers=2", "websocket.max_listeners_per_account=70"),
            "websocket.max_listeners_per_account",
            70,
        ),
        (("server.workers=2", "database.connections=4"), "database.connections", 4),
    ],
)
def test_a_limit_is_shared_out(overrides: tuple[str, ...], name: str, part: int) -> None:
    shared = share(_settings(*overrides), dsn="host=/tmp", data_dir=Path("/data"))
    section, _, key = name.partition(".")
    assert getattr(getattr(shared, section), key) == part
    assert (shared.database.dsn, shared.server.data_dir) == ("host=/tmp", "/data")


def test_zero_is_a_worker_for_each_core_and_all_else_is_itself() -> None:
    assert 1 <= with_workers_counted(_settings("server.workers=0")).server.workers <= MAX_AUTOMATIC
    assert with_workers_counted(_settings("server.workers=9")).server.workers == 9
    assert with_workers_counted(_settings()) == _settings()


def test_the_embedded_database_has_to_have_connections_for_all_workers() -> None:
    check_connections(_settings("server.workers=8"))
    check_connections(_settings("server.workers=64", "database.dsn=host=db.example"))
    with pytest.raises(ConfigurationError, match=r"^server\.workers: .* for 11 workers"):
        check_connections(_settings("server.workers=12"))


def test_a_job_arrives_as_it_was_sent() -> None:
    settings = _settings("database.dsn=password=s3cret", "plans.team.domains=3")
    job = Job(
        settings=settings,
        descriptors={"smtp": 3},
        shared=SharedFiles(limits=9, figures=10),
        slot=1,
        seat=2,
    )
    assert read_job(as_line(job)) == job


@pytest.mark.parametrize(
    "message", [Ready(), Alive(), Failed("why"), Logged("info", "system", "a\nb")]
)
def test_a_message_arrives_as_it_was_sent(message: msgspec.Struct) -> None:
    line = as_line(message)  # type: ignore[arg-type]  # which of the three, only it knows
    assert line.count(b"\n") == 1
    assert read_message(line) == message


@pytest.mark.parametrize("line", [b"", b"Traceback:", b"{}", b'{"type":"other"}', b"\xff"])
def test_what_is_no_message_goes_into_the_log(line: bytes) -> None:
    assert read_message(line) == Logged("warn", "stdout", line.decode("utf-8", "replace"))
