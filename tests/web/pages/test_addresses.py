"""Addresses are reserved, set up and released on their pages."""

import re
import secrets
import time
from collections.abc import Callable
from urllib.parse import quote

from mailsacd.web.pages.addresses import STEP
from tests.web.client import TIMEOUT_S, Client


def _domain() -> str:
    return f"{secrets.token_hex(6)}.example"


def _reserve(client: Client, address: str) -> str:
    """The path of the page of ``address``, which is the account's then."""
    client.get("/addresses")
    return client.post("/addresses", {"address": address}).headers["location"]


def _wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _action(page: str, ending: str) -> str:
    """Where the first form of ``page`` is sent to whose URL has that ending."""
    found = re.search(rf'action="([^"]*{ending})"', page)
    assert found, page
    return found[1]


def test_an_account_is_needed(client: Client) -> None:
    assert client.get("/addresses", 303).headers["location"] == "/sign-in?next=/addresses"
    to = client.get("/addresses/a@b.example", 303).headers["location"]
    assert to == "/sign-in?next=/addresses/a%40b.example" or to.endswith("a@b.example")


def test_an_address_is_reserved_set_up_and_released(client: Client) -> None:
    domain = _domain()
    client.sign_up()
    assert "No address is yours yet" in client.get("/addresses").text
    here = _reserve(client, f" Orders@{domain.upper()} ")
    assert here == f"/addresses/orders@{domain}"
    _reserve(client, f"all@{domain}")
    client.get(here)
    fields = {
        "info": "All orders\r\nof the shop",
        "forward": f"all@{domain}",
        "webhook": "https://hooks.nowhere.example/x",
        "webhookSlack": "",
        "webhookSlackToFrom": "false",
        "enablews": ["false", "true"],
    }
    client.post(f"{here}/settings", fields)
    page = client.get(here).text
    assert "The settings are saved" in page
    assert "All orders\r\nof the shop" in page or "All orders\nof the shop" in page
    assert 'name="enablews" value="true" checked' in page
    assert 'name="webhookSlackToFrom" value="true" checked' not in page
    listed = client.get("/addresses").text
    assert f"Forwards to all@{domain}" in listed
    assert "Webhook" in listed
    client.post(f"{here}/release", {})
    assert f"orders@{domain} is released" in client.get("/addresses").text
    assert "Nobody has reserved this address" in client.get(here).text


def test_faults_stand_beside_their_fields_with_what_was_filled_in(client: Client) -> None:
    domain = _domain()
    client.sign_up()
    here = _reserve(client, f"orders@{domain}")
    client.get(here)
    page = client.post(
        f"{here}/settings", {"forward": f"x@{domain}", "webhook": "https://fine.example"}, 400
    ).text
    assert 'id="forward-told">is not an address that the account owns' in page
    assert 'value="https://fine.example"' in page
    page = client.post(f"{here}/settings", {"webhook": "nonsense"}, 400).text
    assert 'id="webhook-told">' in page
    page = client.post(f"{here}/settings", {"unknown": "x"}, 400).text
    assert "unknown is not known" in page
    page = client.post(f"{here}/password", {"password": ""}, 400).text
    assert 'id="password-told">is missing' in page
    page = client.post("/addresses", {"address": "<nonsense>"}, 400).text
    assert 'id="address-told">no @' in page
    assert 'value="&lt;nonsense&gt;"' in page


def test_a_password_is_set_and_removed_and_never_shown(client: Client) -> None:
    client.sign_up()
    here = _reserve(client, f"box@{_domain()}")
    client.get(here)
    client.post(f"{here}/password", {"password": "a secret of the box"})
    page = client.get(here).text
    assert "The one that is set here" in page
    assert "a secret" not in page
    port = client.daemon.ready.ports["pop3"]
    assert f"<td>{port}</td>" in page
    client.post(f"{here}/password", {"password": "", "clear": "yes"})
    assert "None is set here" in client.get(here).text


