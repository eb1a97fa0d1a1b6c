"""A daemon that may read on a standby: whoever has a 250 or 2xx finds it by every call at once."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mailsacd.ports import listeners
from mailsacd.settings import Settings
from tests.end_to_end.command import run, told, told_json
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon
from tests.end_to_end.hook import call
from tests.external_postgres import ExternalPostgres
from tests.patience import block_until

DOMAIN = "anns.example"
BOX = f"box@{DOMAIN}"


@dataclass
class Node:
    """A daemon, and an account at it that owns DOMAIN."""

    daemon: RunningDaemon
    written: int = 0

    def write(self) -> str:
        """Have something new in every list and number, and return what tells it from others."""
        self.written += 1
        mark = f"mark{self.written:04d}"
        self.daemon.send(BOX, f"Subject: {mark}\r\n\r\n\r\n")
        (newest, *_) = call(self.daemon, "GET", f"/api/addresses/{BOX}/messages")
        call(self.daemon, "PUT", f"/api/addresses/{BOX}/messages/{newest['_id']}/star")
        attached = base64.b64encode(mark.encode()).decode()
        head = "MIME-Version: 1.0\r\nContent-Type: image/png\r\n"
        self.daemon.send(
            f"{mark}@public.example",
            f"{head}Content-Transfer-Encoding: base64\r\n"
            f"Content-Disposition: attachment; filename=a.png\r\n\r\n{attached}\r\n",
            f"{mark}@senders.example",
        )
        self.daemon.send(f"{mark}@words.example", f"Subject: s\r\n\r\nbeginning {mark}\r\n")
        return mark

    def get(self, path: str) -> str:
        """Return what a call answers, or what is downloaded, as a text."""
        key = (self.daemon.data_dir / "admin.key").read_text().strip()
        sign = "&" if "?" in path else "?"
        status, _, body = self.daemon.request(f"{path}{sign}_mailsacKey={key}")
        assert status == 200, (path, body)
        return body.decode()

    def count(self, name: str, **labels: str) -> float:
        """Return a figure."""
        _, _, text = self.daemon.request("/metrics")
        return sum(
            sample.value
            for family in text_string_to_metric_families(text.decode())
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


Shows = Callable[[Node, str], Any]


def _md5(mark: str) -> str:
    return hashlib.md5(mark.encode(), usedforsecurity=False).hexdigest()


ATTACHMENTS = "/api/mailstats/common-attachments"
CALLS: dict[str, Shows] = {
    "inbox": lambda node, mark: mark in node.get("/api/inbox"),
    "search": lambda node, mark: mark in node.get(f"/api/inbox-filter?andSubjectIncludes={mark}"),
    "starred": lambda node, mark: mark in node.get("/api/addresses/starred/messages"),
    "domain": lambda node, mark: mark in node.get(f"/api/domains/{DOMAIN}/messages"),
    "me": lambda node, _: json.loads(node.get("/api/me/stats"))["storedMessages"] == node.written,
    "senders": lambda node, mark: mark in node.get("/api/mailstats/top-senders?limit=1000"),
    "count": lambda node, mark: '"n":1' in node.get(f"{ATTACHMENTS}/{_md5(mark)}/count"),
    "with": lambda node, mark: mark in node.get(f"{ATTACHMENTS}/{_md5(mark)}"),
    "download": lambda node, mark: node.get(f"{ATTACHMENTS}/{_md5(mark)}/download") == mark,
    "words": lambda node, mark: f"beginning {mark}" in node.get(f"/inbox/{mark}@words.example"),
}


@pytest.fixture
def standby(external_postgres: ExternalPostgres) -> ExternalPostgres:
    directory = external_postgres.directory.with_name("standby")
    return external_postgres.standby(directory, synchronous=False)


def _options(primary: ExternalPostgres, replica_dsn: str, *settings: str) -> list[str]:
    hosts = tuple(f"{name}.host=127.0.0.1" for name in listeners(Settings()))
    words = (
        f"database.dsn={primary.dsn}",
        f"database.replica_dsn={replica_dsn}",
        *hosts,
        *settings,
    )
    return [word for setting in words for word in ("--set", setting)]


@pytest.fixture
def make_node(external_postgres: ExternalPostgres, make_daemon: MakeDaemon) -> Callable[..., Node]:
    """Makes a node which may read at a DSN."""

    def make(replica_dsn: str, *settings: str) -> Node:
        options = _options(external_postgres, replica_dsn, *settings)
        daemon = make_daemon(*options, fresh=True).start()
        told(daemon.data_dir, "account", "add", "ann", "--email", "ann@example.net", *options)
        key = told_json(daemon.data_dir, "key", "add", "ann", *options)["key"]
        (daemon.data_dir / "admin.key").write_text(key)
        external_postgres.run(
            "insert into domain (name, owner, verified, is_private, verification_txt)"
            f" values ('{DOMAIN}', 'ann', true, true, '')",
            "notify mailsacd_directory, ''",
        )
        return Node(daemon)

    return make


def test_every_call_tells_at_once_what_was_written_wherever_it_is_read(
    external_postgres: ExternalPostgres,
    standby: ExternalPostgres,
    make_node: Callable[..., Node],
) -> None:
    node = make_node(standby.dsn)

    def is_read_on_standby(shows: Shows) -> bool:
        before = node.count("mailsacd_reads_total", where="standby")
        assert shows(node, node.write())
        return node.count("mailsacd_reads_total", where="standby") > before

    for shows in CALLS.values():
        block_until(lambda shows=shows: is_read_on_standby(shows))  # type: ignore[misc]  # bound now
    standby.run("select pg_wal_replay_pause()")
    before = node.count("mailsacd_reads_total", where="standby")
    for shows in CALLS.values():
        assert shows(node, node.write())
    assert node.count("mailsacd_reads_total", where="standby") == before
    assert node.count("mailsacd_read_fallbacks_total", why="behind") >= 1
    standby.run("select pg_wal_replay_resume()")
    standby.kill()
    for shows in CALLS.values():
        assert shows(node, node.write())
    standby.start()
    block_until(lambda: is_read_on_standby(CALLS["search"]))
    node.daemon.stop()


def test_a_daemon_starts_without_its_standby_and_doctor_tells_what_is_wrong_with_one(
    external_postgres: ExternalPostgres,
    standby: ExternalPostgres,
    make_node: Callable[..., Node],
) -> None:
    def doctor(replica_dsn: str) -> list[str]:
        found = run(
            node.daemon.data_dir, "doctor", "--json", *_options(external_postgres, replica_dsn)
        ).stdout
        return [each["verdict"] for each in json.loads(found) if each["area"] == "replica"]

    standby.kill()
    node = make_node(standby.dsn, "server.workers=2")
    assert CALLS["search"](node, node.write())
    assert node.count("mailsacd_read_fallbacks_total", why="away") == 1
    assert doctor(standby.dsn) == ["fault"]
    standby.start()
    assert doctor(standby.dsn) == ["ok"]
    assert doctor(external_postgres.dsn) == ["fault"]  # which is no standby
    assert doctor(standby.dsn.replace("dbname=postgres", "dbname=template1")) == ["fault"]
    standby.run("select pg_wal_replay_pause()")
    node.write()
    assert doctor(standby.dsn) == ["warning"]
    assert doctor("") == []
    node.daemon.stop()


def test_without_a_standby_there_is_nothing_to_tell_of_one(
    make_node: Callable[..., Node],
) -> None:
    node = make_node("")
    assert CALLS["search"](node, node.write())
    assert b"replica" not in node.daemon.request("/metrics")[2]
    assert b"mailsacd_reads_total" not in node.daemon.request("/metrics")[2]
    node.daemon.stop()
