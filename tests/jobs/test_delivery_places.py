"""Who may have how many deliveries under way."""

from datetime import UTC, datetime

from mailsacd.core.delivery import Attempt, Claim
from mailsacd.jobs.places import MAX_PAUSE_S, MAX_REMEMBERED, Places

NOW = datetime.now(UTC)
GOOD, BAD, SILENT = Attempt(200), Attempt(500), Attempt(None, "why")


def claim(target: str = "t", account: str = "a") -> Claim:
    return Claim(
        id="x", account=account, address="x@y", kind="webhook", url=f"http://{target}/",
        target=target, inbox="x@y", message_id="x", attempts=0, begun=NOW, until=NOW, first=True,
        wanted_url=f"http://{target}/", to_from=True,
    )  # fmt: skip


def test_places_are_counted_and_given_back() -> None:
    places = Places(4, 3)
    for _ in range(3):
        places.enter(claim())
    free = places.rooms(0)
    assert (free.all, free.targets, free.accounts, free.lines) == (
        1, {"": 3, "t": 0}, {"": 2, "a": 0}, {},
    )  # fmt: skip
    places.enter(claim("u", "b"))
    assert places.are_taken
    for one in (claim(), claim(), claim(), claim("u", "b")):
        places.leave(one)
    free = places.rooms(0)
    assert (free.all, free.targets, free.accounts) == (4, {"": 3}, {"": 2})


def test_a_silent_target_has_one_place_until_it_answers() -> None:
    places = Places(10, 5)
    places.attempted(claim(), SILENT, 0)
    assert places.rooms(0).targets["t"] == 1
    places.enter(claim())
    assert places.rooms(0).targets["t"] == 0
    places.leave(claim())
    places.attempted(claim("t", "b"), BAD, 0)
    assert "t" not in places.rooms(0).targets


def test_pauses_grow_with_each_failure_and_end_with_a_success() -> None:
    places = Places(10, 5)
    pauses = []
    now_s = 0.0
    for _ in range(100):
        places.attempted(claim(), BAD, now_s)
        pause_s = 0.0
        while places.rooms(now_s + pause_s).lines["a", "http://t/"] == 0:
            pause_s = round(pause_s + 0.1, 1)
        pauses.append(pause_s)
        now_s += pause_s
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert set(pauses[7:]) == {MAX_PAUSE_S}
    assert places.rooms(now_s).lines == {("a", "http://t/"): 1}
    places.attempted(claim("t", "b"), GOOD, now_s)
    assert places.rooms(now_s).lines == {("a", "http://t/"): 1}
    places.attempted(claim(), GOOD, now_s)
    assert places.rooms(now_s).lines == {}


def test_so_many_are_remembered() -> None:
    places = Places(10, 5)
    for number in range(MAX_REMEMBERED + 10):
        places.attempted(claim(f"t{number}"), SILENT, 0)
    free = places.rooms(0)
    assert len(free.lines) == MAX_REMEMBERED
    assert len(free.targets) == MAX_REMEMBERED + 1
    assert "t9" not in free.targets


def test_who_asks_for_time_is_spared_for_as_long() -> None:
    places = Places(10, 5)
    places.attempted(claim(), Attempt(429, retry_after_s=90.0), 0)
    assert places.rooms(89.9).lines == {("a", "http://t/"): 0}
    assert places.rooms(90).lines == {("a", "http://t/"): 1}
