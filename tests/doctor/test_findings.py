"""What is wrong is told, with what to do about it; what is right is not complained about."""

import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
import trustme
from twisted.internet import reactor as the_reactor
from twisted.names import dns

from mailsacd.configuration import load_settings
from mailsacd.core.ready import Ready
from mailsacd.doctor.certificates import look_at_certificate
from mailsacd.doctor.database import look_at_database
from mailsacd.doctor.finding import FAULT, OK, WARNING, Finding
from mailsacd.doctor.names import look_at_names
from mailsacd.doctor.network import look_at_ports, look_at_way_out
from mailsacd.doctor.settings import look_at_settings
from mailsacd.settings import Settings
from mailsacd.store.pool import Database
from tests.outbound.name_server import Network

reactor: Any = the_reactor

HOSTNAME = "mail.example.com"
PUBLIC = ("smtp.host=0.0.0.0",)


def settings_of(*overrides: str) -> Settings:
    return load_settings(None, {}, overrides)


def verdicts(found: list[Finding]) -> list[str]:
    return [each.verdict for each in found]


@pytest_twisted.async_yield_fixture
async def network() -> AsyncIterator[Network]:
    made = Network(reactor)
    yield made
    await made.stop()


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("server.hostname=", "server.hostname is empty"),
        ("http.public_url=", "http.public_url is empty"),
        ("throttle.enabled=false", "throttle.enabled is false"),
        ("accounts.sign_up=open", "anybody may make an account"),
        ("pop3.plain_login=always", "pop3.plain_login takes passwords"),
    ],
)
def test_what_a_public_server_should_not_have_is_named(override: str, told: str) -> None:
    good = (f"server.hostname={HOSTNAME}", "http.public_url=https://mail.example.com")
    assert verdicts(look_at_settings(settings_of(*PUBLIC, *good))) == [OK]
    (found,) = look_at_settings(settings_of(*PUBLIC, *good, override))
    assert found.verdict == WARNING
    assert told in found.told
    assert verdicts(look_at_settings(settings_of(override))) == [OK]  # for this machine alone


def _certificate(directory: Path, name: str, until: datetime) -> Settings:
    issued = trustme.CA().issue_cert(name, not_after=until)
    file, key = directory / "cert.pem", directory / "key.pem"
    issued.cert_chain_pems[0].write_to_path(file)
    issued.private_key_pem.write_to_path(key)
    return settings_of(f"tls.certificate={file}", f"tls.private_key={key}")


@pytest.mark.parametrize(
    ("name", "days", "expected"),
    [
        (HOSTNAME, 60, [OK]),
        ("*.example.com", 60, [OK]),
        (HOSTNAME, 3, [WARNING]),
        (HOSTNAME, -3, [FAULT]),
        ("other.example.com", 60, [OK, WARNING]),
    ],
)
def test_a_certificate_is_for_this_server_and_not_about_to_end(
    tmp_path: Path, name: str, days: int, expected: list[str]
) -> None:
    settings = _certificate(tmp_path, name, datetime.now(UTC) + timedelta(days=days))
    assert verdicts(look_at_certificate(settings, tmp_path, HOSTNAME)) == expected


def test_a_self_signed_certificate_is_for_this_machine_alone(tmp_path: Path) -> None:
    assert verdicts(look_at_certificate(settings_of(), tmp_path, HOSTNAME)) == [OK]
    assert verdicts(look_at_certificate(settings_of(*PUBLIC), tmp_path, HOSTNAME)) == [WARNING]
    gone = settings_of("tls.certificate=/nowhere/a.pem", "tls.private_key=/nowhere/b.pem")
    assert verdicts(look_at_certificate(gone, tmp_path, HOSTNAME)) == [FAULT]


