"""The call that has a message checked."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import EMAIL, MESSAGE_ID, Parameter, one_of
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.checks.check import overall
from mailsacd.mail.checks.on_request import MessageChecks

_operation = partial(Operation, tag="Messages", refusals=(400, 401, 403, 404, 429, 503))


def named_checks(known: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    """Make a conversion for names of checks, with commas between them, each counted once."""

    def convert(text: str) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ValueError(f"has {unknown[0][:50]!r}, which is none of {', '.join(known)}")
        return names

    return convert


FOLLOW: Final = Parameter(
    name="follow",
    where="query",
    description="Of the links `safe` opens those that do not look as if they left a list, signed "
    "in or confirmed something, and `all` opens these, too.",
    schema={"type": "string", "enum": ["safe", "all"], "default": "safe"},
    convert=one_of("safe", "all"),
    default="safe",
)


class CheckCalls:
    """The handler of this call, and its declaration."""

    def __init__(self, checks: MessageChecks) -> None:
        self._checks: Final = checks

    def operations(self) -> tuple[Operation, ...]:
        """Declare the one call of this group."""
        return (
            _operation(
                method="GET",
                path="/api/addresses/{email}/messages/{messageId}/checks",
                id="checkMessage",
                summary="What is wrong with a message, with a score and reasons",
                description="Checks that look at nothing but the message are made where none "
                "are named. `score` is the worst of theirs: 100 is best, and null says that there "
                "was nothing to be checked. `links` needs a key: the server opens them.",
                parameters=(EMAIL, MESSAGE_ID, self._names(), FOLLOW),
                answers=(schemas.json_answer("The results", schemas.named("MessageChecks")),),
                handler=self.check,
            ),
        )

    def _names(self) -> Parameter:
        known = self._checks.names
        one = "|".join(known)
        return Parameter(
            name="checks",
            where="query",
            description=f"The checks to be made, of {', '.join(known)}, with commas between them.",
            schema={"type": "string", "pattern": f"^({one})(,({one}))*$"},
            convert=named_checks(known),
            default=self._checks.of_message,
        )

    async def check(self, call: Call) -> Response:
        """Answer with the results of the checks: ``{_id, score, checks}``."""
        message_id = call["messageId"]
        results = await self._checks.check(
            call.actor,
            call["email"],
            message_id,
            call["checks"],
            follows_all=call["follow"] == "all",
        )
        return json_response({"_id": message_id, "score": overall(results), "checks": results})
