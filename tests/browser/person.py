"""Somebody with an account that has some of everything, and nobody, who has mail to look at."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from tests.end_to_end.command import told
from tests.end_to_end.daemon import RunningDaemon
from tests.web.client import Client

PUBLIC: Final = "anybody@public.example"
PRIVATE: Final = "ann@mine.example"
DOMAIN: Final = "mine.example"
REMOTE_PICTURE: Final = "https://shop.example/pixel.png"
NEWSLETTER: Final = "\r\n".join((
    "From: =?utf-8?q?J=C3=B6rg_of_the_shop?= <joerg@shop.example>",
    "To: Ann <{to}>",
    "Cc: bob@example.net",
    "Subject: Your order 1234, with a subject that is long enough to need more than one line",
    "Date: Sun, 29 Nov 2026 18:00:00 +0000",
    "MIME-Version: 1.0",
    'Content-Type: multipart/mixed; boundary="b"',
    "",
    "--b",
    'Content-Type: multipart/alternative; boundary="a"',
    "",
    "--a",
    "Content-Type: text/plain; charset=utf-8",
    "",
    "Your code is 123456. See https://shop.example/orders/1234?from=mail",
    "--a",
    "Content-Type: text/html; charset=utf-8",
    "",
    '<h1>Thank you</h1><p>Your code is <b>123456</b>. <a href="https://shop.example/">See it</a>'
    f'<img src="{REMOTE_PICTURE}" alt="">',
    "--a--",
    "--b",
    "Content-Type: text/csv; name=items.csv",
    "Content-Disposition: attachment; filename=items.csv",
    "",
    "one,two",
    "--b--",
    "",
))  # fmt: skip


@dataclass(frozen=True)
class Person:
    """``values`` are what the paths of pages have in braces."""

    client: Client
    values: dict[str, str]


@contextmanager
def nobody(daemon: RunningDaemon) -> Iterator[Person]:
    """Who has not signed in, and looks at a public inbox."""
    with Client(daemon) as client:
        with Client(daemon) as owner:
            name = owner.sign_up()
            shared = _shared(owner, owner.reserve(f"shared@{name}.{DOMAIN}"))
        yield Person(client, _looked_at(client, PUBLIC) | shared)


@contextmanager
def somebody(daemon: RunningDaemon) -> Iterator[Person]:
    """Who has signed in to an account that has some of everything, an operator's."""
    with Client(daemon) as client:
        name = client.sign_up()
        client.get("/")  # where one is greeted
        call = client.call
        call("POST", "/credentials/keys", name="CI")
        domain = f"{name}.{DOMAIN}"
        address = client.reserve(f"ann@{domain}")
        call("PUT", f"/addresses/{address}", info="Orders", enablews=True, transcript=True)
        told(daemon.data_dir, "domain", "add", name, domain, "--vouched")
        told(daemon.data_dir, "account", "set", name, "--operator")
        waiting = f"{'w' * 30}{name.replace('-', '')}.example"  # a word that is hard to break
        call("POST", f"/domains/{waiting}")
        client.post(f"/domains/{waiting}/check", {})
        values = _looked_at(client, address)
        daemon.send(PUBLIC, "From: a@b.example\r\nSubject: starred\r\n\r\nhello\r\n")
        (public,) = call("GET", f"/addresses/{PUBLIC}/messages?limit=1")
        call("PUT", f"/addresses/{PUBLIC}/messages/{public['_id']}/star")
        call("PUT", f"/addresses/{address}/messages/{values['messageId']}/labels/orders")
        call("PUT", "/me", labels=["orders"], recents=[PUBLIC])
        sent = call("POST", "/outgoing-messages", to=address, subject="Hello", text="hi",
                    **{"from": address})  # fmt: skip
        more = {"account": name, "domain": domain, "id": sent["_id"], "outgoingId": sent["_id"]}
        yield Person(client, values | more | _shared(client, address))


def _shared(client: Client, address: str) -> dict[str, str]:
    """A link to an inbox of the client's, and a message there."""
    message_id = _looked_at(client, address)["messageId"]
    link = client.call("POST", f"/addresses/{address}/links")
    return {"linkToken": link["token"], "linkedId": message_id}


def _looked_at(client: Client, address: str) -> dict[str, str]:
    with client.daemon.smtp() as smtp:
        for subject in ("", "One", "Two"):
            mail = f"From: bob@shop.example\r\nSubject: {subject}\r\n\r\nHello\r\n"
            smtp.sendmail("sender@example.net", [address], mail.encode())
        smtp.sendmail("sender@example.net", [address], NEWSLETTER.format(to=address).encode())
    (newest,) = client.call("GET", f"/addresses/{address}/messages?limit=1")
    return {"email": address, "messageId": newest["_id"]}
