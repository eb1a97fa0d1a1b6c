"""Domains are looked at again by themselves."""

from typing import Any

import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.task import Clock, deferLater
from twisted.names import dns

from mailsacd.jobs.verify import EVERY_S, VerifyJob
from mailsacd.store.notices import Notices
from mailsacd.store.pool import Database
from tests.lanes import LANES
from tests.mail.property import ANN, add_accounts, make_node
from tests.outbound.name_server import Network

reactor: Any = the_reactor


@pytest_twisted.ensureDeferred
async def test_a_proof_is_found_without_being_asked_for(
    database: Database, network: Network
) -> None:
    clock = Clock()
    await add_accounts(database, "ann")
    notices = Notices("", LANES.rest, reactor=reactor)  # it hears nothing, and remembers nothing
    domains = make_node(database, notices, network.resolver(), reactor).domains
    job = VerifyJob(domains, clock)
    try:
        claim = (await domains.add(ANN, "example.com")).domain
        network.own.answers.add("example.com", dns.Record_TXT(claim.verification_txt.encode()))
        await database.run("update domain set next_check = now()")
        job.start()
        for _ in range(1000):
            (view,) = await domains.of_account(ANN)
            if view.domain.verified:
                return
            clock.advance(EVERY_S)
            await deferLater(reactor, 0.005)
        raise AssertionError("it was never looked at")
    finally:
        await job.stop()


@pytest_twisted.ensureDeferred
async def test_stopped_in_the_middle_of_a_look_it_looks_no_more(
    database: Database, network: Network
) -> None:
    clock = Clock()
    await add_accounts(database, "ann")
    notices = Notices("", LANES.rest, reactor=reactor)
    domains = make_node(database, notices, network.resolver(), reactor).domains
    job = VerifyJob(domains, clock)
    await domains.add(ANN, "example.com")
    await database.run("update domain set next_check = now()")
    network.usual.answers.silent.add("example.com")
    asked = network.usual.answers.asked
    job.start()
    while not asked:
        clock.advance(EVERY_S)
        await deferLater(reactor, 0.005)
    await job.stop()
    await database.run("update domain set next_check = now()")
    assert not clock.getDelayedCalls()
