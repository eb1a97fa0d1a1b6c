"""Below a path, and behind proxies: where an operation is found, and what it knows of its place."""

from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.core.errors import ConfigurationError
from mailsacd.core.public_url import MAX_PREFIX_CHARACTERS
from mailsacd.store.pool import Database
from tests.http.client import Answer, ask
from tests.http.places import LARGE, LOOPBACK, Listen, fields_of, listen_at

reactor: Any = the_reactor
PUBLIC = "https://team.example/mail"


async def _place(port: int, path: str = "/place", **fields: str) -> list[str]:
    answer = await ask(reactor, port, path, headers=fields_of(fields))
    assert answer.status == 200
    found: list[str] = answer.json()
    return found


PLACES: dict[str, tuple[dict[str, Any], dict[str, str], list[str]]] = {
    "nothing is set": ({}, {"Host": "Here.example:8025"}, ["http://here.example:8025", ""]),
    "public URL": (
        {"public_url": "https://mail.example:444/"},
        {"Host": "elsewhere.example"},
        ["https://mail.example:444", ""],
    ),
    "public URL with a path": (
        {"public_url": PUBLIC + "/"},
        {"Host": "10.0.0.1:8025"},
        ["https://team.example", "/mail"],
    ),
    "a proxy tells": (
        {"proxy_networks": LOOPBACK},
        {
            "Host": "127.0.0.1:8025",
            "X_Forwarded_Host": "evil.example, team.example:8443",
            "X_Forwarded_Proto": "https",
            "X_Forwarded_Prefix": "/evil,/team/mail/",
        },
        ["https://team.example:8443", "/team/mail"],
    ),
    "a proxy tells the port": (
        {"proxy_networks": LOOPBACK},
        {"Host": "team.example", "X_Forwarded_Port": "8080"},
        ["http://team.example:8080", ""],
    ),
    "the port that the client wrote is the port": (
        {"proxy_networks": LOOPBACK},
        {"Host": "team.example:8443", "X_Forwarded_Port": "80", "X_Forwarded_Proto": "wss"},
        ["https://team.example:8443", ""],
    ),
    "a proxy tells what is set": (
        {"proxy_networks": LOOPBACK, "public_url": PUBLIC},
        {"Host": "team.example", "X_Forwarded_Prefix": "/mail"},
        ["https://team.example", "/mail"],
    ),
    "another entrance": (
        {"proxy_networks": LOOPBACK, "public_url": PUBLIC},
        {"Host": "intranet:81", "X_Forwarded_Prefix": "/post"},
        ["http://intranet:81", "/post"],
    ),
    "another entrance without a path": (
        {"proxy_networks": LOOPBACK, "public_url": PUBLIC},
        {"Host": "intranet", "X_Forwarded_Prefix": "/"},
        ["http://intranet", ""],
    ),
    "a stranger tells": (
        {"proxy_networks": ("192.0.2.0/24",)},
        {
            "Host": "here.example",
            "X_Forwarded_Host": "evil.example",
            "X_Forwarded_Port": "666",
            "X_Forwarded_Proto": "https",
            "X_Forwarded_Prefix": "/evil",
        },
        ["http://here.example", ""],
    ),
    "a stranger tells where no proxy is listed": (
        {"public_url": PUBLIC},
        {"X_Forwarded_Host": "evil.example", "X_Forwarded_Prefix": "/evil"},
        ["https://team.example", "/mail"],
    ),
    "a bad port and a bad host": (
        {"proxy_networks": LOOPBACK},
        {"Host": "here.example", "X_Forwarded_Host": "a b", "X_Forwarded_Port": "1/../2"},
        ["http://here.example", ""],
    ),
    "an IPv6 address": ({}, {"Host": "[::1]:8025"}, ["http://[::1]:8025", ""]),
}


@pytest.mark.parametrize("case", PLACES)
@pytest_twisted.ensureDeferred
async def test_a_call_knows_where_its_client_sees_the_server(
    listen: Listen, database: Database, case: str
) -> None:
    settings, fields, place = PLACES[case]
    assert await _place(listen_at(listen, database, **settings), **fields) == place


