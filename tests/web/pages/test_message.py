"""The page of a message, its views, and what its form does."""

import contextlib
import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from html import escape, unescape

import psycopg2

from tests.end_to_end.daemon import RunningDaemon
from tests.web.client import Client
from tests.web.mails import letter, png

HTML = "<p>Hello <b>you</b></p><a href='https://shop.example/?a=1&amp;b=2'>x</a>"


def path_of(client: Client, inbox: str) -> str:
    """Of the page of the newest message."""
    found = re.findall(r'<a href="(/inbox/[^"/]+/[^"/?]+)">', client.get(f"/inbox/{inbox}").text)
    return str(found[0])


def test_html_comes_first_where_there_is_some(
    client: Client, pages_daemon: RunningDaemon, inbox: str
) -> None:
    pages_daemon.send(inbox, letter("Hello", "as text", HTML).as_string())
    path = path_of(client, inbox)
    page = client.get(path).text
    assert (
        f'sandbox="" referrerpolicy="no-referrer" title="The message as HTML" src="{path}/' in page
    )
    assert "Hello <b>you" not in page
    assert "as text" in client.get(f"{path}?view=text").text
    pages_daemon.send(inbox, letter("Hello", "as text").as_string())
    page = client.get(path_of(client, inbox)).text
    assert "as text" in page
    assert "<iframe" not in page


def test_html_is_served_where_it_does_nothing(
    client: Client, pages_daemon: RunningDaemon, inbox: str
) -> None:
    pages_daemon.send(inbox, letter("Hello", "as text", HTML).as_string())
    path = path_of(client, inbox)
    inert, loading = client.get(f"{path}/html"), client.get(f"{path}/html?show=1&theme=dark")
    policy = inert.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'; ")
    assert policy.endswith("; frame-ancestors 'self'; img-src data:")
    policy = loading.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-popups allow-popups-to-escape-sandbox; default-src")
    assert policy.endswith("; img-src data: http: https:")
    for answer in (inert, loading):
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-dns-prefetch-control"] == "off"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert HTML in loading.text
    assert HTML.replace("href=", "x-href=") in inert.text
    client.get(f"{path}/html?show=maybe", 400)
    with Client(pages_daemon) as stranger:
        stranger.get(f"{path}/html", 401)


def test_a_link_that_confirms_something_is_told_with_its_host(
    client: Client, pages_daemon: RunningDaemon, inbox: str
) -> None:
    url = "https://shop.example/confirm?token=9a3f0c5b7d1e2a4c&a=1"
    page = f'<a href="{escape(url)}">Confirm &lt;b&gt; email</a> <a href="https://elsewhere.example/">y</a>'
    pages_daemon.send(inbox, letter("Welcome", "as text", page).as_string())
    shown = client.get(path_of(client, inbox)).text
    link = (
        f'<a class="button small" href="{escape(url)}" target="_blank" rel="noreferrer noopener">'
    )
    for part in ("<span>Confirms</span>", "Confirm &lt;b&gt; email</b>", ">shop.example<", link):
        assert part in shown
    assert "elsewhere.example" not in shown


def test_the_other_views(client: Client, pages_daemon: RunningDaemon, inbox: str) -> None:
    message = letter("Your code", "Your code is 493201", HTML)
    picture = png(2, 2)
    message.add_attachment(picture, maintype="image", subtype="png", filename='"><b>.png')
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="a.pdf")
    pages_daemon.send(inbox, message.as_string())
    path = path_of(client, inbox)
    assert "<strong>493201</strong>" in client.get(path).text
    headers = client.get(f"{path}?view=headers").text
    assert re.search(
        r"<th scope=\"row\">From</th><td[^>]*>Ann &lt;ann@example.net&gt;</td>", headers
    )
    source = unescape(client.get(f"{path}?view=source").text)
    assert 'Content-Disposition: attachment; filename="a.pdf"' in source
    links = client.get(f"{path}?view=links").text
    assert "<code>https://shop.example/?a=1&amp;b=2</code>" in links
    assert 'href="https://shop' not in links
    links = client.get(f"{path}?view=links&show=1").text
    assert (
        '<a href="https://shop.example/?a=1&amp;b=2" target="_blank" rel="noreferrer noopener">'
        in links
    )
    attachments = client.get(f"{path}?view=attachments").text
    checksum = hashlib.md5(picture, usedforsecurity=False).hexdigest()
    assert attachments.count("<img") == 1
    assert "<b>.png" not in attachments
    shown = client.get(f"{path}/pictures/{checksum}")
    assert (shown.headers["content-type"], shown.content) == ("image/png", picture)
    assert shown.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    pdf = hashlib.md5(b"%PDF", usedforsecurity=False).hexdigest()
    client.get(f"{path}/pictures/{pdf}", 404)
    (download,) = re.findall(rf'href="(/api/[^"]+/attachments/{pdf}/download)"', attachments)
    assert client.get(download).headers["content-disposition"] == 'attachment; filename="a.pdf"'
    eml = client.get(f"/api/raw/{path.removeprefix('/inbox/')}?download=1")
    assert "attachment" in eml.headers["content-disposition"]
    client.get(f"{path}?view=<script>", 400)


