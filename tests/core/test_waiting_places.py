"""Places to wait on purpose are shared."""

from mailsacd.core.waiting_places import WaitingPlaces


def test_nobody_has_all_places() -> None:
    places = WaitingPlaces(5, max_bytes=100)
    with places.take(("a", "x")), places.take(("a", "y")):
        assert not places.are_free(("a", "z"))
        assert places.are_free(("b", "x"))
        with places.take(("b", "x")), places.take(("c", "y")):
            assert not places.are_free(("d", "x"))
            assert places.are_free(("d", "z"))
            with places.take(("d", "z")):
                assert not places.are_free(("e", "e"))
    assert places.are_free(("a", "x"))
    assert places.taken == 0
    assert not WaitingPlaces(0, max_bytes=100).are_free(("a",))
    assert WaitingPlaces(1, max_bytes=100).are_free(("a",))


def test_who_waits_holds_few_bytes() -> None:
    places = WaitingPlaces(5, max_bytes=100)
    assert not places.have_room(101)
    with places.take(("a",), 60):
        assert not places.have_room(41)
        assert places.have_room(40)
    assert places.have_room(100)