@pytest.mark.parametrize(
    "host", ["", "<script>", 'a"b', "a b", "a/../b", "user@here", "a,b", "[x]"]
)
@pytest_twisted.ensureDeferred
async def test_what_is_no_host_is_nowhere(listen: Listen, database: Database, host: str) -> None:
    port = listen_at(listen, database)
    assert await _place(port, Host=host) == [f"http://127.0.0.1:{port}", ""]


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "mail",
        "//evil.example",
        "/mail//x",
        "/mail//",
        "/a/../b",
        "/..",
        "/.",
        "/./a",
        "/a/..",
        "https://evil.example",
        "/a b",
        "/a\tb",
        "/a\x7fb",
        "/a\x0bb",
        "/a;Domain=example",
        '/a"b',
        "/a'b",
        "/<b>",
        "/a?b",
        "/a#b",
        "/a\\b",
        "/\\evil.example",
        "/%2e%2e",
        "/%2fevil",
        "/\xe4",
        "/a:b@c",
        "/mail, ",
        "/" + "a" * MAX_PREFIX_CHARACTERS,
        "/a" * MAX_PREFIX_CHARACTERS,
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_bad_prefix_is_none(listen: Listen, database: Database, prefix: str) -> None:
    port = listen_at(listen, database, proxy_networks=LOOPBACK, public_url=PUBLIC)
    assert (await _place(port, X_Forwarded_Prefix=prefix))[1] == "/mail"


# Paths that are asked for, of a server at /mail
BOTH_WAYS: dict[str, tuple[str, int]] = {
    "stripped": ("/place", 200),
    "not stripped": ("/mail/place", 200),
    "with a slash at the end": ("/mail/place/", 200),
    "with slashes in a row": ("//mail//place", 200),
    "in the absolute form": ("http://here/mail/place", 200),
    "with a query": ("/mail/place?a=/b", 200),
    "twice": ("/mail/mail/place", 404),
    "a beginning": ("/mailing/place", 404),
    "encoded": ("/%6dail/place", 404),
    "another": ("/post/place", 404),
    "a parameter of that name": ("/place/mail", 200),
    "nothing below": ("/mail", 404),  # for there is no front page on this site
}


@pytest.mark.parametrize("case", BOTH_WAYS)
@pytest_twisted.ensureDeferred
async def test_a_proxy_strips_the_prefix_or_not(
    listen: Listen, database: Database, case: str
) -> None:
    path, status = BOTH_WAYS[case]
    set_ = listen_at(listen, database, public_url=PUBLIC)
    assert (await ask(reactor, set_, path)).status == status
    told = listen_at(listen, database, proxy_networks=LOOPBACK)
    headers = {"X-Forwarded-Prefix": "/mail"}
    assert (await ask(reactor, told, path, headers=headers)).status == status


@pytest_twisted.ensureDeferred
async def test_a_prefix_has_several_segments(listen: Listen, database: Database) -> None:
    port = listen_at(listen, database, public_url="https://team.example/team/mail")
    assert await _place(port, "/team/mail/place") == ["https://team.example", "/team/mail"]
    assert await _place(port) == ["https://team.example", "/team/mail"]
    assert (await ask(reactor, port, "/team/place")).status == 404


@pytest_twisted.ensureDeferred
async def test_bodies_are_bounded_the_same_below_a_prefix(
    listen: Listen, database: Database
) -> None:
    port = listen_at(listen, database, public_url=PUBLIC)

    async def post(path: str, count: int) -> Answer:
        return await ask(reactor, port, path, method="POST", body=b" " * count)

    for path in ("/place", "/mail/place"):
        assert (await post(path, LARGE)).status == 200
        assert (await post(path, LARGE + 1)).status == 413


@pytest.mark.parametrize("prefix", ["/place", "/docs/mail", "/openapi.json"])
@pytest_twisted.ensureDeferred
async def test_a_prefix_is_no_path_of_the_server(
    listen: Listen, database: Database, prefix: str
) -> None:
    first = prefix.split("/")[1]
    with pytest.raises(ConfigurationError, match=f"public_url: /{first} is a path of"):
        listen_at(listen, database, public_url=f"https://team.example{prefix}")


@pytest.mark.parametrize(("prefix", "server"), [("", "/"), ("/mail", "/mail"), ("/a/b", "/a/b")])
@pytest_twisted.ensureDeferred
async def test_the_documentation_knows_its_place(
    listen: Listen, database: Database, prefix: str, server: str
) -> None:
    port = listen_at(listen, database, proxy_networks=LOOPBACK)
    told = {"X-Forwarded-Prefix": prefix or "/"}
    for path in ("/openapi.json", "/docs/openapi-3.0.json"):
        specification = (await ask(reactor, port, path, headers=told)).json()
        assert specification["servers"] == [{"url": server}]


@pytest_twisted.ensureDeferred
async def test_what_browsers_keep_is_the_same_at_every_place(
    listen: Listen, database: Database
) -> None:
    port = listen_at(listen, database, proxy_networks=LOOPBACK)
    for path in ("/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"):
        answers = {
            (await ask(reactor, port, path, headers={"X-Forwarded-Prefix": prefix})).body
            for prefix in ("/", "/mail", "/evil")
        }
        assert len(answers) == 1
