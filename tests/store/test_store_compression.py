"""How much there is in a stored message is known without unpacking it."""

import pytest

from mailsacd.core.envelope import Envelope
from mailsacd.mail.receiving.compose import compose
from mailsacd.store.compression import expand, expanded_bytes
from tests.mail.envelopes import RECEPTION, to


@pytest.mark.parametrize("size", [0, 1, 1000, 2_400_000])
def test_mail_that_repeats_itself_is_known_to_be_large(size: int) -> None:
    envelope = Envelope(
        id="01m8fvk2qt000k5d8gr1w",
        received_ms=0,
        reverse_path="a@b.example",
        recipients=to("box@a.example"),
        reception=RECEPTION,
        content=b"\r\n" + b"x" * size,
    )
    stored = compose(envelope, "mx.example").raw
    assert expanded_bytes(stored) == len(expand(stored)) > size
    assert len(stored) < 1000
