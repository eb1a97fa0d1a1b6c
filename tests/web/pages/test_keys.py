"""API keys are made, shown once, and taken back."""

import re

from tests.web.client import TIMEOUT_S, Client


def _key(client: Client, name: str) -> str:
    page = client.post("/keys", {"name": name}, 200).text
    found = re.search(r"<code>(k_\w+)</code>", page)
    assert found
    return found[1]


def test_a_key_is_shown_once_works_and_is_taken_back(client: Client) -> None:
    client.sign_up()
    client.get("/keys")
    value = _key(client, "for <CI>")
    me = f"{client.base}/api/me"
    asking = {"Mailsac-Key": value}
    told = client.session.get(me, headers=asking, timeout=TIMEOUT_S).json()
    assert told.get("apiKeyName") == "for <CI>", told
    page = client.get("/keys").text
    assert "for &lt;CI&gt;" in page
    assert value not in page
    remove = re.search(r'action="(/keys/[^"]+/remove)"', page)
    assert remove
    client.post(remove[1], {})
    assert "There is no key yet" in client.get("/keys").text
    assert client.session.get(me, headers=asking, timeout=TIMEOUT_S).status_code == 401
    client.post(remove[1], {}, 404)


def test_faults_stand_beside_the_name(client: Client) -> None:
    client.sign_up()
    client.get("/keys")
    _key(client, "one")
    page = client.post("/keys", {"name": "one"}, 400).text
    assert 'id="name-told">There is an API key named' in page
    page = client.post("/keys", {"name": "x" * 101}, 400).text
    assert 'aria-invalid="true"' in page


def test_an_account_is_needed(client: Client) -> None:
    assert client.get("/keys", 303).headers["location"] == "/sign-in?next=/keys"
    client.post("/keys", {"name": "x"}, 303)
