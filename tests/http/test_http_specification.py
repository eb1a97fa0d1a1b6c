"""What a whole daemon says of its calls: complete, consistent, and as the documentation has it."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.store.pool import Database
from tests.http.client import ask
from tests.http.society import Society, society

reactor: Any = the_reactor

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "http-api.md"
OF_ANY_CALL = {"400", "401", "503"}


@pytest_twisted.async_yield_fixture
async def people(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(database, database_dsn) as made:
        yield made


def _calls(people: Society) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and declaration of each call of the daemon."""
    for path, item in people.specification.document["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


@pytest_twisted.ensureDeferred
async def test_the_documentation_names_every_call_and_no_other(people: Society) -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    told = set(re.findall(r"`(GET|HEAD|POST|PUT|PATCH|DELETE) (/[^`?]*)(?:\?[^`]*)?`", text))
    calls = {(method, path) for method, path, _ in _calls(people)}
    assert sorted(calls - told) == []
    assert sorted((m, p) for m, p in told - calls if m != "HEAD") == []


@pytest_twisted.ensureDeferred
async def test_patterns_are_those_of_json_schema(people: Society) -> None:
    patterns = re.findall(
        r'"pattern": "((?:[^"\\\\]|\\\\.)*)"', json.dumps(people.specification.document)
    )
    assert len(patterns) > 20
    assert [pattern for pattern in patterns if r"\Z" in pattern or not pattern.endswith("$")] == []


@pytest_twisted.ensureDeferred
async def test_every_call_has_one_id_and_is_declared_with_what_it_refuses(
    people: Society,
) -> None:
    ids = [operation["operationId"] for *_, operation in _calls(people)]
    assert len(set(ids)) == len(ids) > 80
    for method, path, operation in _calls(people):
        declared = [p["name"] for p in operation.get("parameters", []) if p["in"] == "path"]
        assert sorted(declared) == sorted(re.findall(r"{(\w+)}", path)), path
        assert operation["summary"], path
        if path.startswith("/api/"):
            refused = OF_ANY_CALL if method == "GET" else {*OF_ANY_CALL, "403"}
            assert operation["responses"].keys() >= refused, (method, path)
        if "{messageId}" in path:
            assert "404" in operation["responses"], path


@pytest_twisted.ensureDeferred
async def test_the_viewer_s_specification_is_of_version_3_0_throughout(people: Society) -> None:
    answer = await ask(reactor, people.port, "/docs/openapi-3.0.json")
    document = answer.json()
    assert document["openapi"] == "3.0.3"
    assert document["paths"].keys() == people.specification.document["paths"].keys()
    text = answer.body.decode()
    assert '"null"' not in text
    assert '"const"' not in text
    assert document["components"]["schemas"]["Message"]["properties"]["savedBy"]["nullable"]
