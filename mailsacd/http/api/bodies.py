"""Request bodies: from the fields that came to a typed struct, and the struct's JSON Schema.

A body is declared on its operation as a frozen msgspec struct, whose field names are the API's.
Each fault of each field is named, not just the first; so is a field that nobody declared, unless
we give it out ourselves (Returnable).
"""

import difflib
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, TypeVar, get_args

import msgspec

from mailsacd.core.errors import Fault, InvalidInputError
from mailsacd.core.text_form import in_json_schema
from mailsacd.http.api.codec import Form
from mailsacd.http.api.credentials import KEY_FIELD
from mailsacd.http.server.answer import MAX_FAULTS

B = TypeVar("B", bound=msgspec.Struct)

MULTILINE: Final = msgspec.Meta(extra={"multiline": True})
"""Marks a text that may have line breaks and tabs: ``Annotated[str, MULTILINE]``."""

MAX_SHOWN: Final = 60  # characters of an unknown field's name that an error repeats
MAX_PROBLEM: Final = 200  # characters of what is wrong with a value, which may be in it

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_CONTROLS: Final = "".join(map(chr, (*range(0x20), 0x7F)))
_CONTROLS_BUT_BREAKS: Final = "".join(c for c in _CONTROLS if c not in "\t\n\r")
_NO_CONTROL: Final = r"^[^\x00-\x1f\x7f]*$"
_NO_CONTROL_BUT_BREAKS: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
_JSON_NAMES: Final = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "dict": "object",
}
_TYPE_NAME: Final = re.compile(r"\b(" + "|".join(_JSON_NAMES) + r")\b")


