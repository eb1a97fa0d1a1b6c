"""By which names a port that asks for no key may be asked."""

import pytest

from mailsacd.facades.door import is_unregistrable


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1", "[::1]", "mailpit", "app.localhost", "host.docker.internal",
     "LOCALHOST", "localhost.", "10.0.0.5"],
)  # fmt: skip
def test_names_that_nobody_can_point_here(host: str) -> None:
    assert is_unregistrable(host)


@pytest.mark.parametrize(
    "host", ["", "evil.net", "127.0.0.1.evil.net", "localhost.evil.net", "a.de."]
)
def test_names_that_somebody_may_have(host: str) -> None:
    assert not is_unregistrable(host)
