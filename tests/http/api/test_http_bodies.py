"""Bodies: what becomes of the fields, and how each fault is told."""

from typing import Annotated, Any, ClassVar, Literal

import msgspec
import pytest
from msgspec import Meta

from mailsacd.core.errors import InvalidInputError
from mailsacd.http.api.bodies import MULTILINE, Returnable, schemas_of, struct_of
from mailsacd.http.api.codec import MAX_FIELDS, read_body
from mailsacd.http.server.answer import MAX_FAULTS


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    title: Annotated[str, Meta(max_length=10)]
    flag: bool | None = None
    count: Annotated[int, Meta(ge=0)] = 0
    tags: tuple[Annotated[str, Meta(max_length=5)], ...] = ()
    note: Annotated[str, MULTILINE] = ""
    parts: tuple[_Part, ...] = ()
    renamed: str = msgspec.field(default="", name="reNamed")


class _Chosen(msgspec.Struct, frozen=True, kw_only=True):
    choice: Literal["a", "b"]


class _Returned(Returnable, frozen=True, kw_only=True):
    ignored: ClassVar[frozenset[str]] = frozenset({"_id", "made"})
    spellings: ClassVar[dict[str, str]] = {"flags": "flag"}

    flag: bool | None = None


JSON = b"application/json"
FORM = b"application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (b'{"title":"a"}', JSON, {"title": "a"}),
        (b'{"title":"a","flag":true}', FORM, {"title": "a", "flag": True}),
        (b'{"title":"a","_mailsacKey":"k"}', JSON, {"title": "a"}),
        (b"title=a&flag=true&count=3", FORM, {"title": "a", "flag": True, "count": 3}),
        (b"title=a&flag=0&_mailsacKey=k", FORM, {"title": "a", "flag": False}),
        (b"title=a&title=b", FORM, {"title": "b"}),
        (b"title=a&tags=x&tags=y", FORM, {"title": "a", "tags": ("x", "y")}),
        (b"title=1", FORM, {"title": "1"}),
        (b'{"title":"a","note":"1\\n\\t2"}', JSON, {"title": "a", "note": "1\n\t2"}),
        (b'{"title":"a","reNamed":"b"}', JSON, {"title": "a", "renamed": "b"}),
    ],
)
def test_fields_become(body: bytes, kind: bytes, expected: dict[str, Any]) -> None:
    assert struct_of(_Body, read_body(body, kind)) == _Body(**expected)


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        (b"", {"title": "is missing"}),
        (b'{"title":null}', {"title": "should be string, not null"}),
        (b'{"title":1}', {"title": "should be string, not integer"}),
        (b'{"title":["a"]}', {"title": "should be string, not array"}),
        (b'{"title":"12345678901"}', {"title": "should be string of length <= 10"}),
        (b'{"title":"a\\u0000"}', {"title": "has a control character"}),
        (b'{"title":"a\\n"}', {"title": "has a control character"}),
        (b'{"title":"a","flag":"true"}', {"flag": "should be boolean | null, not string"}),
        (b'{"title":"a","count":-1}', {"count": "should be integer >= 0"}),
        (b'{"title":"a","count":1.5}', {"count": "should be integer, not number"}),
        (b'{"title":"a","tags":["b",2]}', {"tags[1]": "should be string, not integer"}),
        (b'{"title":"a","tags":["\\u0001"]}', {"tags": "has a control character"}),
        (b'{"title":"a","note":"\\u0000"}', {"note": "has a control character"}),
        (b'{"title":"a","parts":[{"name":1}]}', {"parts[0].name": "should be string, not integer"}),
        (b'{"title":"a","titel":"b"}', {"titel": "is not known; did you mean title?"}),
        (b'{"title":"a","renamed":"b"}', {"renamed": "is not known; did you mean reNamed?"}),
        (b'{"title":"a","q\\u0000":1}', {"q?": "is not known"}),
        (
            b'{"flag":3,"count":"x","x":1}',
            {
                "x": "is not known",
                "title": "is missing",
                "flag": "should be boolean | null, not integer",
                "count": "should be integer, not string",
            },
        ),
    ],
)
def test_each_fault_is_named(body: bytes, faults: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        struct_of(_Body, read_body(body, JSON))
    assert {fault.field: fault.problem for fault in caught.value.faults} == faults


def test_the_schema_says_what_is_taken() -> None:
    schemas = schemas_of(_Body)
    body = schemas["_Body"]
    assert body["required"] == ["title"]
    assert body["additionalProperties"] is False
    assert body["properties"]["title"]["pattern"]
    assert body["properties"]["_mailsacKey"]["type"] == "string"
    assert schemas["_Part"]["properties"]["name"]["pattern"]


def test_no_more_faults_are_told_than_anybody_reads() -> None:
    body = {f"x{n}": n for n in range(MAX_FIELDS)}
    with pytest.raises(InvalidInputError) as caught:
        struct_of(_Body, body)
    faults = caught.value.faults
    assert len(faults) == MAX_FAULTS
    assert (faults[0].field, faults[0].problem) == ("title", "is missing")
    assert caught.value.public.endswith(f"; and {MAX_FIELDS + 1 - MAX_FAULTS} more")


def test_a_wrong_value_is_not_told_at_length() -> None:
    with pytest.raises(InvalidInputError) as caught:
        struct_of(_Chosen, {"choice": "x" * 50_000})
    assert len(caught.value.public) < 1_000


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("{" + ",".join(f'"x{n}":1' for n in range(MAX_FIELDS + 1)) + "}", JSON),
        ("&".join(f"x{n}=1" for n in range(MAX_FIELDS + 1)), FORM),
    ],
)
def test_a_body_of_too_many_fields_is_not_looked_at(body: str, kind: bytes) -> None:
    with pytest.raises(InvalidInputError, match=f"{MAX_FIELDS} fields") as caught:
        read_body(body.encode(), kind)
    assert caught.value.faults == ()


@pytest.mark.parametrize(
    ("body", "kind", "flag"),
    [
        (b'{"_id":1,"made":{"x":["\\u0000"]},"flag":true}', JSON, True),
        (b'{"flags":true}', JSON, True),
        (b'{"flags":true,"flag":false}', JSON, False),
        (b"flags=1&_id=", FORM, True),
        (b"_mailsacKey=k&made=", FORM, None),
    ],
)
def test_what_we_give_out_may_come_back(body: bytes, kind: bytes, flag: bool | None) -> None:
    assert struct_of(_Returned, read_body(body, kind)) == _Returned(flag=flag)


def test_others_are_refused_all_the_same_and_all_is_declared() -> None:
    with pytest.raises(InvalidInputError) as caught:
        struct_of(_Returned, {"_id": 1, "flags": "x", "mad": 1})
    assert {fault.field for fault in caught.value.faults} == {"flag", "mad"}
    properties = schemas_of(_Returned)["_Returned"]["properties"]
    assert set(properties) == {"_id", "made", "flags", "flag", "_mailsacKey"}
