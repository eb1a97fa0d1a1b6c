"""The account itself: its settings, its password, and its end."""

from tests.web.client import PASSWORD, Client

NEW = "another long password of theirs"


def test_an_account_is_needed(client: Client) -> None:
    for path in ("/account", "/account/remove"):
        assert client.get(path, 303).headers["location"] == f"/sign-in?next={path}"


def test_settings_are_saved(client: Client) -> None:
    name = client.sign_up()
    assert name in client.get("/account").text
    fields = {
        "labels": "to do\r\n\r\n invoices \r\nto do",
        "capturePrivate": ["false", "true"],
        "disableSpam": "false",
    }
    client.post("/account/settings", fields)
    page = client.get("/account").text
    assert "The settings are saved" in page
    assert ">\nto do\ninvoices</textarea>" in page
    assert 'name="capturePrivate" value="true" checked' in page
    assert 'name="disableSpam" value="true" checked' not in page
    assert ">invoices</a>" in client.get("/messages").text
    client.get("/account")
    page = client.post("/account/settings", {"labels": "x" * 101}, 400).text
    assert 'id="labels-told">' in page
    assert "x" * 101 in page


def test_the_mail_address_is_changed(client: Client) -> None:
    name = client.sign_up()
    client.get("/account")
    fields = {"email": f"{name}@new.example", "emailPassword": PASSWORD}
    page = client.post("/account/email", {**fields, "emailPassword": "not that"}, 400).text
    assert 'id="emailPassword-told">The password is wrong' in page
    assert f'value="{name}@new.example"' in page
    client.post("/account/email", fields)
    assert f'value="{name}@new.example"' in client.get("/account").text
    page = client.post("/account/email", {"email": "nonsense"}, 400).text
    assert 'id="email-told">' in page
    assert 'value="nonsense"' in page


def test_the_password_is_changed_and_all_sessions_end(client: Client) -> None:
    name = client.sign_up()
    client.get("/account")
    wrong = {"password": "not that", "newPassword": NEW}
    page = client.post("/account/password", wrong, 400).text
    assert 'id="password-told">The password is wrong' in page
    assert "not that" not in page
    page = client.post("/account/password", {"password": PASSWORD, "newPassword": "x"}, 400).text
    assert 'id="newPassword-told">' in page
    to = client.post("/account/password", {"password": PASSWORD, "newPassword": NEW})
    assert to.headers["location"] == "/sign-in"
    assert "The password is changed" in client.get("/sign-in").text
    client.get("/account", 303)
    client.get("/sign-in")
    client.post("/sign-in", {"name": name, "password": NEW, "next": ""})


def test_the_account_is_deleted_with_the_password_alone(client: Client) -> None:
    name = client.sign_up()
    client.get("/addresses")
    address = f"box@{name}.example"
    client.post("/addresses", {"address": address})
    client.get("/account/remove")
    page = client.post("/account/remove", {"password": "not that", "code": ""}, 400).text
    assert 'id="password-told">The password is wrong' in page
    client.post("/account/remove", {"password": PASSWORD, "form_token": "0" * 64}, 403)
    client.get("/account/remove")
    to = client.post("/account/remove", {"password": PASSWORD, "code": ""})
    assert to.headers["location"] == "/"
    page = client.get("/").text
    assert f"The account {name} is deleted" in page
    assert "Sign in" in page
    client.get("/sign-in")
    client.post("/sign-in", {"name": name, "password": PASSWORD, "next": ""}, 400)