def test_several_are_reserved_or_none(client: Client) -> None:
    domain = _domain()
    client.sign_up()
    client.get("/addresses")
    page = client.post("/addresses/several", {"addresses": f"a@{domain}\r\nno, @x"}, 400).text
    assert 'id="addresses-told">no: no @' in page
    assert "No address is yours yet" in page
    names = "\r\n".join(f"n{place}@{domain}" for place in range(STEP + 1))
    client.post("/addresses/several", {"addresses": names})
    page = client.get("/addresses").text
    assert f"{STEP + 1} addresses are yours now" in page
    assert f'href="/addresses?skip={STEP}"' in page
    assert client.get(f"/addresses?skip={STEP}").text.count("Open inbox") == 1
    assert client.get("/addresses?find=N7@").text.count("Open inbox") == 1
    client.call("PUT", f"/addresses/n8@{domain}", info="Of the Shop")
    found = client.get("/addresses?find=the%20shop").text
    assert (found.count("Open inbox"), f'href="/inbox/n8@{domain}"' in found) == (1, True)
    assert f"{STEP + 1} private addresses" in found
    assert client.get("/addresses?find=%25").text.count("Open inbox") == 0
    too_many = " ".join(f"m{place}@{domain}" for place in range(101))
    page = client.post("/addresses/several", {"addresses": too_many}, 400).text
    assert "1 to 100 addresses" in page


def test_another_accounts_address_tells_nothing(client: Client) -> None:
    domain = _domain()
    client.sign_up()
    here = _reserve(client, f"mine@{domain}")
    with Client(client.daemon) as other:
        other.sign_up()
        page = other.get(here, 403).text
        assert "owned by another account" in page
        other.get("/addresses")
        for what in ("settings", "password", "release", "test"):
            other.post(f"{here}/{what}", {"password": "x"}, 403)
        other.post("/addresses", {"address": f"mine@{domain}"}, 400)


def test_a_test_is_posted_and_no_message_kept_of_it(client: Client) -> None:
    client.sign_up()
    here = _reserve(client, f"box@{_domain()}")
    assert "Send a test" not in client.get(here).text
    page = client.post(f"{here}/test", {}, 400).text
    assert "neither a webhook nor Slack" in page
    client.post(f"{here}/settings", {"webhook": "https://hooks.nowhere.example/x"})
    client.get(here)
    client.post(f"{here}/test", {})
    page = client.get(here).text
    assert "A test is posted" in page
    assert ">Test</span>" in page
    assert "https://hooks.nowhere.example/x</p>" in page
    _wait_for(lambda: ">Failed</span>" in client.get(here).text)  # it is tried once
    assert "/redeliver" not in client.get(here).text
    mail = f"{client.base}/api{here}/messages"
    assert client.session.get(mail, timeout=TIMEOUT_S).json() == []


def test_a_delivery_is_shown_and_tried_again(client: Client) -> None:
    client.sign_up()
    here = _reserve(client, f"box@{_domain()}")
    client.get(here)
    client.post(f"{here}/settings", {"webhook": "https://hooks.nowhere.example/x"})
    client.daemon.send(here.rpartition("/")[2], "Subject: x\r\n\r\nx\r\n")
    _wait_for(lambda: "next at" in client.get(here).text.lower())  # it has failed once
    again = _action(client.get(here).text, "/redeliver")
    client.post(again, {})
    assert "It is tried again now" in client.get(here).text
    client.post(f"{here}/deliveries/unknown/redeliver", {}, 404)


def test_a_form_of_another_site_changes_nothing(client: Client) -> None:
    client.sign_up()
    here = _reserve(client, f"box@{_domain()}")
    client.post(f"{here}/release", {"form_token": "0" * 64}, 403)
    client.post("/addresses", {"address": "a@b.example", "form_token": ""}, 403)
    client.get(here)
    client.post(f"{here}/release", {}, 403, **{"Sec-Fetch-Site": "cross-site"})
    assert "Mail programs" in client.get(here).text


def test_a_catch_all_has_a_page(client: Client) -> None:
    client.sign_up()
    path = f"/addresses/{quote('*@' + _domain())}"
    assert "Nobody has reserved" in client.get(path).text
