"""What was published of mail viewers like this one, each tried here: what needs no browser.

What needs one is in tests/browser/test_advisories.py and tests/browser/test_hostile_mail.py.
"""

import hashlib
import http.client
import json
import re
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from tests.browser.canary import Canary, listening_canary
from tests.end_to_end.daemon import RunningDaemon
from tests.web.client import Client
from tests.web.mails import letter, new_address, png

VIEWS = ("html", "text", "source", "headers", "attachments", "links", "links&show=1")
EVIL = "http://evil.example"
MEGABYTE = 1 << 20


@pytest.fixture
def canary() -> Iterator[Canary]:
    with listening_canary() as listening:
        yield listening


def arrived(client: Client, daemon: RunningDaemon, inbox: str, mail: EmailMessage | bytes) -> str:
    """Deliver a mail; the end of its URLs."""
    content = mail if isinstance(mail, bytes) else mail.as_bytes()
    with daemon.smtp() as smtp:
        smtp.sendmail("eve@evil.example", [inbox], content)
    listed = client.get(f"/api/addresses/{inbox}/messages?limit=1", accept="*/*").json()
    return f"{inbox}/{listed[0]['_id']}"


def attached(content: bytes, kind: str, name: str) -> EmailMessage:
    mail = letter("Hello")
    maintype, _, subtype = kind.partition("/")
    mail.add_attachment(content, maintype=maintype, subtype=subtype, filename=name)
    return mail


def handshake(client: Client, path: str, **headers: str) -> int:
    """The status that opening a WebSocket is answered with."""
    connection = http.client.HTTPConnection(client.base.removeprefix("http://"), timeout=30)
    cookies = "; ".join(f"{each.name}={each.value}" for each in client.session.cookies)
    fields = {
        "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Cookie": cookies, **headers,
    }  # fmt: skip
    connection.request("GET", path, headers=fields)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize(
    "path",
    ["/incoming-messages", "/%69ncoming-messages", "//incoming-messages", "/x/../incoming-messages",
     "/incoming%2Dmessages", "/incoming-messages/", "/./incoming-messages"],
)  # fmt: skip
def test_cve_2026_22689_another_site_opens_no_websocket(client: Client, path: str) -> None:
    """Mailpit: origins were not looked at; then (GHSA-8r62-w5wh-fc5m) not of an encoded path."""
    client.sign_up()
    assert handshake(client, path, Origin=EVIL) in {403, 404}


def test_cve_2026_21859_and_55187_nothing_is_fetched_for_anybody(
    client: Client, pages_daemon: RunningDaemon, inbox: str, canary: Canary
) -> None:
    """Mailpit: a proxy for screenshots, checks of HTML and of links (also CVE-2026-23845, 27808,
    GHSA-j3fj-qppj-fmmc) asked hosts that a mail names."""
    url = canary.url
    page = (
        f"x<link rel=stylesheet href='{url}/css'><a href='{url}/a'>x</a><img src='{url}/img'>"
        f"<style>@import '{url}/import'</style>"
    )
    end = arrived(client, pages_daemon, inbox, letter(url, f"{url}/text", page))
    for view in VIEWS:
        client.get(f"/inbox/{end}?view={view}")
    for show in (0, 1):
        client.get(f"/inbox/{end}/html?show={show}")
    for path in (f"/proxy?url={url}", f"/proxy?data={url}", f"/api/v1/proxy?url={url}"):
        client.get(path, 404)
    client.get(f"/inbox?address={url}", 400)
    assert (canary.heard, canary.connections) == ([], 0)


def test_cve_2026_23829_no_field_comes_in_by_an_address(
    client: Client, pages_daemon: RunningDaemon, inbox: str
) -> None:
    """Mailpit: a bare CR in MAIL FROM or RCPT TO became a header field."""
    commands = ("MAIL FROM:<a\rX-Injected: yes\r@evil.example>", f'RCPT TO:<"a\rX: y"@{inbox}>')
    with pages_daemon.smtp() as smtp:
        smtp.helo()
        for command in commands:
            smtp.send(f"{command}\r\n")
            assert smtp.getreply()[0] >= 500
            smtp.docmd("MAIL FROM:<a@evil.example>")
    end = arrived(client, pages_daemon, inbox, b"Subject: x\rX-Injected: yes\r\n\r\n")
    assert "X-Injected: yes" not in client.get(f"/inbox/{end}").text.splitlines()


def test_cve_2026_45710_and_48824_bodies_are_bounded(client: Client, inbox: str) -> None:
    """Mailpit: bodies of any length were read into memory, on one call and then on its others."""
    form = {"action": "read", "id": "x" * 10 * MEGABYTE}
    client.post(f"/inbox/{inbox}", form, 413)
    client.post(f"/inbox/{inbox}/x-0", form, 413)
    many = {"action": "read", "id": ["x"] * 1_000}
    client.post(f"/inbox/{inbox}", many, 400)
    client.get(f"/inbox/{inbox}")


