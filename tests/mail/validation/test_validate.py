"""Is it a mail address, and a disposable one? Asked of a name server on the loopback."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import CancelledError, ensureDeferred
from twisted.internet.task import Clock, deferLater
from twisted.names import dns

from mailsacd.mail.validation.validate import (
    MAX_HOSTS,
    REMEMBER_FAILURE_S,
    REMEMBER_S,
    TIMEOUT_S,
    Validator,
)
from mailsacd.outbound.dns import Resolver
from mailsacd.settings import DnsSettings
from tests.outbound.name_server import NameServer

reactor: Any = the_reactor


@dataclass
class House:
    server: NameServer
    clock: Clock
    validator: Validator

    def point(self, domain: str, host: str, ip: str, *names: str) -> None:
        """Mail of ``domain`` goes to ``host`` at ``ip``, which is called ``names``."""
        answers = self.server.answers
        answers.add(domain, dns.Record_MX(10, host))
        answers.add(host, dns.Record_A(ip))
        pointer = ".".join(reversed(ip.split("."))) + ".in-addr.arpa"
        answers.add(pointer, *(dns.Record_PTR(name) for name in names))


@pytest_twisted.async_yield_fixture
async def house() -> AsyncIterator[House]:
    server = NameServer(reactor)
    settings = DnsSettings(servers=(f"127.0.0.1:{server.port}",), timeout_s=0.2)
    clock = Clock()
    yield House(server, clock, Validator(Resolver(settings, reactor), reactor=clock))
    await server.stop()


@pytest.mark.parametrize(
    ("email", "local", "domain"),
    [
        ("bob@shop.example", "bob", "shop.example"),
        ("BoB+Tag@Shop.EXAMPLE", "bob+tag", "shop.example"),
        ('"a b"@shop.example', '"a b"', "shop.example"),
        ("bob@[192.0.2.1]", "bob", "[192.0.2.1]"),
        ("jürgen@münchen.example", "jürgen", "xn--mnchen-3ya.example"),
        ("!#$%&'*+/=?^_`{|}~-@shop.example", "!#$%&'*+/=?^_`{|}~-", "shop.example"),
        ("x" * 64 + "@shop.example", "x" * 64, "shop.example"),
        ("bob@shop.test", "bob", "shop.test"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_an_address_is_taken_apart(house: House, email: str, local: str, domain: str) -> None:
    verdict = await house.validator.check(email)
    assert (verdict.email, verdict.valid) == (email, True)
    assert (verdict.local, verdict.domain) == (local, domain)
    assert verdict.disposable == ()


@pytest.mark.parametrize(
    "email",
    ["", "bob", "@shop.example", "bob@", "a..b@shop.example", ".a@shop.example", "a.@shop.example",
     "a b@shop.example", "bob@shop..example", "bob@-shop.example", "bob@shop_a.example",
     "bob@localhost", "bob@shop.example.", "Bob <bob@shop.example>", "x" * 65 + "@shop.example",
     "bob@" + "a." * 130 + "example", "a@b@shop.example", "bob@shop.example\n", "b\0b@shop.example",
     "bob@[300.1.2.3]", "bob@a.invalid", "bob@printer.local", "\ud800@shop.example", "x" * 5000],
)  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_what_is_no_address_is_told_and_not_looked_up(house: House, email: str) -> None:
    verdict = await house.validator.check(email)
    assert (verdict.valid, verdict.local, verdict.domain) == (False, "", "")
    assert verdict.disposable == verdict.aliases == ()
    assert house.server.answers.asked == []


@pytest_twisted.ensureDeferred
async def test_a_known_provider_is_disposable_by_its_own_name(house: House) -> None:
    for email in ("bob@mailinator.com", "bob@sub.mailinator.com"):
        verdict = await house.validator.check(email)
        assert verdict.disposable == ("mailinator.com",)
        assert "mailinator.com" in verdict.aliases


@pytest_twisted.ensureDeferred
async def test_a_domain_is_disposable_by_its_mail_hosts(house: House) -> None:
    house.point("shop.example", "mail.mailinator.com", "8.8.4.4")
    verdict = await house.validator.check("bob@shop.example")
    assert verdict.disposable == ("mailinator.com",)
    assert verdict.aliases == ("shop.example", "mail.mailinator.com", "8.8.4.4", "mailinator.com")


@pytest_twisted.ensureDeferred
async def test_a_domain_is_disposable_by_who_shares_its_addresses(house: House) -> None:
    house.point("shop.example", "mx.shop.example", "8.8.4.4", "mail.yopmail.com", "shop.example")
    verdict = await house.validator.check("bob@shop.example")
    assert verdict.disposable == ("yopmail.com",)
    assert {"shop.example", "mx.shop.example", "mail.yopmail.com", "8.8.4.4"} <= set(
        verdict.aliases
    )


@pytest_twisted.ensureDeferred
async def test_without_mail_hosts_the_domain_itself_counts(house: House) -> None:
    house.server.answers.add("shop.example", dns.Record_A("8.8.4.4"))
    assert (await house.validator.check("bob@shop.example")).aliases == ("shop.example", "8.8.4.4")


@pytest.mark.parametrize("ip", ["10.0.0.5", "127.0.0.1", "169.254.169.254", "192.168.1.1"])
@pytest_twisted.ensureDeferred
async def test_nobody_learns_of_a_private_network_what_it_is_called(house: House, ip: str) -> None:
    house.point("evil.example", "mx.evil.example", ip, "db.internal.example")
    verdict = await house.validator.check("bob@evil.example")
    assert verdict.aliases == ("evil.example", "mx.evil.example")
    assert not any(name.endswith("arpa") for name, _ in house.server.answers.asked)


@pytest_twisted.ensureDeferred
async def test_what_the_dns_does_not_answer_is_left_out(house: House) -> None:
    house.point("shop.example", "mail.mailinator.com", "8.8.4.4")
    for trouble in (house.server.answers.failing, house.server.answers.silent):
        for name in ("shop.example", "mail.mailinator.com", "4.4.8.8.in-addr.arpa"):
            trouble.add(name)
            verdict = await house.validator.check("bob@shop.example")
            assert verdict.valid
            assert verdict.aliases[0] == "shop.example"
            trouble.clear()
            house.clock.advance(REMEMBER_FAILURE_S + 1)


@pytest.mark.parametrize("silent", ["shop.example", "mx.shop.example", "4.4.8.8.in-addr.arpa"])
@pytest_twisted.ensureDeferred
async def test_a_dns_that_is_silent_for_longer_than_anybody_waits_is_left_out(
    house: House, silent: str
) -> None:
    house.point("mailinator.com", "mx.shop.example", "8.8.4.4")
    house.point("shop.example", "mx.shop.example", "8.8.4.4", "a.example")
    house.server.answers.silent.add(silent)
    settings = DnsSettings(servers=(f"127.0.0.1:{house.server.port}",), timeout_s=60.0)
    validator = Validator(Resolver(settings, reactor), reactor=house.clock)
    emails = ["a@shop.example", "b@mailinator.com", "no"]
    checking = ensureDeferred(validator.check_all(emails))
    await deferLater(reactor, 0.2)  # all that is answered is answered
    house.clock.advance(TIMEOUT_S)
    verdicts = await checking.addTimeout(TIMEOUT_S, reactor)
    assert [v.email for v in verdicts] == emails
    assert verdicts[0].aliases[0] == "shop.example"
    assert verdicts[1].disposable == ("mailinator.com",)  # the list on disk needs no DNS


@pytest_twisted.ensureDeferred
async def test_with_no_name_server_there_the_list_on_disk_counts(house: House) -> None:
    await house.server.stop()
    verdict = await house.validator.check("bob@mailinator.com")
    assert (verdict.valid, verdict.disposable) == (True, ("mailinator.com",))


@pytest_twisted.ensureDeferred
async def test_a_check_that_is_given_up_says_so(house: House) -> None:
    house.server.answers.silent.add("shop.example")
    checking = ensureDeferred(house.validator.check("a@shop.example"))
    checking.cancel()
    with pytest.raises(CancelledError):
        await checking


@pytest_twisted.ensureDeferred
async def test_a_domain_is_looked_up_once_in_a_while(house: House) -> None:
    house.point("shop.example", "mx.shop.example", "8.8.4.4", "a.example")
    asked = house.server.answers.asked
    await house.validator.check_all([f"{n}@shop.example" for n in range(50)])
    first = len(asked)
    await house.validator.check("bob@shop.example")
    assert len(asked) == first
    house.clock.advance(REMEMBER_S + 1)
    await house.validator.check("bob@shop.example")
    assert len(asked) == 2 * first


@pytest_twisted.ensureDeferred
async def test_of_very_many_mail_hosts_a_few_are_looked_at(house: House) -> None:
    house.server.answers.add(
        "shop.example", *(dns.Record_MX(n, f"mx{n}.shop.example") for n in range(60))
    )
    verdict = await house.validator.check("bob@shop.example")
    assert len(verdict.aliases) == 1 + MAX_HOSTS
    assert verdict.aliases[1] == "mx0.shop.example"
    different = set(house.server.answers.asked)  # what a busy machine answers late is asked twice
    assert len(different) < 2 + 2 * (MAX_HOSTS + 1)


@pytest_twisted.ensureDeferred
async def test_several_come_back_in_order(house: House) -> None:
    verdicts = await house.validator.check_all(["a@x.example", "no", "b@y.example", "a@x.example"])
    assert [v.email for v in verdicts] == ["a@x.example", "no", "b@y.example", "a@x.example"]
    assert [v.valid for v in verdicts] == [True, False, True, True]
