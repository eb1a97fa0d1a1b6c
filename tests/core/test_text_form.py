"""The form of whole texts: whatever a struct has declared of one, a line break is none of it."""

import ast
from pathlib import Path
from typing import Annotated

import msgspec
import pytest

import mailsacd
from mailsacd.core.text_form import in_json_schema, whole


class _Struct(msgspec.Struct):
    text: Annotated[str, whole("a|b", max_length=2)] = ""


@pytest.mark.parametrize("text", ["a", "b"])
def test_a_text_of_the_form_is_taken(text: str) -> None:
    assert msgspec.convert({"text": text}, _Struct).text == text


@pytest.mark.parametrize("text", ["a\n", "\na", "b\n", "ab", "xb", "ax", ""])
def test_all_of_a_text_has_to_be_of_the_form(text: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="regex"):
        msgspec.convert({"text": text}, _Struct)


def test_json_schema_has_it_in_its_own_words() -> None:
    (schema,) = msgspec.json.schema(_Struct)["$defs"].values()
    assert in_json_schema(schema["properties"]["text"]["pattern"]) == "^(?:a|b)$"
    assert in_json_schema("^a*$") == "^a*$"


def test_fields_have_their_forms_by_it_alone() -> None:
    package = Path(mailsacd.__file__).parent
    found = [
        f"{path.relative_to(package)}:{node.lineno}"
        for path in package.rglob("*.py")
        if path.name != "text_form.py" and "pattern=" in (text := path.read_text())
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] == "Meta"
        and any(keyword.arg == "pattern" for keyword in node.keywords)
    ]
    assert found == []
