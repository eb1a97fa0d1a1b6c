"""How many may wait."""

import pytest

from mailsacd.core.errors import OverloadedError, ThrottledError
from mailsacd.listening_settings import WaitSettings
from mailsacd.mail.waiting.seats import Seats


def test_so_many_wait_of_a_peer_of_an_account_and_in_all() -> None:
    seats = Seats(WaitSettings(max_open=3, max_open_per_account=1, max_open_per_peer=2))
    seats.take("192.0.2.1", "ann")
    with pytest.raises(ThrottledError, match="of this account"):
        seats.take("192.0.2.2", "ann")
    seats.take("192.0.2.1", None)
    with pytest.raises(ThrottledError, match="from your IP address"):
        seats.take("192.0.2.1", None)
    seats.take("2001:db8::1", "bob")
    with pytest.raises(OverloadedError, match="Too many wait here"):
        seats.take("192.0.2.3", None)
    seats.leave("192.0.2.1", "ann")
    seats.take("192.0.2.1", "ann")