def test_a_long_source_has_parts(client: Client, pages_daemon: RunningDaemon, inbox: str) -> None:
    pages_daemon.send(inbox, "Subject: long\r\n\r\n" + "a line\r\n" * 20_000 + "the end\r\n")
    path = path_of(client, inbox)
    first = client.get(f"{path}?view=source")
    assert "Part 1 of 5" in first.text
    assert len(first.content) < 50_000
    assert "the end" in client.get(f"{path}?view=source&part=5").text
    assert "Part 5 of 5" in client.get(f"{path}?view=source&part=99").text
    client.get(f"{path}?view=source&part=0", 400)
    text = client.get(path)
    assert "The whole text" in text.text
    assert len(text.content) < 60_000


def test_the_form_marks_it(client: Client, pages_daemon: RunningDaemon, inbox: str) -> None:
    pages_daemon.send(inbox, letter("Hello").as_string())
    path = path_of(client, inbox)
    assert "data-unread" in client.get(path).text
    assert "data-unread" in client.get(path).text  # a page that was fetched is not read
    for fields, seen in (
        ({"action": "read"}, 'value="unread"'),
        ({"action": "star"}, "Starred"),
        ({"action": "label", "label": "a/<b>"}, "Take the label a/&lt;b&gt; off"),
        ({"action": "move", "folder": "trash"}, '<span class="tag">trash</span>'),
    ):
        back = client.post(path, {**fields, "back": f"{path}?view=text"})
        assert back.headers["location"] == f"{path}?view=text"
        assert seen in client.get(path).text
    client.post(path, {"action": "unlabel", "label": "a/<b>"})
    assert "Take the label" not in client.get(path).text
    assert client.post(path, {"action": "delete"}).headers["location"] == f"/inbox/{inbox}"
    assert "1 message deleted" in client.get(f"/inbox/{inbox}").text
    client.get(path, 404)


def test_who_stars_it_several_times_at_once_has_starred_it(
    client: Client, pages_daemon: RunningDaemon, inbox: str
) -> None:
    pages_daemon.send(inbox, letter("Hello").as_string())
    path = path_of(client, inbox)
    with ThreadPoolExecutor(4) as hands:
        for action, seen in 5 * [("star", 'value="unstar"'), ("unstar", 'value="star"')]:
            sent = [hands.submit(client.post, path, {"action": action}) for _ in range(4)]
            for each in sent:
                each.result()
            assert seen in client.get(path).text


def test_the_messages_beside_it(client: Client, pages_daemon: RunningDaemon, inbox: str) -> None:
    paths = []
    for number in range(3):
        pages_daemon.send(inbox, letter(f"number {number}").as_string())
        paths.append(path_of(client, inbox))
    page = client.get(paths[1]).text
    assert f'href="{paths[2]}" rel="prev" data-key="k"' in page
    assert f'href="{paths[0]}" rel="next" data-key="j"' in page
    assert 'rel="prev"' not in client.get(paths[2]).text
    assert 'rel="next"' not in client.get(paths[0]).text


def test_nobody_else_reads_it(client: Client, pages_daemon: RunningDaemon, inbox: str) -> None:
    message = letter("Hello", "secret", HTML)
    message.add_attachment(png(1, 1), maintype="image", subtype="png", filename="a.png")
    pages_daemon.send(inbox, message.as_string())
    path = path_of(client, inbox)
    picture = hashlib.md5(png(1, 1), usedforsecurity=False).hexdigest()
    with Client(pages_daemon) as stranger:
        for status in (401, 403):
            for suffix in ("", "?view=source", "/html", f"/pictures/{picture}"):
                assert "secret" not in stranger.get(path + suffix, status).text
            stranger.get("/")
            stranger.post(path, {"action": "delete"}, status)
            if status == 401:
                stranger.sign_up()
    client.get(path)


AUTH = {
    "spf": {"result": "pass", "domain": "example.net", "identity": "mailfrom", "reason": ""},
    "dkim": [
        {"result": "fail", "domain": "shop.example", "selector": "s", "algorithm": "rsa-sha256",
         "keyBits": 2048, "testing": False, "reason": "<b>changed"},
    ],
    "arc": {"result": "none", "instances": 0, "domain": "", "reason": ""},
    "dmarc": {"result": "none", "domain": "shop.example", "policy": None, "percent": 100,
              "aligned": [], "reason": ""},
    "ignoredSignatures": 0, "forgedResults": 2, "checked": "2026-11-29T21:00:00.000Z",
}  # fmt: skip


def test_who_sent_it_is_told_where_it_is_known(
    client: Client, pages_daemon: RunningDaemon, inbox: str
) -> None:
    pages_daemon.send(inbox, letter("Hello").as_string())
    path = path_of(client, inbox)
    assert "Sender</dt>" not in client.get(path).text
    dsn = f"host={pages_daemon.data_dir / 'postgres'} port=5432 user=mailsacd dbname=postgres"
    with contextlib.closing(psycopg2.connect(dsn)) as database, database.cursor() as cursor:
        cursor.execute("update message set auth = %s where inbox = %s", (json.dumps(AUTH), inbox))
        database.commit()
    page = client.get(path).text
    for shown in (
        '<span class="tag good">SPF pass</span>', '<span class="tag bad">DKIM fail</span>',
        '<span class="tag">DMARC none</span>', "<strong>shop.example</strong>: &lt;b&gt;changed",
        "It brought 2 results",
    ):  # fmt: skip
        assert shown in page
    assert ">ARC" not in page
