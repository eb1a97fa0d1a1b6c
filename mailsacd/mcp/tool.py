"""A tool: what of which operation a model is offered, and how arguments become its input."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote

from twisted.internet.defer import Deferred

from mailsacd.core.errors import Fault, InvalidInputError
from mailsacd.http.api.bodies import schemas_of, struct_of
from mailsacd.http.api.credentials import KEY_FIELD
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import Parameter
from mailsacd.http.server.answer import MAX_FAULTS, Later, Response

_MAX_SHOWN: Final = 60
_COMPONENTS: Final = "#/components/schemas/"
_DEFINITIONS: Final = "#/$defs/"

Shape = Callable[[Sequence[Response]], Mapping[str, Any]]
"""Makes the object that a tool gives of its operations' answers. Runs in any thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool that calls ``operations``, by their ids, one after the other with the same arguments.

    ``offered`` are the parameters, or the fields of the body, that it has; others are at their
    defaults. ``narrowed`` are put in place of the operation's own of the same name, and of a body
    the fields of ``required`` have to be there, besides its own. ``hints`` are annotations of MCP.
    Where ``reads_mail``, its results have what anybody may have written.
    """

    name: str
    title: str
    description: str
    operations: tuple[str, ...]
    offered: tuple[str, ...]
    shape: Shape
    hints: Mapping[str, bool]
    narrowed: tuple[Parameter, ...] = ()
    required: tuple[str, ...] = ()
    reads_mail: bool = True


class BoundTool:
    """A tool with the operations that it calls."""

    def __init__(self, tool: Tool, operations: Mapping[str, Operation]) -> None:
        """Raises KeyError where ``operations``, by their ids, has not those of the tool."""
        self.tool: Final = tool
        self._operations = [_narrowed(operations[each], tool) for each in tool.operations]
        first = self._operations[0]
        self._parameters = [each for each in first.parameters if each.name in tool.offered]
        self._body = first.body

    @property
    def only_reads(self) -> bool:
        """Whether nothing is changed by it, so that it may be given up half-way."""
        return self.tool.hints["readOnlyHint"]

    def described(self) -> dict[str, Any]:
        """The tool as `tools/list` tells of it."""
        tool = self.tool
        return {
            "name": tool.name,
            "title": tool.title,
            "description": tool.description,
            "inputSchema": self._schema(),
            "annotations": {"title": tool.title, **tool.hints},
        }

    async def answers(self, call: Call, arguments: Mapping[str, Any]) -> list[Response]:
        """What its operations answer to who makes ``call``, until one of them is refused.

        Raises InvalidInputError with a fault for each bad argument, and what the operations do.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        self._refuse_unknown(given)
        out: list[Response] = []
        for operation in self._operations:
            out.append(await _called(operation, call, given))
            if out[-1].status >= 400:
                break
        return out

    def _refuse_unknown(self, given: Mapping[str, Any]) -> None:
        missing = [name for name in self._required() if name not in given]
        faults = [
            *(Fault(field=name, problem="is missing") for name in missing),
            *(
                Fault(field=name[:_MAX_SHOWN], problem="is not known")
                for name in given
                if name not in self.tool.offered
            ),
        ][:MAX_FAULTS]
        if faults:
            told = "; ".join(f"{fault.field} {fault.problem}" for fault in faults)
            raise InvalidInputError(f"Bad arguments: {told}", tuple(faults))

    def _required(self) -> list[str]:
        of_path_and_query = [each.name for each in self._parameters if _is_required(each)]
        return [*of_path_and_query, *self.tool.required]

    def _schema(self) -> dict[str, Any]:
        if self._body is not None:
            schema = _body_schema(schemas_of(self._body), self._body.__name__, self.tool.offered)
            return {**schema, "required": self._required()}
        return {
            "type": "object",
            "properties": {
                each.name: {**each.schema, "description": each.description}
                for each in self._parameters
            },
            "required": self._required(),
            "additionalProperties": False,
        }


def _narrowed(operation: Operation, tool: Tool) -> Operation:
    others = {each.name: each for each in tool.narrowed}
    parameters = tuple(others.get(each.name, each) for each in operation.parameters)
    return replace(operation, parameters=parameters)


async def _called(operation: Operation, call: Call, given: Mapping[str, Any]) -> Response:
    operation.admit(call.actor)
    body, texts = None, {}
    if operation.body is None:
        texts = {name: _text_of(name, value) for name, value in given.items()}
    else:
        body = struct_of(operation.body, given)
    values = operation.read(
        {name: quote(text, safe="") for name, text in texts.items()},
        {name.encode(): [text.encode()] for name, text in texts.items()},
    )
    assert operation.handler is not None  # noqa: S101  for mypy: what is served elsewhere is no tool
    answer = await operation.handler(replace(call, values=values, body=body))
    if isinstance(answer, Later):
        answer = await _come(answer)
    assert isinstance(answer, Response)  # noqa: S101  for mypy: a stream is no tool
    return answer


def _come(later: Later) -> Deferred[Response]:
    """The answer when it has come; to cancel it is what a client does that hangs up."""
    coming: Deferred[Response] = Deferred(lambda _: later.source.cancel())
    later.source.begin(coming.callback)
    return coming


def _text_of(name: str, value: Any) -> str:
    """An argument as a query has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return value
    fault = Fault(field=name, problem="should be a text, a whole number, or true or false")
    raise InvalidInputError(f"Bad arguments: {name} {fault.problem}", (fault,))


def _is_required(parameter: Parameter) -> bool:
    return parameter.required or parameter.where == "path"


def _body_schema(schemas: dict[str, Any], name: str, offered: tuple[str, ...]) -> dict[str, Any]:
    """The schema of the body called ``name``, with those that it consists of inside of it."""
    schema = _with_definitions(schemas.pop(name))
    properties = schema["properties"]
    properties.pop(KEY_FIELD)
    return {
        **schema,
        "properties": {each: properties[each] for each in offered},
        "$defs": {each: _with_definitions(inner) for each, inner in schemas.items()},
    }


def _with_definitions(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _with_definitions(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_with_definitions(item) for item in node]
    if isinstance(node, str) and node.startswith(_COMPONENTS):
        return _DEFINITIONS + node.removeprefix(_COMPONENTS)
    return node
