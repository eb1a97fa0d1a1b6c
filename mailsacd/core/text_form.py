"""The form that a whole text has to have, for the fields of msgspec structs."""

from typing import Any, Final

from msgspec import Meta

_END: Final = r"\Z"


def whole(form: str, **also: Any) -> Meta:
    r"""All of a text has to be of ``form``, a regular expression. ``also`` is what else Meta takes.

    Python's ``$`` fits before a line break at the end, too, hence ``\Z``.
    """
    return Meta(pattern=f"^(?:{form}){_END}", **also)


def in_json_schema(pattern: str) -> str:
    r"""Such a pattern as JSON Schema has it: without ``\Z``, and with a ``$`` that is as strict
    (ECMA-262 section 22.2.2.4). Any other one as it is.
    """
    return pattern.removesuffix(_END) + "$" if pattern.endswith(_END) else pattern
