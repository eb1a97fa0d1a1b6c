"""The audit log is read by topic and by page."""

import re
import secrets

from mailsacd.core.audit import TOPICS
from mailsacd.web.pages import audit
from tests.web.client import Client

HERE = "/audit"


def _rows(page: str) -> int:
    return page.count('<tr><td class="whole">')


def _reserve(client: Client, count: int) -> None:
    domain = f"{secrets.token_hex(6)}.example"
    client.get("/addresses")
    fields = {"addresses": " ".join(f"n{place}@{domain}" for place in range(count))}
    client.post("/addresses/several", fields)


def test_each_topic_has_a_name() -> None:
    assert set(audit.TOPICS) == set(TOPICS)


def test_an_account_is_needed(client: Client) -> None:
    assert client.get(HERE, 303).headers["location"] == "/sign-in?next=/audit"


def test_what_was_done_is_told_with_who_and_from_where(client: Client) -> None:
    name = client.sign_up()
    client.get("/keys")
    client.post("/keys", {"name": "for <CI>"}, 200)
    page = client.get(HERE).text
    row = re.search(r"<td>API key created</td>.*?</tr>", page, re.DOTALL)
    assert row
    assert "for &lt;CI&gt;" in row[0]
    assert f"{name}</td>" in row[0]
    assert re.search(r">127\.\d+\.\d+\.\d+</td>", row[0])
    assert "kept for 365 days" in page
    assert "What you did as operator" not in page
    assert _rows(client.get(f"{HERE}?topic=key").text) == 1
    assert "Nothing of this was done" in client.get(f"{HERE}?topic=domain").text
    client.get(f"{HERE}?topic=nonsense", 400)


def test_a_long_log_has_pages(client: Client) -> None:
    client.sign_up()
    _reserve(client, 3)
    assert 'rel="next"' not in client.get(HERE).text
    _reserve(client, audit.PER_PAGE)
    page = client.get(f"{HERE}?topic=address").text
    assert _rows(page) == audit.PER_PAGE
    older = re.search(r'rel="next" href="([^"]+)"', page)
    assert older
    assert _rows(client.get(older[1].replace("&amp;", "&")).text) == 3
