"""How values are written for people."""

from datetime import UTC, datetime

import pytest

from mailsacd.web.filters import ago, full_time, host, mailbox, plural, segment, size, when

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KB"), (10_240, "10 KB"), (2_621_440, "2.5 MB"),
     (1 << 50, "1024 TB")],
)  # fmt: skip
def test_size(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [("2026-11-29T09:05:00.000Z", "09:05"), ("2026-11-03T09:05:00.000Z", "3 Nov"),
     ("2018-03-29T18:28:07.732Z", "2018-03-29")],
)  # fmt: skip
def test_when(text: str, shown: str) -> None:
    assert when(text, NOW) == shown


def test_ago() -> None:
    assert ago("2026-11-29T11:59:50.000Z", NOW) == "just now"
    assert ago("2026-11-29T11:57:00.000Z", NOW) == "3 min ago"
    assert ago("2026-11-27T11:57:00.000Z", NOW) == "2 d ago"
    assert ago("2027-01-01T00:00:00.000Z", NOW) == "just now"
    assert full_time("2018-03-29T18:28:07.732Z") == "2018-03-29 18:28:07 UTC"


def test_what_goes_into_a_path_is_encoded() -> None:
    assert segment("a/b?c#d@e.example") == "a%2Fb%3Fc%23d@e.example"


def test_whom_a_url_leads_to() -> None:
    assert host("https://bank.example@Evil.example:8443/bank.example") == "evil.example"
    assert host("https://[x/") == host("/path") == ""


def test_people_and_numbers() -> None:
    assert mailbox({"name": "", "address": "a@b"}) == "a@b"
    assert mailbox({"name": "Ann", "address": "a@b"}) == "Ann <a@b>"
    assert (plural(1, "day"), plural(2_000, "day")) == ("1 day", "2,000 days")
