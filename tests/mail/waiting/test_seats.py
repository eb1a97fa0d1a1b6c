"""How many may wait."""

from contextlib import ExitStack

import pytest

from mailsacd.core.errors import OverloadedError, ThrottledError
from mailsacd.listening_settings import WaitSettings
from mailsacd.mail.waiting.seats import Seats


def test_so_many_wait_of_a_peer_of_an_account_and_in_all() -> None:
    seats = Seats(WaitSettings(max_open=3, max_open_per_account=1, max_open_per_peer=2))
    with seats.seat("192.0.2.1", "ann"), ExitStack() as stack:
        with pytest.raises(ThrottledError, match="of this account"):
            stack.enter_context(seats.seat("192.0.2.2", "ann"))
        stack.enter_context(seats.seat("192.0.2.1", None))
        with pytest.raises(ThrottledError, match="from your IP address"):
            stack.enter_context(seats.seat("192.0.2.1", None))
        stack.enter_context(seats.seat("2001:db8::1", "bob"))
        with pytest.raises(OverloadedError, match="Too many wait here"):
            stack.enter_context(seats.seat("192.0.2.3", None))
    with seats.seat("192.0.2.1", "ann"), seats.seat("192.0.2.1", "bob"):
        pass
