"""Which links are not opened unasked, by their words in many languages."""

import pytest

from mailsacd.mail.checks.one_time import acts_once, leaves_a_list


@pytest.mark.parametrize(
    "texts",
    [
        ("https://example.com/unsubscribe?u=1",),
        ("https://example.com/Opt-Out",),
        ("https://example.com/%75nsubscribe",),
        ("https://e.example/x", "Newsletter abbestellen"),
        ("https://e.example/x", "Se désinscrire"),
        ("https://e.example/x", "Darse de baja"),
        ("https://e.example/x", "Отписаться"),
        ("https://e.example/x", "配信停止はこちら"),
        ("https://example.us1.list-manage.com/x",),
    ],
)
def test_a_link_by_which_one_leaves_a_list(texts: tuple[str, ...]) -> None:
    assert leaves_a_list(*texts)


@pytest.mark.parametrize(
    "texts",
    [
        ("https://example.com/confirm/8f2a",),
        ("https://example.com/u?token=8f2a",),
        ("https://example.com/password/reset",),
        ("https://example.com/magic-link",),
        ("https://example.com/users/sign_in",),
        ("https://e.example/x", "Verify your address"),
        ("https://e.example/x", "Log in"),
        ("https://e.example/x", "E-Mail-Adresse bestätigen"),
        ("https://e.example/x", "Confirmer mon adresse"),
        ("https://e.example/x", "Restablecer contraseña"),
        ("https://e.example/x", "Подтвердить"),
        ("https://e.example/x", "验证邮箱"),
        ("https://e.example/x", "ログイン"),
        ("https://example.com/invitations/7/decline",),
    ],
)
def test_a_link_that_does_something(texts: tuple[str, ...]) -> None:
    assert acts_once(*texts)


@pytest.mark.parametrize(
    "texts",
    [
        ("https://example.com/", "Our shop"),
        ("https://example.com/authors/jane", "About the author"),
        ("https://example.com/blog/2026/resale?utm_source=mail", "Read more"),
        ("https://example.com/img/logo.png",),
        ("https://example.com/docs", "Documentation"),
    ],
)
def test_a_link_that_only_shows_something(texts: tuple[str, ...]) -> None:
    assert not leaves_a_list(*texts)
    assert not acts_once(*texts)
