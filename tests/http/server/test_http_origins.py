"""Whose page makes a browser write: told by it, or by its origin beside where the server is found.

The same rule lets pages open WebSockets: see tests/ws.
"""

from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.store.pool import Database
from tests.http.client import ask
from tests.http.places import LOOPBACK, Listen, fields_of, listen_at

reactor: Any = the_reactor
LOCAL = {"Host": "localhost:8025"}
PUBLIC = "https://team.example:8443/mail"
OWN = "https://team.example:8443"
HERE = {"Host": "here.example"}

# What the browser sends to a server without a proxy that is at PUBLIC, and how it is answered
DIRECT: dict[str, tuple[dict[str, str], int]] = {
    "a program": ({}, 200),
    "where it asks": ({**HERE, "Origin": "http://here.example"}, 200),
    "with ports": ({"Host": "Here.example:80", "Origin": "http://here.example"}, 200),
    "another port": ({**HERE, "Origin": "http://here.example:8080"}, 403),
    "another scheme": ({**HERE, "Origin": "https://here.example"}, 403),
    "another site": ({**HERE, "Origin": "http://evil.example"}, 403),
    "no site": ({**HERE, "Origin": "null"}, 403),
    "no origin at all": ({**HERE, "Origin": "here.example"}, 403),
    "where the public URL says": ({**HERE, "Origin": OWN}, 200),
    "where it says, and told so": ({**HERE, "Origin": OWN, "Sec_Fetch_Site": "cross-site"}, 200),
    "another port than it says": ({**HERE, "Origin": "https://team.example"}, 403),
    "another scheme than it says": ({**HERE, "Origin": "http://team.example:8443"}, 403),
    "this machine's other port": ({**LOCAL, "Origin": "http://localhost:3000"}, 403),
    "the same origin": ({"Origin": "https://x.example", "Sec_Fetch_Site": "same-origin"}, 200),
    "the person": ({**HERE, "Sec_Fetch_Site": "none"}, 200),
    "elsewhere, without origin": ({**HERE, "Sec_Fetch_Site": "cross-site"}, 403),
    "elsewhere, however it looks": (
        {**HERE, "Origin": "http://here.example", "Sec_Fetch_Site": "same-site"},
        403,
    ),
    "what a stranger says was forwarded": (
        {**HERE, "X_Forwarded_Host": "evil.example", "Origin": "http://evil.example"},
        403,
    ),
    "a stranger's host without port": (
        {**HERE, "X_Forwarded_Port": "8080", "Origin": "http://here.example:8080"},
        403,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DIRECT)
@pytest_twisted.ensureDeferred
async def test_who_may_write(listen: Listen, database: Database, case: str) -> None:
    fields, status = DIRECT[case]
    port = listen_at(listen, database, public_url=PUBLIC)
    answer = await ask(reactor, port, "/place", method="POST", headers=fields_of(fields))
    assert answer.status == status
    assert (await ask(reactor, port, "/place", headers=fields_of(fields))).status == 200
    if status == 403:
        assert "http.public_url" in answer.json()["message"]


# What a proxy that is listed passes on, the page's origin, and how it is answered
PROXIED: dict[str, tuple[dict[str, str], str, int]] = {
    "host without port, as nginx's $host": (HERE, "http://here.example:8080", 200),
    "host without port, TLS": (
        {**HERE, "X_Forwarded_Proto": "https"},
        "https://here.example:8443",
        200,
    ),
    "host with port, as nginx's $http_host": (
        {"Host": "here.example:8080"},
        "http://here.example:8080",
        200,
    ),
    "another port": ({"Host": "here.example:8080"}, "http://here.example:9090", 403),
    "host and port beside": (
        {**HERE, "X_Forwarded_Port": "8080"},
        "http://here.example:8080",
        200,
    ),
    "another port than beside": ({**HERE, "X_Forwarded_Port": "8080"}, "http://here.example", 403),
    "host forwarded": (
        {"Host": "127.0.0.1:8025", "X_Forwarded_Host": "here.example:8080"},
        "http://here.example:8080",
        200,
    ),
    "another scheme": (HERE, "https://here.example", 403),
    "another host": (HERE, "http://evil.example", 403),
    "a port hidden, but the browser tells": (
        {**HERE, "Sec_Fetch_Site": "same-site"},
        "http://here.example:8080",
        403,
    ),
    "no host": ({"Host": ""}, "http://here.example", 403),
}


@pytest.mark.parametrize("case", PROXIED)
@pytest_twisted.ensureDeferred
async def test_who_may_write_behind_a_proxy(listen: Listen, database: Database, case: str) -> None:
    fields, origin, status = PROXIED[case]
    port = listen_at(listen, database, proxy_networks=LOOPBACK)
    headers = fields_of({**fields, "Origin": origin})
    answer = await ask(reactor, port, "/place", method="POST", headers=headers)
    assert answer.status == status
