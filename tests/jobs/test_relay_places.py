"""Places are kept for others: in all, for a domain and for an account."""

from mailsacd.jobs.relay_places import MAX_REMEMBERED, RelayPlaces
from mailsacd.mail.sending.relay import Line


def line(account: str, domain: str) -> Line:
    return Line(account=account, domain=domain, claims=())


def test_what_is_under_way_takes_places_from_its_domain_and_account() -> None:
    places = RelayPlaces(10, 3)
    ann, bob = line("ann", "a.example"), line("bob", "a.example")
    places.enter(ann)
    places.enter(bob)
    rooms = places.rooms()
    assert (rooms.all, rooms.each_domain, rooms.each_account) == (8, 3, 5)
    assert rooms.of_domains == {"a.example": 1}
    assert rooms.of_accounts == {"ann": 4, "bob": 4}
    assert not places.are_taken
    places.leave(ann, answered=True)
    places.leave(bob, answered=True)
    assert places.rooms() == RelayPlaces(10, 3).rooms()


def test_a_domain_that_did_not_answer_has_one_place_until_it_does() -> None:
    places = RelayPlaces(10, 3)
    first = line("ann", "a.example")
    places.enter(first)
    places.leave(first, answered=False)
    assert places.rooms().of_domains == {"a.example": 1}
    places.enter(first)
    assert places.rooms().of_domains == {"a.example": 0}
    places.leave(first, answered=True)
    assert places.rooms().of_domains == {}


def test_few_silent_domains_are_remembered() -> None:
    places = RelayPlaces(10, 3)
    for number in range(MAX_REMEMBERED + 5):
        one = line("ann", f"d{number}.example")
        places.enter(one)
        places.leave(one, answered=False)
    assert len(places.rooms().of_domains) == MAX_REMEMBERED
    assert "d0.example" not in places.rooms().of_domains


def test_a_single_place_is_for_anybody() -> None:
    places = RelayPlaces(1, 20)
    assert places.rooms().each_account == 1
    places.enter(line("ann", "a.example"))
    assert places.are_taken