class Returnable(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of an object that GET answers, and that may be sent back whole.

    ``ignored`` are those that GET gives and nobody can set; they may have any value. ``spellings``
    are other names of fields, which count where the field's own name is not there.
    """

    ignored: ClassVar[frozenset[str]] = frozenset()
    spellings: ClassVar[Mapping[str, str]] = {}


def struct_of(kind: type[B], fields: Mapping[str, Any]) -> B:
    """``fields`` as a ``kind``. A form's texts become numbers and booleans where it has those.

    Raises InvalidInputError with a fault for each field that is wrong, missing or not known, for
    MAX_FAULTS of them at most.
    """
    declared = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    ignored = {KEY_FIELD}
    if issubclass(kind, Returnable):
        ignored |= kind.ignored | kind.spellings.keys()
        fields = _respelt(fields, kind.spellings)
    unknown = [name for name in fields if name not in declared and name not in ignored]
    faults: list[Fault] = []
    values: dict[str, Any] = {}
    for name, field in declared.items():
        if name not in fields:
            if field.required:
                faults.append(Fault(field=name, problem="is missing"))
            continue
        try:
            values[field.name] = _value(fields, name, field.type)
        except msgspec.ValidationError as e:
            faults.append(_named(name, str(e)))
        except ValueError as e:
            faults.append(Fault(field=name, problem=str(e)))
    if faults or unknown:
        raise _invalid(faults, unknown, declared)
    return kind(**values)


def _respelt(fields: Mapping[str, Any], spellings: Mapping[str, str]) -> Mapping[str, Any]:
    """``fields``, still a Form if they are one, with those of another name under their own."""
    pairs = [
        (spellings[name], value)
        for name, value in fields.items()
        if name in spellings and spellings[name] not in fields
    ]
    if not pairs:
        return fields
    if isinstance(fields, Form):
        return fields.with_pairs(pairs)
    return {**fields, **dict(pairs)}


def _value(fields: Mapping[str, Any], name: str, kind: Any) -> Any:
    """The field ``name`` as a ``kind``. Raises ValidationError of msgspec, or ValueError."""
    value, strict = fields[name], True
    if isinstance(fields, Form):
        value, strict = fields.all_of(name) if _is_list(kind) else value, False
    converted = msgspec.convert(value, kind, strict=strict)
    if _has(_CONTROLS_BUT_BREAKS if _is_multiline(kind) else _CONTROLS, value):
        raise ValueError("has a control character")
    return converted


def _invalid(
    faults: list[Fault], unknown: list[str], declared: Mapping[str, Any]
) -> InvalidInputError:
    shown = faults[:MAX_FAULTS]
    shown += [_unknown(name, declared) for name in unknown[: MAX_FAULTS - len(shown)]]
    told = [f"{fault.field} {fault.problem}" for fault in shown]
    more = len(faults) + len(unknown) - len(shown)
    if more:
        told.append(f"and {more} more")
    return InvalidInputError(f"Bad request: {'; '.join(told)}", tuple(shown))


def schemas_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schemas of ``kind`` and of what it consists of, by name."""
    _, found = msgspec.json.schema_components([kind], ref_template="#/components/schemas/{name}")
    multiline = {f.encode_name for f in msgspec.structs.fields(kind) if _is_multiline(f.type)}
    for name, schema in found.items():
        for property_name, described in schema.get("properties", {}).items():
            breaks = name == kind.__name__ and property_name in multiline
            _describe_texts(described, _NO_CONTROL_BUT_BREAKS if breaks else _NO_CONTROL)
    found[kind.__name__]["additionalProperties"] = False
    if issubclass(kind, Returnable):
        found[kind.__name__]["properties"] |= _also_taken(kind)
    found[kind.__name__]["properties"][KEY_FIELD] = {
        "type": "string",
        "description": "An API key, where none is in the header or the query",
    }
    return found


def _also_taken(kind: type[Returnable]) -> dict[str, Any]:
    ignored = {"description": "As GET gives it: ignored"}
    others = {
        name: {"description": f"Another name of `{field}`"}
        for name, field in kind.spellings.items()
    }
    return {**dict.fromkeys(sorted(kind.ignored), ignored), **others}


def takes_nothing(kind: type[msgspec.Struct]) -> bool:
    """Whether a body of ``kind`` may be left out: none of its fields is required."""
    return not any(field.required for field in msgspec.structs.fields(kind))


def _unknown(name: str, declared: Mapping[str, Any]) -> Fault:
    close = difflib.get_close_matches(name[:MAX_SHOWN], list(declared), n=1, cutoff=0.5)
    nearest = f"; did you mean {close[0]}?" if close else ""
    shown = _CONTROL.sub("?", name[:MAX_SHOWN])
    return Fault(field=shown, problem=f"is not known{nearest}")


def _named(field: str, told: str) -> Fault:
    """What msgspec says of a value: ``Expected `int`, got `str` - at `$[0].name```."""
    problem, _, where = told.partition(" - at `$")
    problem = problem.replace("Expected", "should be").replace(", got", ", not").replace("`", "")
    if "matching regex" in problem:
        problem = "is not of the right form"
    problem = _TYPE_NAME.sub(lambda match: _JSON_NAMES[match[1]], problem[:MAX_PROBLEM])
    return Fault(field=field + where.rstrip("`"), problem=problem[:1].lower() + problem[1:])


def _has(characters: str, value: Any) -> bool:
    """Whether one of them is in a text somewhere in ``value``.

    Each is looked for by itself: of megabytes that takes half a pattern's time.
    """
    if isinstance(value, str):
        return any(character in value for character in characters)
    if isinstance(value, Mapping):
        return any(_has(characters, inner) for inner in (*value, *value.values()))
    return isinstance(value, list | tuple) and any(_has(characters, inner) for inner in value)


def _metas(kind: Any) -> list[Any]:
    found = list(getattr(kind, "__metadata__", ()))
    for inner in get_args(kind):
        found += _metas(inner)
    return found


def _is_multiline(kind: Any) -> bool:
    return any(
        isinstance(m, msgspec.Meta) and (m.extra or {}).get("multiline") for m in _metas(kind)
    )


def _is_list(kind: Any) -> bool:
    described = msgspec.json.schema(kind)
    kinds = (described, *described.get("anyOf", ()))
    return any(alternative.get("type") == "array" for alternative in kinds)


def _describe_texts(schema: dict[str, Any], pattern: str) -> None:
    if schema.get("type") == "string" and not schema.keys() & {"pattern", "enum", "format"}:
        schema["pattern"] = pattern
    elif "pattern" in schema:
        schema["pattern"] = in_json_schema(schema["pattern"])
    inner = [*schema.get("anyOf", ()), *([schema["items"]] if schema.get("items") else [])]
    for described in inner:
        _describe_texts(described, pattern)
