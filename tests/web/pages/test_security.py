"""The second factor is set up, renewed and taken away; sessions are seen and ended."""

import re
import time
from html import unescape
from urllib.parse import unquote

import pyotp

from tests.web.client import PASSWORD, TIMEOUT_S, Client

HERE = "/account/security"


def _code(secret: str, steps: int = 0) -> str:
    """A code of the device, of this step or a later one: one that is a step old is still good."""
    return pyotp.TOTP(secret).at(int(time.time()) + steps * 30)


def _recovery_codes(page: str) -> list[str]:
    found = re.findall(r"<li><code>([^<]+)</code></li>", page)
    kept = re.search(r'href="data:text/plain;charset=utf-8,([^"]+)"', page)
    copied = re.search(r'data-copy="([^"]+)" hidden>Copy them', page)
    assert kept
    assert copied
    assert unquote(kept[1]).split() == unescape(copied[1]).split() == found
    return found


def _set_up(client: Client) -> tuple[str, list[str]]:
    """The secret of the device, and the recovery codes."""
    client.get(HERE)
    page = client.post(f"{HERE}/second-factor", {"password": PASSWORD}, 200).text
    secret = re.search(r'data-copy="([A-Z2-7]+)"', page)
    assert secret
    page = client.post(f"{HERE}/second-factor/confirm", {"code": _code(secret[1])}, 200).text
    return secret[1], _recovery_codes(page)


def test_an_account_is_needed(client: Client) -> None:
    assert client.get(HERE, 303).headers["location"] == f"/sign-in?next={HERE}"
    for what in ("second-factor", "second-factor/disable", "sessions/end-others"):
        client.post(f"{HERE}/{what}", {"password": PASSWORD}, 303)


def test_a_second_factor_is_set_up_by_a_code_of_the_device(client: Client) -> None:
    client.sign_up()
    assert ">Off</span>" in client.get(HERE).text
    page = client.post(f"{HERE}/second-factor", {"password": PASSWORD}, 200).text
    assert "data:image/svg+xml;base64," in page
    secret = re.search(r'data-copy="([A-Z2-7]+)"', page)
    assert secret
    assert f"secret={secret[1]}" in page
    page = client.post(f"{HERE}/second-factor/confirm", {"code": "000000x"}, 400).text
    assert 'id="code-told">is wrong' in page
    assert secret[1] not in page
    assert ">Off</span>" in client.get(HERE).text
    page = client.post(f"{HERE}/second-factor/confirm", {"code": _code(secret[1])}, 200).text
    codes = _recovery_codes(page)
    assert len(codes) == 10
    page = client.get(HERE).text
    assert ">On</span>" in page
    assert "10 recovery codes are left" in page
    assert codes[0] not in page
    page = client.post(f"{HERE}/second-factor/confirm", {"code": "123456"}, 400).text
    assert "no second factor that waits" in page


def test_recovery_codes_are_renewed(client: Client) -> None:
    client.sign_up()
    secret, before = _set_up(client)
    client.get(HERE)
    wrong = {"password": "not this one", "code": _code(secret, 1)}
    page = client.post(f"{HERE}/second-factor/codes", wrong, 400).text
    assert 'id="codes-password-told">The password is wrong' in page
    assert "<details open>" in page
    page = client.post(f"{HERE}/second-factor/codes", {"password": PASSWORD, "code": ""}, 400).text
    assert 'id="codes-code-told">A code of the second factor is needed' in page
    right = {"password": PASSWORD, "code": _code(secret, 1)}
    after = _recovery_codes(client.post(f"{HERE}/second-factor/codes", right, 200).text)
    assert not set(before) & set(after)


def test_the_second_factor_is_taken_away_by_a_code(client: Client) -> None:
    client.sign_up()
    _, codes = _set_up(client)
    client.get(HERE)
    wrong = {"password": PASSWORD, "code": "zzzz-zzzz-zzzz-zzzz"}
    page = client.post(f"{HERE}/second-factor/disable", wrong, 400).text
    assert 'id="disable-code-told">The code is wrong' in page
    client.post(f"{HERE}/second-factor/disable", {"password": PASSWORD, "code": codes[3]})
    page = client.get(HERE).text
    assert "takes the password alone now" in page
    assert ">Off</span>" in page
    page = client.post(f"{HERE}/second-factor", {"password": "wrong"}, 400).text
    assert 'id="begin-password-told">The password is wrong' in page


def test_sessions_are_listed_and_ended(client: Client) -> None:
    name = client.sign_up()
    with Client(client.daemon) as other, Client(client.daemon) as third:
        for each in (other, third):
            each.get("/sign-in")
            each.post("/sign-in", {"name": name, "password": PASSWORD})
        page = client.get(HERE).text
        assert page.count("This one") == 1
        ends = re.findall(r'action="(/account/security/sessions/[0-9a-f]+/end)"', page)
        assert len(ends) == 2
        client.post(ends[0], {})
        assert "The session is over" in client.get(HERE).text
        client.post(ends[0], {}, 404)
        client.post(f"{HERE}/sessions/nonsense/end", {}, 404)
        client.post(f"{HERE}/sessions/end-others", {})
        page = client.get(HERE).text
        assert "1 session ended" in page
        assert "Sign out everywhere else" not in page
        for each in (other, third):
            answer = each.session.get(f"{client.base}/api/me", timeout=TIMEOUT_S)
            assert answer.status_code == 401
    client.get(HERE)


def test_a_form_of_another_site_changes_nothing(client: Client) -> None:
    client.sign_up()
    client.get(HERE)
    fields = {"password": PASSWORD, "form_token": "0" * 64}
    client.post(f"{HERE}/second-factor", fields, 403)
    client.post(f"{HERE}/sessions/end-others", {"form_token": ""}, 403)


def test_an_account_with_a_second_factor_is_deleted_by_a_code(client: Client) -> None:
    client.sign_up()
    _, codes = _set_up(client)
    client.get("/account/remove")
    page = client.post("/account/remove", {"password": PASSWORD, "code": ""}, 400).text
    assert 'id="code-told">A code of the second factor is needed' in page
    page = client.post("/account/remove", {"password": PASSWORD, "code": "123"}, 400).text
    assert 'id="code-told">The code is wrong' in page
    client.post("/account/remove", {"password": PASSWORD, "code": codes[0]})
    assert "is deleted" in client.get("/").text


def test_the_pages_of_the_account_lead_to_each_other(client: Client) -> None:
    client.sign_up()
    paths = ("/account", HERE, "/account/team", "/audit")
    for path in paths:
        page = client.get(path).text
        assert f'href="{path}" aria-current="page"' in page
        assert all(f'href="{other}"' in page for other in paths)
