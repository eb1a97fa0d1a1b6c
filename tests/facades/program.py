"""A program that is written for another test tool, beside the people of tests/http."""

import json
from base64 import b64encode
from typing import Any
from urllib.parse import quote

from twisted.internet import reactor as the_reactor

from tests.http.client import Answer, ask
from tests.http.society import Society
from tests.mail.envelopes import envelope

reactor: Any = the_reactor

MAIL = (
    b"From: Ann <ann@example.net>\r\nTo: bob@public.example\r\nSubject: Hello\r\n"
    b"Message-ID: <one@mailer.example>\r\nReply-To: Help <help@example.net>\r\n"
    b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain\r\n\r\nthe text\r\n"
    b'--b\r\nContent-Type: text/html\r\n\r\n<p>the page <img src="cid:picture"></p>\r\n'
    b"--b\r\nContent-Type: image/png; name=p.png\r\nContent-ID: <picture>\r\n"
    b"Content-Disposition: inline\r\n\r\nPNG\r\n"
    b"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--b--\r\n"
)
RECIPIENTS = ("bob@public.example", "hidden@public.example")


class Program:
    """Asks the port of a tool; with the key of one of the people as the password of a user."""

    def __init__(self, people: Society, tool: str, who: str = "nobody") -> None:
        self.port = people.ports[tool]
        key = people.credentials[who].get("Mailsac-Key")
        self.headers = {"Host": "localhost"}
        if key is not None:
            self.headers["Authorization"] = f"Basic {b64encode(f'any:{key}'.encode()).decode()}"

    async def ask(self, method: str, target: str, body: Any = None, **headers: str) -> Answer:
        """One request, with ``body`` as JSON."""
        content = b"" if body is None else json.dumps(body).encode()
        fields = {**self.headers, **headers}
        return await ask(reactor, self.port, target, method=method, headers=fields, body=content)

    async def json(self, method: str, target: str, body: Any = None) -> Any:
        """The body of an answer that is 200."""
        answer = await self.ask(method, target, body)
        assert answer.status == 200, (method, target, answer)
        return answer.json()

    async def found(self, query: str) -> list[str]:
        """The subjects of what a search of Mailpit's finds."""
        page = await self.json("GET", f"/api/v1/search?query={quote(query)}")
        return [message["Subject"] for message in page["messages"]]


async def deliver(people: Society, content: bytes = MAIL, *recipients: str) -> str:
    """Have one message stored for all ``recipients``; the id of its envelope."""
    new = envelope(people.ingest, content, *(recipients or RECIPIENTS))
    await people.ingest.deliver(new)
    return new.id


def mail(subject: str) -> bytes:
    """A message without much in it."""
    return f"From: ann@example.net\r\nSubject: {subject}\r\n\r\n{subject}".encode()
