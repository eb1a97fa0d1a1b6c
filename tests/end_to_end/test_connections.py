"""Who has which connections to the database: mail in has its own; a pooler may stand between."""

import contextlib
import json
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn

from tests.end_to_end.daemon import RunningDaemon
from tests.patience import PATIENCE_S
from tests.store.pgbouncer import pgbouncer

MakeDaemon = Callable[..., RunningDaemon]

READERS = 200
AT_ONCE_S = 2.0
MAIL = "Subject: it is here\r\n\r\nText\r\n"


@pytest.fixture
def own_database(database_dsn: str) -> Iterator[str]:
    """The DSN of an empty database."""
    operator = psycopg2.connect(database_dsn)
    operator.autocommit = True
    name = "connections"
    with contextlib.closing(operator), operator.cursor() as cursor:
        cursor.execute(f"create database {name} encoding 'UTF8' template template0")
        yield f"{database_dsn} dbname={name}"
        cursor.execute(f"drop database {name} with (force)")


def _options(dsn: str, *more: str) -> list[str]:
    given = (f"database.dsn={dsn}", "smtp.host=127.0.0.1", "http.host=127.0.0.1", *more)
    return [part for setting in given for part in ("--set", setting)]


def test_readers_who_hold_all_their_connections_do_not_hold_up_mail(
    make_daemon: MakeDaemon, own_database: str
) -> None:
    daemon = make_daemon(*_options(own_database)).start()
    daemon.send("held@first.example", MAIL)
    ((only),) = daemon.json("/api/addresses/held@first.example/messages")
    path = f"/api/addresses/held@first.example/messages/{only['_id']}/read"
    operator = psycopg2.connect(own_database)
    with contextlib.closing(operator), operator.cursor() as cursor, contextlib.ExitStack() as open_:
        cursor.execute("select from message for update")
        address = ("127.0.0.1", daemon.ready.ports["http"])
        for _ in range(READERS):
            reader = open_.enter_context(socket.create_connection(address))
            reader.sendall(f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
        _wait_for_held(own_database, 4)
        for n in range(20):
            began = time.monotonic()
            daemon.send(f"new@domain{n}.example", MAIL)  # whose owner nobody has looked up yet
            assert time.monotonic() - began < AT_ONCE_S
        operator.rollback()
    daemon.stop()


def _wait_for_held(dsn: str, count: int) -> None:
    observer = psycopg2.connect(dsn)
    observer.autocommit = True
    with contextlib.closing(observer), observer.cursor() as cursor:
        held = 0
        deadline = time.monotonic() + PATIENCE_S
        while held < count:
            assert time.monotonic() < deadline
            time.sleep(0.02)
            cursor.execute(
                "select count(*) from pg_stat_activity"
                " where datname = current_database() and wait_event_type = 'Lock'"
            )
            ((held,),) = cursor.fetchall()


def test_a_daemon_behind_a_pooler_in_transaction_mode(
    make_daemon: MakeDaemon, own_database: str
) -> None:
    with pgbouncer(own_database, sessions=3) as pooled:
        first, second = (
            make_daemon(*_options(pooled, f"database.direct_dsn={own_database}"), name=name).start()
            for name in ("first", "second")
        )
        inbox = "/api/addresses/new@pooled.example"
        url = f"http://127.0.0.1:{second.ready.ports['http']}{inbox}/events"
        with urllib.request.urlopen(url, timeout=30) as events:
            first.send("new@pooled.example", MAIL)
            told = next(line for line in events if line.startswith(b"data:") and b"subject" in line)
        assert json.loads(told.removeprefix(b"data:"))["subject"] == "it is here"
        (listed,) = second.json(f"{inbox}/messages")
        assert first.request(f"{inbox}/messages/{listed['_id']}", "DELETE")[0] == 200
        assert second.json(f"{inbox}/messages") == []
        for daemon in (first, second):
            daemon.stop()


@pytest.mark.parametrize(
    ("direct", "part"),
    [
        ("", "set database.direct_dsn"),
        ("pooled", "set database.direct_dsn"),
        ("elsewhere", "not where database.dsn leads"),
    ],
)
def test_a_pooler_without_a_way_past_it_is_told_in_one_line(
    make_daemon: MakeDaemon, own_database: str, database_dsn: str, direct: str, part: str
) -> None:
    with pgbouncer(own_database, sessions=3) as pooled:
        way = {"": "", "pooled": pooled, "elsewhere": database_dsn}[direct]
        assert parse_dsn(database_dsn)["dbname"] != parse_dsn(own_database)["dbname"]
        daemon = make_daemon(*_options(pooled, f"database.direct_dsn={way}"))
        daemon.spawn()
        assert daemon.process.wait(30) == 1
    (line,) = [text for text in daemon.log.read_text().splitlines() if "cannot start" in text]
    assert part in line
