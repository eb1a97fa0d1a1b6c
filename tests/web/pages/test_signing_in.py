"""Making an account, signing in and out."""

import pyotp

from mailsacd.mail.accounts.guesses import GUESSES
from tests.web.client import PASSWORD, Client


def test_somebody_signs_up_out_and_in(client: Client) -> None:
    name = client.sign_up()
    assert "Welcome" in client.get("/").text
    again = client.get("/").text
    assert name in again
    assert "Welcome" not in again
    client.post("/sign-out", {})
    assert "Sign in" in client.get("/").text
    page = client.get("/sign-in?next=/keys")
    assert 'name="next" value="/keys"' in page.text
    to = client.post("/sign-in", {"name": name, "password": PASSWORD, "next": "/keys"})
    assert to.headers["location"] == "/keys"
    assert client.get("/sign-in", 303).headers["location"] == "/messages"


def test_a_wrong_password_is_told_and_never_shown_again(client: Client) -> None:
    name = client.sign_up()
    client.get("/")
    client.post("/sign-out", {})
    client.get("/sign-in")
    fields = {"name": name, "password": "something else", "next": "//evil.example"}
    page = client.post("/sign-in", fields, 400)
    assert "The name or the password is wrong" in page.text
    assert f'value="{name}"' in page.text
    assert "something else" not in page.text
    assert "evil" not in page.text
    to = client.post("/sign-in", {"name": name, "password": PASSWORD, "next": "//evil.example"})
    assert to.headers["location"] == "/messages"


def test_who_tries_too_often_keeps_the_form(client: Client) -> None:
    client.get("/sign-in")
    assert 'id="password-told">' in client.post("/sign-in", {"name": "nobody-at-all"}, 400).text
    fields = {"name": "nobody-at-all", "password": "guessed-badly", "next": "/usage"}
    for _ in range(GUESSES):
        client.post("/sign-in", fields, 400)
    page = client.post("/sign-in", fields, 429).text
    assert "Too many" in page
    assert 'value="nobody-at-all"' in page
    assert 'name="next" value="/usage"' in page
    assert "guessed-badly" not in page


def test_each_fault_stands_beside_its_field(client: Client) -> None:
    client.get("/sign-up")
    page = client.post("/sign-up", {"name": "fine", "email": "f@x.example", "password": "x"}, 400)
    assert page.text.count('aria-invalid="true"') == 1
    assert 'value="fine"' in page.text
    page = client.post("/sign-up", {"name": "fine", "email": "f@x.example", "password": ""}, 400)
    assert "is missing" in page.text


def test_a_code_is_asked_for_where_the_password_alone_does_not_do(client: Client) -> None:
    name = client.sign_up()
    api = f"{client.base}/api/auth/totp"
    secret = client.session.post(api, json={"password": PASSWORD}, timeout=30).json()["secret"]
    code = pyotp.TOTP(secret).now()
    codes = client.session.put(api, json={"code": code}, timeout=30).json()["recoveryCodes"]
    client.get("/")
    client.post("/sign-out", {})
    assert 'name="code"' not in client.get("/sign-in").text
    fields = {"name": name, "password": PASSWORD}
    page = client.post("/sign-in", fields, 400)
    assert "A code of the second factor is needed" in page.text
    assert 'name="code"' in page.text
    page = client.post("/sign-in", {**fields, "code": "zzzz-wrong"}, 400)
    assert 'name="code"' in page.text
    assert "zzzz-wrong" not in page.text
    to = client.post("/sign-in", {**fields, "code": codes[0]})
    assert to.headers["location"] == "/messages"
