"""Whether a URL carries a secret."""

import pytest

from mailsacd.core.secret_url import has_secret, words_of


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/verify?token=kq8Zr1", "https://a.example/v/9a3f0c5b7d1e2a4c6b8d",
        "https://a.example/v/123e4567-e89b-12d3-a456-426614174000",
        "https://a.example/?x=Zk2aPq8LrT", "https://a.example/#token=abcdef123",
        "https://a.example/?oobCode=aB3dE5gH", "https://a.example/?upn=AbCdEfGhIjKlMnOpQr",
    ],
)  # fmt: skip
def test_a_token_is_one(url: str) -> None:
    assert has_secret(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/", "https://a.example/login", "https://a.example/reset-your-password",
        "https://a.example/2026-11-30-how-we-verify", "https://a.example/orders/8821337788213377",
        "https://a.example/?utm_campaign=Winter2026Sale&email=someone4410@example.com",
        "https://a.example/?redirect=https%3A%2F%2Fb.example%2F9a3f0c5b7d1e2a4c6b8d",
        "https://[x/?token=kq8Zr1", "https://a.example/?code=1",
    ],
)  # fmt: skip
def test_what_anybody_has_is_none(url: str) -> None:
    assert not has_secret(url)


def test_words_are_of_the_path_and_of_names() -> None:
    assert words_of("https://verify.example/Reset-password/x?token=confirm") == {
        "reset", "password", "x", "token",
    }  # fmt: skip
    assert words_of("https://[x/reset") == frozenset()
