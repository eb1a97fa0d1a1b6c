"""`mailsacd dkim`: keys of the operator's domains and of accounts'."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.program import WITHOUT_DNS
from tests.end_to_end.command import run, told, told_json
from tests.end_to_end.daemon import RunningDaemon, running_daemon

OWN = (
    *WITHOUT_DNS,
    *("--set", "server.hostname=mx.host.example", "--set", "domains.hosting=host.example"),
    *("--set", 'message.accepted_domains=["accepted.example", "*.below.example", "@registered"]'),
)


@pytest.fixture(scope="module")
def daemon(migrated_data: Path) -> Iterator[RunningDaemon]:
    with running_daemon(migrated_data, *OWN) as running:
        told(running.data_dir, "domain", "add", "admin", "vouched.example", "--vouched")
        yield running


def test_the_operators_domains_get_keys_that_wait_for_the_dns(daemon: RunningDaemon) -> None:
    shown = told(daemon.data_dir, "dkim", "show", *OWN)
    assert [line.partition(":")[0] for line in shown.splitlines()] == [
        "mx.host.example", "host.example", "accepted.example",
    ]  # fmt: skip
    made = told_json(daemon.data_dir, "dkim", "rotate", "host.example", *OWN)
    assert [(key["algorithm"], key["state"]) for key in made["host.example"]] == [
        ("rsa-sha256", "waiting"), ("ed25519-sha256", "waiting"),
    ]  # fmt: skip
    lines = told(daemon.data_dir, "dkim", "rotate", "Host.Example", *OWN).splitlines()
    assert lines[0] == "; rsa-sha256: signs when the DNS has it (to be published)"
    value = made["host.example"][0]["value"]
    assert lines[1] == f'{made["host.example"][0]["name"]}. TXT "{value[:255]}" "{value[255:]}"'


def test_an_accounts_keys_are_its_records_and_can_be_changed(daemon: RunningDaemon) -> None:
    (domain,) = told_json(daemon.data_dir, "domain", "list", "admin")
    (old, _) = told_json(daemon.data_dir, "dkim", "activate", "vouched.example")["vouched.example"]
    assert old["state"] == "active"
    assert old["value"] in [record["value"] for record in domain["records"]]
    told(daemon.data_dir, "dkim", "rotate", "vouched.example")
    keys = told_json(daemon.data_dir, "dkim", "activate", "vouched.example")["vouched.example"]
    assert [key["state"] for key in keys] == ["retired", "retired", "active", "active"]
    shown = told(daemon.data_dir, "dkim", "show", "vouched.example", *WITHOUT_DNS)
    assert "; rsa-sha256: signed before" in shown


@pytest.mark.parametrize(
    ("domain", "problem"),
    [("nobodys.example", "no domain of the server's"), ("no domain", "is not a domain")],
)
def test_a_domain_that_is_not_ours_has_no_keys(
    daemon: RunningDaemon, domain: str, problem: str
) -> None:
    refused = run(daemon.data_dir, "dkim", "rotate", domain)
    assert (refused.returncode, problem in refused.stderr) == (1, True), refused.stderr