def test_ghsa_r553_a_line_counts_before_it_ends(pages_daemon: RunningDaemon) -> None:
    """Mailpit: a line of a message was read to its end before its length was looked at."""
    with pages_daemon.smtp() as smtp:
        smtp.sendmail("a@b.example", [new_address()], b"Subject: short\r\n\r\n" + b"x" * MEGABYTE)
    with pages_daemon.smtp() as smtp, pytest.raises(Exception, match="552"):
        smtp.sendmail("a@b.example", [new_address()], b"x" * 8 * MEGABYTE)


def test_cve_2026_67446_no_picture_is_decoded(
    client: Client, pages_daemon: RunningDaemon, inbox: str
) -> None:
    """Mailpit: thumbnails were made of pictures that say that they are vast."""
    bomb = png(60_000, 60_000, rows=1)
    mail = attached(bomb, "image/png", "bomb.png")
    end = arrived(client, pages_daemon, inbox, mail)
    assert "<img" in client.get(f"/inbox/{end}?view=attachments").text
    checksum = hashlib.md5(bomb, usedforsecurity=False).hexdigest()
    assert client.get(f"/inbox/{end}/pictures/{checksum}").content == bomb


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "..\\..\\x.exe", "/etc/passwd", 'a"; filename="b.html', "a\u202egpj.exe",
     "CON:x", "a\tb.txt", "%0d%0aSet-Cookie: x=1"],
)  # fmt: skip
def test_ghsa_qx5x_a_name_stays_in_its_folder(
    client: Client, pages_daemon: RunningDaemon, inbox: str, name: str
) -> None:
    """Mailpit: names out of messages led out of a folder, and into fields of answers."""
    end = arrived(client, pages_daemon, inbox, attached(b"%PDF", "application/pdf", name))
    page = client.get(f"/inbox/{end}?view=attachments").text
    (path,) = re.findall(r'href="(/api/[^"]+/download)"', page)
    answer = client.get(path)
    assert "set-cookie" not in answer.headers
    disposition = answer.headers["content-disposition"]
    assert re.fullmatch(
        r"attachment; filename=\"[^\"\\/:]+\"(; filename\*=UTF-8''[\w.~%!#$&+^`|-]+)?", disposition
    )
    for encoded in ("%2F", "%5C", "%0", "%E2%80%AE"):
        assert encoded not in disposition


@pytest.mark.parametrize(
    "kind",
    ["text/javascript", "application/javascript", "application/x-javascript", "text/ecmascript",
     "TEXT/JavaScript", "text/jscript", "text/livescript", "text/javascript1.5"],
)  # fmt: skip
def test_mailpit_1_19_3_mail_is_no_script_of_our_origin(
    client: Client, pages_daemon: RunningDaemon, inbox: str, kind: str
) -> None:
    """Mailpit: one message's page ran what another had attached, which its policy let in."""
    mail = attached(b"alert(1)", kind, "a.js")
    end = arrived(client, pages_daemon, inbox, mail)
    inbox_, _, id_ = end.partition("/")
    for path in (
        f"/api/addresses/{inbox_}/messages/{id_}/attachments/a.js",
        f"/api/raw/{end}",
        f"/api/text/{end}",
    ):
        answer = client.get(path, accept="*/*")
        assert answer.headers["content-type"].partition(";")[0] == "text/plain"
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("kind", "name"),
    [("text/html", "a.html"), ("image/svg+xml", "a.svg"), ("text/xml", "a.xml"),
     ("application/xhtml+xml", "a.xhtml"), ("application/pdf", "a.pdf"), ("image/png", "a.png"),
     ("text/xsl", "a.xsl"), ("multipart/x-mixed-replace", "a"), ("message/rfc822", "a.eml")],
)  # fmt: skip
def test_cve_2026_129168_and_133873_attachments_are_never_pages(
    client: Client, pages_daemon: RunningDaemon, inbox: str, kind: str, name: str
) -> None:
    """PMail, Cloud Mail and Roundcube (CVE-2020-13965, 2024-42008): HTML, SVG and XML of others
    were shown on the origin of the viewer."""
    content = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    mixed = (
        b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\n\r\ntext\r\n--b\r\nContent-Type: " + kind.encode() + b"\r\n"
        b"Content-Disposition: inline; filename=" + name.encode() + b"\r\n"
        b"Content-ID: <c>\r\n\r\n" + content + b"\r\n--b--\r\n"
    )
    end = arrived(client, pages_daemon, inbox, mixed)
    inbox_, _, id_ = end.partition("/")
    listed = client.get(f"/api/addresses/{inbox_}/messages/{id_}/attachments", accept="*/*").json()
    for each in listed:
        for identifier in (each["checksum"], f"{each['checksum']}/download"):
            answer = client.get(f"/api/addresses/{inbox_}/messages/{id_}/attachments/{identifier}")
            assert answer.headers["content-disposition"].startswith("attachment")
            assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
            assert answer.headers["x-content-type-options"] == "nosniff"
        client.get(f"/inbox/{end}/pictures/{each['checksum']}", 404)


