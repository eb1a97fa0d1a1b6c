"""Two daemons on one external PostgreSQL: what one is told the other knows, and each job is done
once; one that is killed, or a primary that is, costs nothing that was acknowledged."""

import json
import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from websockets.sync.client import ClientConnection, connect

from mailsacd.ports import listeners
from mailsacd.settings import Settings
from tests.end_to_end.command import told, told_json
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon
from tests.end_to_end.hook import Hook, call, delivered, listening_hook, states
from tests.end_to_end.load import end, missing, more_acknowledged, under_load
from tests.external_postgres import ExternalPostgres, both
from tests.patience import PATIENCE_S, block_until

BOX = "box@private.example"
MakeNodes = Callable[..., tuple[RunningDaemon, RunningDaemon]]


@pytest.fixture
def make_nodes(make_daemon: MakeDaemon) -> MakeNodes:
    """Makes two daemons on the database at a DSN, which run, and an account whose key both have."""

    def make(dsn: str, *settings: str) -> tuple[RunningDaemon, RunningDaemon]:
        hosts = tuple(f"{name}.host=127.0.0.1" for name in listeners(Settings()))
        words = (f"database.dsn={dsn}", *hosts, *settings)
        options = [word for setting in words for word in ("--set", setting)]
        first, second = (make_daemon(*options, name=name, fresh=True) for name in ("one", "two"))
        first.start()
        second.start()
        place = ("--set", f"database.dsn={dsn}")
        told(first.data_dir, "account", "add", "ann", "--email", "ann@example.net", *place)
        key = told_json(first.data_dir, "key", "add", "ann", *place)["key"]
        for node in (first, second):
            (node.data_dir / "admin.key").write_text(key)
        return first, second

    return make


@pytest.fixture
def hook() -> Iterator[Hook]:
    with listening_hook() as made:
        yield made


def test_what_comes_in_at_one_is_pushed_read_and_deleted_at_the_other(
    external_postgres: ExternalPostgres, make_nodes: MakeNodes
) -> None:
    one, two = make_nodes(external_postgres.dsn)
    call(two, "POST", f"/api/addresses/{BOX}", {"enablews": True})
    with _listening(two) as socket:
        one.send(BOX, "Subject: hi\r\n\r\n")
        (listed,) = call(two, "GET", f"/api/addresses/{BOX}/messages")  # at once after the 250
        frame = _pushed(socket)
    assert frame["_id"] == listed["_id"]
    assert frame["subject"] == "hi"
    call(two, "DELETE", f"/api/addresses/{BOX}/messages/{listed['_id']}")
    assert call(one, "GET", f"/api/addresses/{BOX}/messages") == []
    one.stop()
    two.stop()


@contextmanager
def _listening(node: RunningDaemon) -> Iterator[ClientConnection]:
    """Who waits at a node for mail to BOX."""
    key = (node.data_dir / "admin.key").read_text()
    url = f"ws://127.0.0.1:{node.ready.ports['http']}/incoming-messages?key={key}&addresses={BOX}"
    with connect(url) as socket:
        assert json.loads(socket.recv(PATIENCE_S))["msg"] == "Listening"
        yield socket


def _pushed(socket: ClientConnection) -> dict[str, object]:
    """The next message."""
    while "email" not in (frame := json.loads(socket.recv(PATIENCE_S))):
        pass
    email: dict[str, object] = frame["email"]
    return email


def test_a_webhook_is_posted_by_one_of_the_two_and_by_the_other_when_that_is_killed(
    external_postgres: ExternalPostgres, make_nodes: MakeNodes, hook: Hook
) -> None:
    settings = ('webhook.allowed_networks=["127.0.0.0/8"]', "webhook.timeout_s=1")
    one, two = make_nodes(external_postgres.dsn, *settings)
    call(one, "POST", f"/api/addresses/{BOX}", {"webhook": hook.url})
    for number in range(20):
        (one, two)[number % 2].send(BOX, f"Subject: {number}\r\n\r\n")
    block_until(lambda: states(two) == ["delivered"] * 20)
    assert sorted(hook.got) == sorted(delivered(two))
    hook.answers.clear()
    for number in range(10):
        one.send(BOX, f"Subject: {number}\r\n\r\n")
    block_until(lambda: len(hook.got) > 20)  # some are under way
    one.kill()
    hook.answers.set()
    block_until(lambda: states(two) == ["delivered"] * 30)
    assert set(hook.got) == set(delivered(two))
    two.stop()


def test_two_recycle_what_comes_in_at_both_and_one_goes_on_alone(
    external_postgres: ExternalPostgres, make_nodes: MakeNodes
) -> None:
    one, two = make_nodes(external_postgres.dsn, "storage.max_messages=80")
    place = ("--set", f"database.dsn={external_postgres.dsn}")

    def total() -> int:
        stored: int = told_json(two.data_dir, "stats", *place)["stored"]["messages"]
        return stored

    senders = [*under_load(one, 2, name="one"), *under_load(two, 2, name="two")]
    more_acknowledged(senders, 30)
    one.kill()
    more_acknowledged(senders[2:], 30)
    end(senders)
    block_until(lambda: total() == 80)
    assert told_json(two.data_dir, "stats", "--check", *place) == {"wrong": []}
    two.stop()


def test_a_primary_that_is_killed_costs_both_nodes_a_while_and_no_mail(
    external_postgres: ExternalPostgres, make_nodes: MakeNodes
) -> None:
    primary = external_postgres
    standby = primary.standby(primary.directory.with_name("standby"))
    nodes = make_nodes(both(primary, standby))
    call(nodes[0], "POST", f"/api/addresses/{BOX}", {"enablews": True})
    with _listening(nodes[1]) as socket:
        senders = [
            sender
            for number, node in enumerate(nodes)
            for sender in under_load(node, 2, comes_back=True, name=f"node{number}")
        ]
        primary.kill()
        block_until(lambda: {sender.refusals == {451} for sender in senders} == {True})
        assert all(node.request("/api/addresses/a@b.example/messages")[0] == 503 for node in nodes)
        standby.promote()
        more_acknowledged(senders)
        end(senders)
        assert missing(nodes[1], senders) == []
        nodes[0].send(BOX, "Subject: after it\r\n\r\n")
        assert _pushed(socket)["subject"] == "after it"
    for node in nodes:
        node.stop()


def test_a_database_that_turned_read_only_is_451_until_it_is_no_more(
    external_postgres: ExternalPostgres, make_nodes: MakeNodes
) -> None:
    nodes = make_nodes(external_postgres.dsn)
    external_postgres.run("alter system set default_transaction_read_only = on")
    external_postgres.run("select pg_reload_conf()")
    # A server tells its sessions with their next statement, and may take what that brings
    block_until(lambda: [_code(node, "refused") for node in nodes] == [451, 451])
    external_postgres.run("set default_transaction_read_only = off", _NO_LONGER, _RELOAD)
    block_until(lambda: [_code(node, "taken") for node in nodes] == [250, 250])
    for node in nodes:
        node.stop()


_NO_LONGER = "alter system reset default_transaction_read_only"
_RELOAD = "select pg_reload_conf()"


def _code(node: RunningDaemon, name: str) -> int:
    """What a message is answered with."""
    try:
        node.send(f"{name}@example.com", "Subject: x\r\n\r\n")
    except smtplib.SMTPRecipientsRefused as e:
        return next(iter(e.recipients.values()))[0]
    except smtplib.SMTPResponseException as e:
        return e.smtp_code
    return 250
