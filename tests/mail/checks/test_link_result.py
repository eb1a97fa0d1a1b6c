"""What came of links, as points and reasons."""

from typing import Any

import pytest

from mailsacd.mail.checks.found_links import Link
from mailsacd.mail.checks.link_result import MAX_SHOWN, Outcome, links_result
from mailsacd.outbound.follow import Visit

URL = "https://a.example/"
PLAIN = "http://a.example/"


def visited(*urls: str, status: int | None = 200, loaded: bool = False, **more: Any) -> Outcome:
    visit = Visit(urls=urls or (URL,), status=status, **more)
    return Outcome(Link(url=visit.urls[0], is_loaded=loaded), visit)


@pytest.mark.parametrize(
    ("outcome", "score", "word"),
    [
        (visited(), 100, ""),
        (visited(status=204), 100, ""),
        (visited(status=404), 60, "nothing at this link"),
        (visited(status=410), 60, "nothing at this link"),
        (visited(status=503), 70, "fails"),
        (visited(status=403), 100, "programs"),
        (visited(status=429), 100, "programs"),
        (visited(status=400), 80, "does not take"),
        (visited(status=None, error="TLS failed", tls_failed=True), 60, "warn"),
        (visited(status=None, error="x", forbidden=True), 70, "public Internet"),
        (visited(status=None, error="No connection: y"), 60, "opened: No connection: y"),
        (visited(URL, "https://b.example/", "https://c.example/"), 100, ""),
        (visited(URL, *(f"https://{n}.example/" for n in "bcd")), 95, "redirects more than 2"),
        (visited(URL, PLAIN, "https://c.example/"), 80, "begins with https"),
        (visited(URL, status=302, stopped_before=PLAIN), 80, "begins with https"),
        (visited(PLAIN), 90, "anybody"),
        (visited("HTTP://a.example/"), 90, "anybody"),
        (visited(PLAIN, URL), 100, ""),
        (visited(PLAIN, loaded=True), 85, "loaded by http"),
        (Outcome(Link(url=URL), left_out="unsubscribe"), 100, "left a list"),
        (Outcome(Link(url=URL), left_out="one-time"), 100, "confirmed"),
        (Outcome(Link(url=URL), left_out="tracking"), 100, "is read"),
        (Outcome(Link(url=URL), left_out="limit"), 100, "too many"),
        (Outcome(Link(url=URL), left_out="time"), 100, "too long"),
    ],
)
def test_what_each_outcome_costs(outcome: Outcome, score: int, word: str) -> None:
    result = links_result([outcome])
    assert (result.score, len(result.reasons)) == (score, bool(word))
    assert word in "".join(reason.text for reason in result.reasons)
    assert all(reason.where == outcome.link.url for reason in result.reasons)


def test_the_figures_of_a_link() -> None:
    result = links_result([visited(PLAIN, URL, status=302, stopped_before="https://b.example/")])
    assert result.data == {
        "found": 1,
        "opened": 1,
        "links": [
            {
                "url": PLAIN,
                "loaded": False,
                "leftOut": None,
                "status": 302,
                "redirects": [URL],
                "stoppedBefore": "https://b.example/",
                "tls": True,
                "error": None,
            }
        ],
    }


def test_many_links_are_gathered_and_not_all_shown() -> None:
    outcomes = [visited(f"https://a.example/{n}", status=404) for n in range(200)]
    result = links_result(outcomes)
    (reason,) = result.reasons
    assert (result.score, reason.more, len(result.data["links"])) == (60, 199, MAX_SHOWN)


def test_without_links_there_is_nothing_to_be_checked() -> None:
    assert links_result([]).score is None