@pytest_twisted.ensureDeferred
async def test_the_name_leads_to_the_server_and_back_and_mail_comes_here(network: Network) -> None:
    settings = settings_of(*PUBLIC, "domains.hosting=hosted.example")
    answers, resolver = network.usual.answers, network.resolver()
    found, _ = await look_at_names(settings, HOSTNAME, resolver)
    assert (found.verdict, found.told) == (FAULT, f"{HOSTNAME} has no address")
    answers.add(HOSTNAME, dns.Record_A("192.0.2.7"))
    answers.add("7.2.0.192.in-addr.arpa", dns.Record_PTR("other.example"))
    answers.add("hosted.example", dns.Record_MX(10, "elsewhere.example"))
    found_all = await look_at_names(settings, HOSTNAME, resolver)
    assert [(each.verdict, each.told) for each in found_all] == [
        (OK, f"{HOSTNAME} is 192.0.2.7"),
        (WARNING, f"192.0.2.7 is other.example and not {HOSTNAME}"),
        (FAULT, "mail for hosted.example goes to elsewhere.example"),
    ]
    answers.add("7.2.0.192.in-addr.arpa", dns.Record_PTR(HOSTNAME))
    answers.add("hosted.example", dns.Record_MX(20, HOSTNAME))
    assert verdicts(await look_at_names(settings, HOSTNAME, resolver)) == [OK, OK]
    answers.silent.add(HOSTNAME)
    assert verdicts(await look_at_names(settings, HOSTNAME, resolver)) == [FAULT]
    assert verdicts(await look_at_names(settings_of(), HOSTNAME, resolver)) == [OK]


@pytest_twisted.ensureDeferred
async def test_ports_are_free_before_the_start_and_serve_after_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        free = ("capture.port=0", "submission.port=0", "pop3.port=0", "http.port=0")
        settings = settings_of(f"smtp.port={port}", *free)
        found = await look_at_ports(settings, None, reactor)
        assert found[0].verdict == FAULT
        assert found[0].told == f"smtp: 127.0.0.1 port {port} is in use"
        assert set(verdicts(found[1:])) == {OK}
        ready = Ready(pid=1, version="1", ports={"smtp": port})
        assert verdicts(await look_at_ports(settings, ready, reactor)) == [OK]
    (found_gone,) = await look_at_ports(settings, ready, reactor)
    assert found_gone.verdict == FAULT
    assert "refused" in found_gone.told


@pytest_twisted.ensureDeferred
async def test_mail_gets_out_by_the_mail_host_or_the_smarthost(network: Network) -> None:
    answers, resolver = network.usual.answers, network.resolver()
    answers.add("big.example", dns.Record_MX(10, "localhost"))
    with socket.create_server(("127.0.0.1", 0)) as open_:
        port = open_.getsockname()[1]
        reached = await look_at_way_out(settings_of(), "big.example", resolver, port, reactor)
        assert verdicts(reached) == [OK]
        smart = settings_of(f"relay.smarthost=127.0.0.1:{port}")
        assert verdicts(await look_at_way_out(smart, "", resolver, 25, reactor)) == [OK]
    closed = await look_at_way_out(settings_of(), "big.example", resolver, port, reactor)
    assert verdicts(closed) == [WARNING]
    assert "open port 25" in closed[0].advice
    assert verdicts(await look_at_way_out(smart, "", resolver, 25, reactor)) == [WARNING]
    answers.silent.add("silent.example")
    silent = await look_at_way_out(settings_of(), "silent.example", resolver, port, reactor)
    assert verdicts(silent) == [FAULT]


@pytest_twisted.ensureDeferred
async def test_the_database_is_looked_at(database: Database, stopped_database: Database) -> None:
    (found,) = await look_at_database(settings_of(), database)
    assert found.verdict == OK
    assert found.told.startswith("PostgreSQL ")
    many = await look_at_database(settings_of("database.connections=200"), database)
    assert verdicts(many) == [OK, WARNING]
    assert verdicts(await look_at_database(settings_of(), stopped_database)) == [FAULT]
