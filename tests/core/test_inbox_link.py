"""Links to inboxes: what is signed is read again, and nothing else."""

import pytest

from mailsacd.core.inbox_link import InboxLink, read_token

SECRET = b"s" * 32
LINK = InboxLink(secret_id="0123456789abcdef", expires=1_800_000_000, inbox='"a b"@example.com')


def test_a_token_is_read_as_it_was_made() -> None:
    token = LINK.token(SECRET)
    assert read_token(token) == LINK
    assert LINK.is_signed(token, SECRET)
    assert not LINK.is_signed(token, b"t" * 32)


def test_no_part_of_a_token_can_be_changed() -> None:
    token = LINK.token(SECRET)
    for place, character in enumerate(token):
        changed = token[:place] + ("0" if character != "0" else "1") + token[place + 1 :]
        found = read_token(changed)
        assert found is None or not found.is_signed(changed, SECRET), place


@pytest.mark.parametrize("token", ["", "x", "." * 600, "0" * 16 + ".1._w." + "a" * 22, "é" * 40])
def test_what_is_no_token(token: str) -> None:
    assert read_token(token) is None
