"""Who comes too fast: peers with many addresses, senders with many domains, mail to one inbox."""

import os
from ipaddress import IPv6Address
from typing import Any

import msgspec
import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from mailsacd.core.errors import ConfigurationError, RateLimitError, ThrottledError
from mailsacd.core.limit_memory import LimitMemory, shared_file
from mailsacd.mail.limits.throttle import MAX_TOLD, OTHERS, Patience, Throttle
from mailsacd.mail.records.activity import Activity
from mailsacd.store.pool import Database
from mailsacd.throttle_settings import ThrottleSettings

PEER = "192.0.2.1"


class House:
    """A throttle whose clock stands still until it is moved."""

    def __init__(self, database: Database, memory: LimitMemory | None = None, **given: Any) -> None:
        self.clock = Clock()
        self.clock.advance(1_000)
        self.activity = Activity(database, reactor=self.clock)
        self.throttle = Throttle(
            msgspec.structs.replace(ThrottleSettings(), **given),
            memory or LimitMemory(),
            self.activity,
            reactor=self.clock,
            seconds=self.clock.seconds,
        )

    def take(
        self, ip: str = PEER, sender: str = "a@b.example", to: str = "c@d.example",
        owner: str | None = None, patience: Patience | None = None,
    ) -> float:  # fmt: skip
        """How long one recipient has to wait; more than 60 s when it is refused."""
        peer = self.throttle.peer(ip)
        if peer is None:
            return 0.0
        try:
            return self.throttle.mail(peer, sender, to, owner, patience or Patience())
        except ThrottledError as e:
            return 1_000.0 + e.retry_after_s

    def at_once(self, count: int, **how: Any) -> int:
        """How many of ``count`` are taken at once; ``{}`` in what is given becomes a number."""
        found = []
        for number in range(count):
            here: dict[str, Any] = {
                name: value.format(number) if isinstance(value, str) else value
                for name, value in how.items()
            }
            found.append(self.take(**here))
        return found.count(0.0)


@pytest.fixture
def house(database: Database) -> Any:
    return lambda **given: House(database, **given)


def test_first_it_is_slowed_then_sent_away_and_after_a_while_it_is_free(house: Any) -> None:
    one: House = house(peer_per_minute=60, slow_s=5)
    waits = [one.take() for _ in range(70)]
    assert waits[:60] == [0.0] * 60
    assert waits[60:65] == pytest.approx([1.0, 2.0, 3.0, 4.0, 5.0])
    assert waits[65:] == pytest.approx([1_006.0] * 5)
    one.clock.advance(200)
    assert one.take() == 0.0


def test_who_goes_on_as_fast_as_he_is_let_is_sent_away_in_the_end(house: Any) -> None:
    one: House = house(peer_per_minute=60, slow_s=5)
    assert one.at_once(60) == 60
    patience = Patience()
    waits = []
    for _ in range(6):
        waits.append(one.take(patience=patience))
        one.clock.advance(min(waits[-1], 1.0))
    assert waits == pytest.approx([1.0] * 5 + [1_001.0])
    assert one.take(patience=Patience()) < 1.0  # by a new connection it goes on, no faster
    one.clock.advance(30)
    assert one.take(patience=patience) == 0.0
    assert patience.waited_s == 0.0


