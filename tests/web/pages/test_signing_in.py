"""Making an account, signing in and out."""

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


def test_each_fault_stands_beside_its_field(client: Client) -> None:
    client.get("/sign-up")
    page = client.post("/sign-up", {"name": "fine", "email": "f@x.example", "password": "x"}, 400)
    assert page.text.count('aria-invalid="true"') == 1
    assert 'value="fine"' in page.text
    page = client.post("/sign-up", {"name": "fine", "email": "f@x.example", "password": ""}, 400)
    assert "is missing" in page.text