def test_no_page_is_framed_or_sniffed_or_read_from_elsewhere(
    client: Client, pages_daemon: RunningDaemon, inbox: str
) -> None:
    """Clickjacking, sniffing, and pages that read with somebody's cookies."""
    end = arrived(client, pages_daemon, inbox, letter("Hello", html="<p>x"))
    for path in ("/", f"/inbox/{inbox}", f"/inbox/{end}", f"/inbox/{end}?view=source"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "'unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
    client.session.headers["Origin"] = EVIL
    for path in (f"/inbox/{end}", f"/inbox/{end}/html", f"/api/text/{end}"):
        headers = client.get(path).headers
        assert "access-control-allow-credentials" not in headers
    del client.session.headers["Origin"]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_no_form_of_another_site_does_anything(
    client: Client, pages_daemon: RunningDaemon, inbox: str, site: str
) -> None:
    """Also with the token that it cannot know."""
    end = arrived(client, pages_daemon, inbox, letter("Hello"))
    client.get(f"/inbox/{end}")
    for path in (f"/inbox/{end}", f"/inbox/{inbox}"):
        client.post(path, {"action": "delete"}, 403, **{"Sec-Fetch-Site": site})
        client.post(path, {"action": "delete"}, 403, Origin=EVIL)
        client.post(path, {"action": "delete", "form_token": ""}, 403)
    client.get(f"/inbox/{end}")


VAST = {
    "ampersands": ("text/html", b"<p>" + b"&" * MEGABYTE),
    "a table": ("text/html", b"<table>" + b"<tr><td>x<td>y" * 50_000),
    "depth": ("text/html", b"<div><b>" * 50_000 + b"x"),
    "links": (
        "text/html",
        b"".join(b"<a href=http://a.example/%d>x</a>" % n for n in range(9_000)),
    ),
    "lines": ("text/plain", b"a\r\n" * 300_000),
    "a line": ("text/plain", b"a" * MEGABYTE),
    "codes": ("text/plain", b"code 123456 " * 60_000),
}


@pytest.mark.parametrize("name", VAST)
def test_vast_mail_makes_no_vast_pages(
    client: Client, pages_daemon: RunningDaemon, inbox: str, name: str
) -> None:
    """Pages of one message are bounded, and others are answered meanwhile."""
    kind, content = VAST[name]
    end = arrived(
        client, pages_daemon, inbox,
        b"Subject: vast\r\nContent-Type: " + kind.encode() + b"\r\n\r\n" + content,
    )  # fmt: skip
    for view in VIEWS:
        assert len(client.get(f"/inbox/{end}?view={view}").content) < 250_000
    assert len(client.get(f"/inbox/{inbox}").content) < 50_000
    assert len(client.get(f"/inbox/{end}/html").content) < 3 * MEGABYTE


def test_vast_fields_make_no_vast_pages(
    client: Client, pages_daemon: RunningDaemon, inbox: str
) -> None:
    people = b", ".join(b'"%s" <a%d@b.example>' % (b"n" * 50, n) for n in range(5_000))
    parts = b"".join(
        b"--b\r\nContent-Type: x/%s\r\nContent-Disposition: attachment; filename=%s\r\n\r\nx%d\r\n"
        % (b"y" * 900, b"z" * 900, n)
        for n in range(400)
    )
    mail = (
        b"Subject: " + b"s" * 200_000 + b"\r\nFrom: " + people + b"\r\nTo: " + people + b"\r\n"
        b"Cc: " + people + b"\r\n" + b"X-Many: " + b"v" * 900 + b"\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + parts + b"--b--\r\n"
    )
    end = arrived(client, pages_daemon, inbox, mail)
    for view in VIEWS:
        assert len(client.get(f"/inbox/{end}?view={view}").content) < 250_000
    assert len(client.get(f"/inbox/{inbox}").content) < 50_000


def test_json_is_no_way_around_the_form(client: Client, inbox: str) -> None:
    """A body that is JSON has no token of a form: fields of other types are refused, not served."""
    body = json.dumps({"form_token": 1, "action": ["delete"], "id": {"a": 1}})
    answer = client.session.post(f"{client.base}/inbox/{inbox}", body, timeout=30)
    assert answer.status_code == 403
    client.get(f"/inbox/{inbox}")
    body = json.dumps({"form_token": client.token, "action": ["delete"], "id": {"a": 1}})
    answer = client.session.post(f"{client.base}/inbox/{inbox}", body, timeout=30)
    assert answer.status_code == 400
