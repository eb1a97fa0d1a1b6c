"""Team users are made, elevated for a while, and removed."""

import re
import secrets

from tests.web.client import PASSWORD, TIMEOUT_S, Client

HERE = "/account/team"


def _add(client: Client) -> str:
    name = f"member-{secrets.token_hex(4)}"
    client.get(HERE)
    client.post(HERE, {"name": name.upper(), "password": PASSWORD})
    assert f"{name} can sign in now" in client.get(HERE).text
    return name


def _sign_in(client: Client, name: str) -> None:
    client.get("/sign-in")
    client.post("/sign-in", {"name": name, "password": PASSWORD})


def test_an_account_is_needed(client: Client) -> None:
    assert client.get(HERE, 303).headers["location"] == f"/sign-in?next={HERE}"


def test_a_user_is_added_and_removed(client: Client) -> None:
    client.sign_up()
    assert "no team user yet" in client.get(HERE).text
    name = _add(client)
    with Client(client.daemon) as other:
        _sign_in(other, name)
        client.post(f"{HERE}/{name}/remove", {})
        assert "is removed" in client.get(HERE).text
        assert other.session.get(f"{client.base}/api/me", timeout=TIMEOUT_S).status_code == 401
    client.post(f"{HERE}/{name}/remove", {}, 404)


def test_faults_stand_beside_their_fields(client: Client) -> None:
    client.sign_up()
    name = _add(client)
    page = client.post(HERE, {"name": name, "password": PASSWORD}, 400).text
    assert 'id="name-told">There is an account or a user named' in page
    page = client.post(HERE, {"name": "<no>", "password": PASSWORD}, 400).text
    assert 'id="name-told">has to be 1 to 63' in page
    assert 'value="&lt;no&gt;"' in page
    page = client.post(HERE, {"name": "fine", "password": "short"}, 400).text
    assert 'id="password-told"' in page
    assert "short" not in page.replace("shortcut", "")


def test_a_user_is_elevated_until_a_time_that_is_told(client: Client) -> None:
    client.sign_up()
    name = _add(client)
    with Client(client.daemon) as other:
        _sign_in(other, name)
        other.get(HERE, 403)
        other.get("/audit", 403)
        page = client.post(f"{HERE}/{name}/elevate", {"minutes": "1441"}, 400).text
        assert 'aria-invalid="true"' in page
        assert "whole number from 1 to 1,440" in page
        client.post(f"{HERE}/{name}/elevate", {"minutes": "no"}, 400)
        client.post(f"{HERE}/{name}/elevate", {"minutes": "5"})
        page = client.get(HERE).text
        assert re.search(r"Until <time datetime=[^>]+>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", page)
        page = other.get(HERE).text
        assert "/elevate" not in page
        assert "Add a user" not in page
        other.post(HERE, {"name": "his-friend", "password": PASSWORD}, 403)
        page = other.get("/keys").text
        assert "Make a key" not in page
        other.post("/keys", {"name": "his"}, 403)
        other.post("/help/key", {}, 403)
        other.post(f"{HERE}/{name}/elevate", {"minutes": "5"}, 403)
        client.post(f"{HERE}/{name}/end-elevation", {})
        assert "does not manage the account any more" in client.get(HERE).text
        other.get(HERE, 403)
    client.post(f"{HERE}/nobody-here/end-elevation", {}, 404)


def test_a_form_of_another_site_changes_nothing(client: Client) -> None:
    client.sign_up()
    name = _add(client)
    client.post(f"{HERE}/{name}/remove", {"form_token": "0" * 64}, 403)
    client.post(HERE, {"name": "x", "password": PASSWORD, "form_token": ""}, 403)
