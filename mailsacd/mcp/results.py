"""What a tool has found, or why it has not, as MCP gives it to a language model."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec

from mailsacd.http.server.answer import Problem, Response
from mailsacd.mcp.tool import Tool
from mailsacd.mcp.untrusted import WARNING, Clipping, between_marks

_CLIPPED: Final = "Too long to be told whole: the ends of texts or lists are left out."


def tool_result(tool: Tool, answers: Sequence[Response]) -> dict[str, Any]:
    """The result of a tool whose operations gave these answers. Runs in any thread.

    It is told twice: in ``structuredContent``, and as text for hosts that take nothing else. What
    is out of mail stands between marks there, and has a warning beside it in either.
    """
    failed = answers[-1].status >= HTTPStatus.BAD_REQUEST
    found = {**tool.shape(answers if not failed else answers[-1:])}
    if not tool.reads_mail:
        return _result(found, [_encoded(found)], failed=failed)
    clipping = Clipping()
    content = clipping.copy(found)
    if clipping.clipped:
        content["truncated"] = _CLIPPED
    structured = {"untrusted": WARNING, **content}
    return _result(structured, between_marks(_encoded(content)), failed=failed)


def failed_result(problem: Problem) -> dict[str, Any]:
    """The result of a tool that was refused: in words that say what to do otherwise."""
    found = {"status": int(problem.status), **msgspec.json.decode(problem.body)}
    told = problem.message
    wait_s = dict(problem.headers).get(b"Retry-After")
    if wait_s is not None:
        found["retryAfter"] = int(wait_s)
        told = f"{told}. Try again in {found['retryAfter']} seconds."
    return _result(found, [told], failed=True)


def _result(found: Mapping[str, Any], texts: Sequence[str], *, failed: bool) -> dict[str, Any]:
    return {
        "content": [{"type": "text", "text": text} for text in texts],
        "structuredContent": found,
        "isError": failed,
    }


def _encoded(found: Mapping[str, Any]) -> str:
    return msgspec.json.encode(found).decode()
