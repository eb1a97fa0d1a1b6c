"""The call that is answered when mail comes that is like somebody says."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from mailsacd.core.condition import (
    BODY_MATCHES,
    FROM,
    HAS_ATTACHMENT,
    MAX_COUNT,
    SINCE,
    SUBJECT_INCLUDES,
    TO,
    Condition,
)
from mailsacd.core.errors import UnavailableError
from mailsacd.core.pattern import MAX_PATTERN_CHARS, parse_pattern
from mailsacd.http.api import parameters, schemas
from mailsacd.http.api.codec import error_response
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import EMAIL, Parameter, text_up_to, whole_number, yes_or_no
from mailsacd.http.server.answer import Later, Response, json_response
from mailsacd.mail.push.listener import Asker
from mailsacd.mail.waiting.hints import Hints
from mailsacd.mail.waiting.looks import Place
from mailsacd.mail.waiting.wait import Wait
from mailsacd.mail.waiting.waits import (
    LOOK_BACK_S,
    MAX_TIMEOUT_S,
    Fitting,
    TimeOver,
    Waits,
    Wanted,
)
from mailsacd.work.tasks import Tasks

CALL: Final = "waitForMessages"
DEFAULT_TIMEOUT_S: Final = 30
MAX_TEXT_CHARS: Final = 998  # as a line of a header may have (RFC 5322 section 2.1.1)
_YES_OR_NO: Final = {"type": "string", "enum": ["1", "0", "true", "false"]}


def _text(name: str, description: str) -> Parameter:
    return Parameter(
        name=name,
        where="query",
        description=f"Only messages with this {description}, in capital or small letters.",
        schema={"type": "string", "maxLength": MAX_TEXT_CHARS},
        convert=text_up_to(MAX_TEXT_CHARS),
    )


TIMEOUT: Final = Parameter(
    name="timeout",
    where="query",
    description="So many seconds later the answer comes in any case; 0: at once.",
    schema={
        "type": "integer",
        "minimum": 0,
        "maximum": MAX_TIMEOUT_S,
        "default": DEFAULT_TIMEOUT_S,
    },
    convert=whole_number(MAX_TIMEOUT_S),
    default=DEFAULT_TIMEOUT_S,
)
CONDITIONS: Final = (
    _text(SUBJECT_INCLUDES, "as a part of the subject"),
    _text(FROM, "as a part of an address or a name in From"),
    _text(TO, "as a part of one in To or Cc, of the inbox, or of the address as it was mailed"),
    Parameter(
        name=BODY_MATCHES,
        where="query",
        description="Only messages with this regular expression somewhere in text or HTML: of "
        "RE2, without look-around and back-references. `(?i)` at its start: in any case.",
        schema={"type": "string", "maxLength": MAX_PATTERN_CHARS},
        convert=parse_pattern,
    ),
    Parameter(
        name=HAS_ATTACHMENT,
        where="query",
        description="Only messages with attachments, or only those without.",
        schema=_YES_OR_NO,
        convert=yes_or_no,
    ),
    Parameter(
        name=SINCE,
        where="query",
        description=f"{parameters.SINCE.description} Without it: {LOOK_BACK_S:g} seconds before "
        "the call.",
        schema=parameters.SINCE.schema,
        convert=parameters.SINCE.convert,
    ),
    Parameter(
        name="count",
        where="query",
        description="As many have to be there.",
        schema={"type": "integer", "minimum": 1, "maximum": MAX_COUNT, "default": 1},
        convert=whole_number(MAX_COUNT, least=1),
        default=1,
    ),
)


WAIT_ANSWERS: Final = (
    schemas.json_answer("All that fit, newest first", schemas.list_of(schemas.named("Message"))),
    schemas.json_answer(
        "The time is over", schemas.named("WaitIsOver"), status=HTTPStatus.REQUEST_TIMEOUT
    ),
)


def condition_of(values: Any) -> Condition:
    """The condition that the ``values`` of CONDITIONS say, by their names."""
    return Condition(
        subject_includes=values[SUBJECT_INCLUDES],
        sender=values[FROM],
        recipient=values[TO],
        body_matches=values[BODY_MATCHES],
        has_attachment=values[HAS_ATTACHMENT],
        since_ms=values[SINCE],
        count=values["count"],
    )


class WaitCalls:
    """The handler of the call, and its declaration. Answers are put together as ``tasks``."""

    def __init__(self, waits: Waits, hints: Hints, tasks: Tasks) -> None:
        self._waits = waits
        self._hints = hints
        self._tasks = tasks

    def operations(self) -> tuple[Operation, ...]:
        """Declare the one call that waits."""
        return (
            Operation(
                method="GET",
                path="/api/addresses/{email}/wait",
                id=CALL,
                tag="Messages",
                summary="The messages of an inbox that fit, as soon as there are enough",
                description="What has come since `since` counts. When the time is over, 408 tells "
                "what the newest messages of the inbox failed by, and what may be why none came.",
                parameters=(EMAIL, TIMEOUT, *CONDITIONS),
                answers=WAIT_ANSWERS,
                refusals=(400, 401, 403, 429, 503),
                waits=True,
                within_scope=True,
                handler=self.wait,
            ),
        )

    async def wait(self, call: Call) -> Later:
        """Answer with the messages that fit, as a list does, or 408, when it comes to that."""
        return await self.wait_in(call, Place("inbox", call["email"]))

    async def wait_in(self, call: Call, place: Place) -> Later:
        """Answer a call with TIMEOUT and CONDITIONS in the same way, about the mail of ``place``.

        Raises what listing it does, and ThrottledError and OverloadedError when too many wait.
        """
        waiting = _Waiting(self._waits, self._hints, self._tasks, call[TIMEOUT.name])
        asker = Asker(peer=call.peer, key=call.key, session=call.session)
        wanted = Wanted(condition_of(call.values), call[TIMEOUT.name])
        waiting.wait = await self._waits.open(asker, call.actor, place, wanted, waiting.over)
        return Later(waiting)


class _Waiting:
    """One call that waits, while nothing of it is under way (http.server.answer)."""

    __slots__ = ("_answer", "_hints", "_is_over", "_tasks", "_timeout_s", "_waits", "wait")

    wait: Wait

    def __init__(self, waits: Waits, hints: Hints, tasks: Tasks, timeout_s: int) -> None:
        self._waits = waits
        self._hints = hints
        self._tasks = tasks
        self._timeout_s = timeout_s
        self._is_over = False
        self._answer: Callable[[Response], None] | None = None

    def over(self) -> None:
        """The wait has ended, perhaps before somebody waits for the answer."""
        self._is_over = True
        if self._answer is not None:
            self._tell(self._answer)

    # As the source of an answer that comes later

    def begin(self, answer: Callable[[Response], None]) -> None:
        """Call ``answer`` when the wait has ended."""
        self._answer = answer
        if self._is_over:
            self._tell(answer)

    def cancel(self) -> None:
        """Wait no longer: the client has gone."""
        self._answer = None
        self._waits.close(self.wait)

    def _tell(self, answer: Callable[[Response], None]) -> None:
        self._waits.close(self.wait)
        try:
            self._tasks.run(self._telling())
        except UnavailableError as e:
            answer(error_response(e, CALL))

    async def _telling(self) -> None:
        try:
            response = await self._response()
        except Exception as e:  # noqa: BLE001  the end of the line: every error is answered
            response = error_response(e, CALL)
        if self._answer is not None:  # the client has not gone meanwhile
            self._answer(response)

    async def _response(self) -> Response:
        found = await self._waits.outcome(self.wait)
        if isinstance(found, Fitting):
            return Response(f"[{','.join(found.messages)}]".encode())
        hints = await self._hints.of(found.actor, self.wait.place, found, self.wait.asker.peer)
        return json_response(_over(found, self._timeout_s, hints), HTTPStatus.REQUEST_TIMEOUT)


def _over(over: TimeOver, timeout_s: int, hints: tuple[str, ...]) -> dict[str, Any]:
    count = over.condition.count
    wanted = (
        "No message that fits" if count == 1 else f"{over.fitting} of {count} messages that fit"
    )
    return {
        "message": f"{wanted} came within {timeout_s} s",
        "error": HTTPStatus.REQUEST_TIMEOUT.phrase,
        "fitting": over.fitting,
        "nearMisses": [
            {
                "_id": near.message.id,
                "subject": near.message.subject,
                "received": near.message.received,
                "failed": near.failed,
            }
            for near in over.near_misses
        ],
        "hints": hints,
    }
