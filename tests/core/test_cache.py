"""What is remembered, and what is dropped first."""

from mailsacd.core.cache import UNKNOWN, Recent


def test_what_nobody_asked_for_for_longest_is_dropped() -> None:
    recent: Recent[str, int | None] = Recent(2)
    recent.remember("a", 1)
    recent.remember("b", None)
    assert recent.get("a") == 1
    recent.remember("c", 3)
    assert (recent.get("a"), recent.get("b"), recent.get("c")) == (1, UNKNOWN, 3)


def test_nothing_that_is_remembered_is_told_from_nothing_known() -> None:
    recent: Recent[str, int | None] = Recent(2)
    recent.remember("a", None)
    assert recent.get("a") is None
    assert recent.get("b") is UNKNOWN
    recent.forget("a")
    recent.forget("b")
    assert recent.get("a") is UNKNOWN
    recent.remember("a", 1)
    recent.clear()
    assert recent.get("a") is UNKNOWN


def test_what_is_stale_is_forgotten() -> None:
    recent: Recent[str, int] = Recent(3)
    for value, key in enumerate("abc"):
        recent.remember(key, value)
    recent.forget_where(lambda value: value != 1)
    assert [recent.get(key) for key in "abc"] == [UNKNOWN, 1, UNKNOWN]
