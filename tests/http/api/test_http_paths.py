"""What is found of a path without werkzeug is what werkzeug finds."""

from itertools import product

import pytest
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from mailsacd.http.api.paths import Paths

RULES = [
    ("/", "GET"),
    ("/livez", "GET"),
    ("/api/things", "GET"),
    ("/api/things/<thing>", "GET"),
    ("/api/things/<thing>", "PUT"),
    ("/api/things/starred/parts", "GET"),
    ("/api/things/<thing>/parts", "GET"),
    ("/api/things/<thing>/parts", "DELETE"),
    ("/api/things/<thing>/parts/<part>", "GET"),
    ("/api/things/<thing>/parts/first", "PUT"),
]
SEGMENTS = [b"", b"api", b"things", b"starred", b"parts", b"first", b"a@b", b"%2F", b"livez"]


def _map() -> Map:
    rules = [Rule(path, methods=[method], endpoint=f"{method} {path}") for path, method in RULES]
    return Map(rules, strict_slashes=False, merge_slashes=False)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_what_is_found_is_what_werkzeug_finds(method: str) -> None:
    routes = _map()
    find, match = Paths(routes.iter_rules()).find, routes.bind("").match
    found = 0
    for count in range(1, 5):
        for rest in product(SEGMENTS, repeat=count):
            segments = [b"api", *rest] if count > 1 else list(rest)
            ours = find(segments, method.encode())
            if ours is None:
                continue  # werkzeug is asked
            found += 1
            assert ours == match("/" + b"/".join(segments).decode(), method)
    assert (found > 0) is (method != "PATCH")


@pytest.mark.parametrize(("path", "method"), RULES)
def test_the_usual_is_found_at_once(path: str, method: str) -> None:
    segments = path.encode().replace(b"<", b"").replace(b">", b"").split(b"/")[1:]
    found = Paths(_map().iter_rules()).find(segments, method.encode())
    assert found is not None
    assert found[0] == f"{method} {path}"


def test_what_is_hidden_by_another_rule_is_left_to_werkzeug() -> None:
    routes = _map()
    segments = [b"api", b"things", b"starred", b"parts"]
    assert Paths(routes.iter_rules()).find(segments, b"DELETE") is None
    assert routes.bind("").match("/api/things/starred/parts", "DELETE")[1] == {"thing": "starred"}


@pytest.mark.parametrize("path", ["/api", "/api/other", "/api/livez/x", "/api/things/x/parts/y/z"])
def test_nothing_is_found_where_werkzeug_finds_nothing(path: str) -> None:
    routes = _map()
    with pytest.raises(HTTPException):
        routes.bind("").match(path, "GET")
    assert Paths(routes.iter_rules()).find(path.encode().split(b"/")[1:], b"GET") is None


@pytest.mark.parametrize("path", ["/a/<int:b>", "/a/<b>.json", "/a/x<b>"])
def test_a_parameter_has_a_segment_to_itself(path: str) -> None:
    with pytest.raises(ValueError, match="more than a parameter"):
        Paths(Map([Rule(path, endpoint="x")]).iter_rules())