@pytest.mark.parametrize("ip", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_not_throttled_by_default(house: Any, ip: str) -> None:
    assert house(peer_per_minute=1).at_once(100, ip=ip) == 100


def test_nobody_is_when_it_is_switched_off_or_has_no_limit(house: Any) -> None:
    assert house(enabled=False, peer_per_minute=1).at_once(100) == 100
    none = house(
        peer_per_minute=0, sender_domain_per_minute=0, recipient_per_minute=0, account_per_minute=0
    )
    assert none.at_once(10_000) == none.at_once(10_000, owner="jeff") == 10_000


def test_many_addresses_of_one_network_do_not_help(house: Any) -> None:
    limits = {"peer_per_minute": 10, "recipient_per_minute": 0, "sender_domain_per_minute": 0}
    of_64 = house(**limits)
    assert of_64.at_once(500, ip="2001:db8:1:2::{:x}") == 10
    assert house(**limits).at_once(500, ip="2001:db8:1:{:x}::1") == 40  # a /48
    of_32 = house(**limits)
    assert sum(of_32.at_once(40, ip=f"2001:db8:{n:x}:{{:x}}::1") for n in range(30)) == 160
    assert of_32.at_once(5, ip="2001:db9::1") == 5
    assert house(**limits).at_once(256, ip="192.0.2.{}") == 40  # a /24


def test_many_addresses_everywhere_are_stopped_by_the_recipient(house: Any) -> None:
    one = house(recipient_per_minute=20, peer_per_minute=10)
    everywhere = [str(IPv6Address((0x2000 + n << 112) + 1)) for n in range(300)]
    assert [one.take(ip=ip) for ip in everywhere].count(0.0) == 20
    assert one.take(ip=everywhere[0], to="other@d.example") == 0.0


def test_many_senders_domains_do_not_help(house: Any) -> None:
    one = house(sender_domain_per_minute=5, peer_per_minute=50, recipient_per_minute=0)
    assert one.at_once(20, sender="a@same.example") == 5
    assert one.at_once(20, ip="198.51.100.7", sender="{}@SAME.example") == 0
    assert one.at_once(500, ip="203.0.113.9", sender="a@{}.example") == 50
    assert one.at_once(40, ip="198.51.100.9", sender="") == 40  # a bounce has none


def test_private_mail_has_more(house: Any) -> None:
    limits = {"peer_per_minute": 10, "private_factor": 10, "recipient_per_minute": 0}
    assert house(**limits).at_once(200) == 10
    assert house(**limits).at_once(200, owner="jeff", to="{}@jeff.example") == 100
    mixed = house(**limits)
    assert mixed.at_once(50, owner="jeff") == 50
    assert mixed.at_once(50) == 5


def test_mail_of_one_account_counts_together(house: Any) -> None:
    one = house(account_per_minute=30)
    assert one.at_once(100, owner="jeff", to="{}@jeff.example", ip="198.51.{0}.1") == 30
    assert one.take(owner="kim", to="x@jeff.example", ip="203.0.113.1") == 0.0


def test_captured_mail_counts_for_the_account(house: Any) -> None:
    one = house(account_per_minute=2, slow_s=0)
    assert [one.throttle.captured("jeff", Patience()) for _ in range(2)] == [0.0, 0.0]
    with pytest.raises(ThrottledError):
        one.throttle.captured("jeff", Patience())
    assert one.throttle.captured("kim", Patience()) == 0.0


def test_whoever_could_send_nothing_now_is_not_let_in(house: Any) -> None:
    one: House = house(peer_per_minute=10, slow_s=1, private_factor=1)
    peer = one.throttle.peer(PEER)
    assert peer is not None
    one.throttle.check_peer(peer)
    assert one.at_once(20) == 10
    with pytest.raises(ThrottledError, match=PEER):
        one.throttle.check_peer(peer)
    one.clock.advance(6)
    one.throttle.check_peer(peer)
    assert one.take() == 0.0  # looking has cost nothing


@pytest_twisted.ensureDeferred
async def test_a_call_is_held_back_for_a_moment_then_refused(house: Any) -> None:
    one: House = house(calls_per_minute=60)
    standings = [await one.throttle.call(PEER, None) for _ in range(60)]
    first = standings[0]
    assert first is not None
    assert (first.policy, first.quota, first.window_s) == ("peer", 60, 60)
    assert [s and s.remaining for s in standings] == list(range(59, -1, -1))
    answered: list[Any] = []
    held = Deferred.fromCoroutine(one.throttle.call(PEER, None)).addCallback(answered.append)
    assert not answered
    with pytest.raises(RateLimitError) as refused:
        await one.throttle.call(PEER, None)
    assert refused.value.retry_after_s == refused.value.standing.retry_after_s == 2
    assert refused.value.standing.remaining == 0
    one.clock.advance(1.0)
    await held
    assert answered


@pytest_twisted.ensureDeferred
async def test_calls_of_an_account_count_together_and_not_for_the_peer(house: Any) -> None:
    one: House = house(calls_per_minute=1, account_calls_per_minute=5)
    for number in range(5):
        standing = await one.throttle.call(f"198.51.100.{number}", "jeff")
        assert standing is not None
        assert (standing.policy, standing.remaining) == ("account", 4 - number)
    with pytest.raises(RateLimitError, match="for you"):
        await one.throttle.call(PEER, "jeff")
    assert await one.throttle.call(PEER, None)
    assert await one.throttle.call("127.0.0.1", "jeff") is None


def test_the_record_tells_who_and_how_often_and_is_not_filled_by_names(house: Any) -> None:
    one: House = house(peer_per_minute=1, slow_s=0, recipient_per_minute=0)
    one.take()
    assert not one.activity._gathered
    for _ in range(3):
        one.take()
    [(what, (_, times))] = one.activity._gathered.items()
    assert (what, times) == ((None, "throttled", 421, PEER, "sent away"), 3)
    for n in range(3 * MAX_TOLD):
        for _ in range(2):
            one.take(ip=f"10.{n // 250}.{n % 250}.1")
    subjects = {what[3] for what in one.activity._gathered}
    assert len(subjects) == MAX_TOLD + 1
    assert OTHERS in subjects


def test_the_owner_of_a_private_address_is_told(house: Any) -> None:
    one: House = house(recipient_per_minute=6, private_factor=1)
    for _ in range(7):
        one.take(owner="jeff")
    [what] = one.activity._gathered
    assert what == ("jeff", "throttled", None, "c@d.example", "slowed")


def test_workers_spend_from_the_same_buckets(database: Database) -> None:
    descriptor = shared_file()
    try:
        first, second = (
            House(database, LimitMemory(descriptor), peer_per_minute=10, slow_s=0) for _ in "ab"
        )
    finally:
        os.close(descriptor)
    assert first.at_once(6) == 6
    assert second.at_once(6) == 4
    assert first.at_once(6) == 0


def test_a_network_that_is_none_is_told(house: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"throttle\.exempt_networks"):
        house(exempt_networks=("x",))
