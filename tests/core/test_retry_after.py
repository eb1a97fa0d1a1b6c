"""Retry-After: seconds, or a date in each form of HTTP; nothing else asks for anything."""

import pytest

from mailsacd.core.retry_after import MAX_S, retry_after_s

NOW_S = 784_111_717.0  # Sun, 06 Nov 1994 08:48:37 GMT, a minute before the dates below


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 120\t", 120),
        ("000120", 120),
        ("3600", 3_600),
        ("86400", MAX_S),
        ("9" * 5_000, MAX_S),
        ("0" * 5_000, 0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 60),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 60),
        ("Sun Nov  6 08:49:37 1994", 60),
        ("Sun, 06 Nov 1994 08:48:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_S),
        ("", 0),
        ("-5", 0),
        ("1.5", 0),
        ("+5", 0),
        ("5 minutes", 0),
        ("soon", 0),
        ("٣", 0),
        ("Sun, 99 Nov 1994 99:99:99 GMT", 0),
        ("Sun, 06 Nov 99999999999999999999 08:49:37 GMT", 0),
    ],
)
def test_what_it_asks_for(value: str, seconds: float) -> None:
    assert retry_after_s(value, NOW_S) == seconds
