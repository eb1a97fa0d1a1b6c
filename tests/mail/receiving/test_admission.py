"""Who is admitted, and how fast, by denylist, throttle and owners together."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import pytest_twisted
from twisted.internet.task import Clock

from mailsacd.core.account import AccountIdentity
from mailsacd.core.envelope import Recipient
from mailsacd.core.errors import DeniedError, ThrottledError
from mailsacd.core.limit_memory import LimitMemory
from mailsacd.core.load_test import LoadTestRun
from mailsacd.mail.limits.throttle import Throttle
from mailsacd.mail.receiving.admission import Admission, CaptureAdmission
from mailsacd.mail.receiving.denylist import Denylist
from mailsacd.mail.receiving.denylist_entry import deny
from mailsacd.mail.records.activity import Activity
from mailsacd.throttle_settings import ThrottleSettings
from tests.mail.envelopes import to
from tests.mail.owners import add_owner
from tests.mail.property import Node

ensure = pytest_twisted.ensureDeferred
PEER = "192.0.2.1"


async def _throttle(node: Node, **given: int) -> tuple[Throttle, Denylist, Activity]:
    clock = Clock()
    clock.advance(1_000)
    activity = Activity(node.database, reactor=clock)
    settings = msgspec.structs.replace(ThrottleSettings(slow_s=0), **given)
    throttle = Throttle(settings, LimitMemory(), activity, reactor=clock, seconds=clock.seconds)
    denylist = Denylist(
        node.database, node.notices, activity, allow_networks=["10.9.0.0/16"], reactor=clock
    )
    await denylist._read()
    return throttle, denylist, activity


async def _admission(node: Node, **given: int) -> Admission:
    throttle, denylist, _ = await _throttle(node, **given)
    return Admission(denylist, throttle, node.directory)


async def _taken(peer: Any, recipient: Recipient, count: int) -> int:
    """How many of ``count`` are admitted at once."""
    taken = 0
    for _ in range(count):
        try:
            answer = peer.recipient("a@b.example", recipient, None)
            taken += (answer if isinstance(answer, float) else await answer) == 0.0
        except ThrottledError:
            pass
    return taken


@ensure
async def test_private_mail_has_more_whoever_it_is_that_makes_it_private(node: Node) -> None:
    await add_owner(node.database, "kim", "reserved@x.example", domains=("private.example",))
    await add_owner(node.database, "lea", domains=("shown.example",), is_private=False)
    limits = {"recipient_per_minute": 5, "private_factor": 4, "peer_per_minute": 0}
    for address, taken in (
        ("anybody@public.example", 5),
        ("other@x.example", 5),
        ("reserved@x.example", 20),
        ("whoever@private.example", 20),
        ("whoever@shown.example", 5),
    ):
        peer = (await _admission(node, **limits)).of_peer(PEER)
        [recipient] = to(address)
        assert await _taken(peer, recipient, 30) == taken, address


@ensure
async def test_who_is_allowed_or_on_loopback_is_neither_refused_nor_slowed(node: Node) -> None:
    await deny(node.database, "10.0.0.0/8")
    admission = await _admission(node, peer_per_minute=1)
    [recipient] = to("a@public.example")
    for ip in ("10.9.1.1", "127.0.0.1"):
        peer = admission.of_peer(ip)
        peer.check_connection()
        assert await _taken(peer, recipient, 10) == 10
    with pytest.raises(DeniedError):
        admission.of_peer("10.8.1.1").check_connection()
    assert await _taken(admission.of_peer(PEER), recipient, 10) == 1


@ensure
async def test_a_load_test_is_not_throttled_and_takes_nothing_of_what_others_have(
    node: Node,
) -> None:
    admission = await _admission(node, peer_per_minute=3)
    run = LoadTestRun(id="x", header="X", ends_ms=2**53)
    tested = msgspec.structs.replace(to("a@lab.example")[0], load_test=run)
    peer = admission.of_peer(PEER)
    assert await _taken(peer, tested, 100) == 100
    assert await _taken(peer, to("a@public.example")[0], 10) == 3


@ensure
async def test_a_denied_recipient_is_refused_and_costs_nothing(node: Node) -> None:
    await deny(node.database, "gone@public.example", recipient=True)
    admission = await _admission(node, peer_per_minute=1)
    peer = admission.of_peer(PEER)
    for _ in range(5):
        with pytest.raises(DeniedError):
            peer.recipient("a@b.example", to("gone@public.example")[0], None)
    assert await _taken(peer, to("a@public.example")[0], 5) == 1


@ensure
async def test_who_captures_has_the_rate_of_the_account(node: Node) -> None:
    throttle, _, _ = await _throttle(node, account_per_minute=2)
    [recipient] = to("a@public.example")
    ann = AccountIdentity("ann", datetime(2026, 11, 29, tzinfo=UTC))
    for ip, taken in ((PEER, 2), ("198.51.100.7", 0), ("127.0.0.1", 9)):
        peer = CaptureAdmission(throttle).of_peer(ip)
        peer.check_connection()
        assert not peer.refuses_sender("a@b.example")
        found = 0
        for _ in range(9):
            with suppress(ThrottledError):
                found += peer.recipient("a@b.example", recipient, ann) == 0.0
        assert found == taken
    run = LoadTestRun(id="x", header="X", ends_ms=2**53)
    tested = msgspec.structs.replace(recipient, load_test=run)
    assert CaptureAdmission(throttle).of_peer(PEER).recipient("", tested, ann) == 0.0
