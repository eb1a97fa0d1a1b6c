"""The calls about runs. What may be done is decided in mail.runs and mail.reading."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from mailsacd.core.errors import Fault, InvalidInputError
from mailsacd.core.run import Run, outside_of_run
from mailsacd.core.text_form import whole
from mailsacd.core.time_text import milliseconds_of
from mailsacd.core.token import iso_time
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Answer, Call, Operation
from mailsacd.http.api.parameters import LIMIT, SINCE, SKIP, UNTIL, Parameter
from mailsacd.http.calls.search import BEFORE, FOUND, QUERY, asked_by, found_response
from mailsacd.http.calls.search import LIMIT as FOUND_LIMIT
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.reading.account_mail import AccountMail
from mailsacd.mail.reading.mailbox import Page
from mailsacd.mail.reading.search import Search
from mailsacd.mail.runs.runs import MAX_NAME_CHARACTERS, Runs

_REFUSALS: Final = (400, 401, 403, 503)
_REFUSALS_OF_ONE: Final = (*_REFUSALS, 404)
_operation = partial(Operation, tag="Runs", within_scope=True)

RUN_ID: Final = Parameter(
    name="runId",
    where="path",
    description="The run's `_id`.",
    schema={"type": "string", "examples": ["run-4f0k9c2m7q1x8d3s"]},
    convert=str,
)
_FIELDS: Final[dict[str, Any]] = {
    "_id": schemas.STRING,
    "name": schemas.STRING,
    "domain": {"type": "string", "description": "Whatever is before its `@` is of the run"},
    "addresses": {
        "type": "array",
        "items": schemas.STRING,
        "description": "The forms of its addresses: `*` stands for any local part",
    },
    "created": schemas.TIME,
    "expires": schemas.TIME,
}
_RUN: Final = schemas.object_of(_FIELDS)
_NEW_RUN: Final = schemas.object_of(
    {
        **_FIELDS,
        "key": {
            "type": "string",
            "description": "Good for the mail of the run alone: kept by nobody here, so told once",
        },
    }
)


class NewRunBody(msgspec.Struct, frozen=True, kw_only=True):
    """What to call a run, which domain its own is to be below, and when it ends.

    That is at the time ``expires``, or in ``minutes``.
    """

    name: Annotated[str, whole(r"[^\x00-\x1f\x7f]*", max_length=MAX_NAME_CHARACTERS)] = ""
    domain: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    expires: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    minutes: Annotated[int, Meta(ge=1, le=10_080)] | None = None


class RunCalls:
    """The handlers of the calls about runs, and their declarations."""

    def __init__(self, runs: Runs, mail: AccountMail, search: Search) -> None:
        self._runs = runs
        self._mail = mail
        self._search = search

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls about runs."""
        return (self._beginning(), *self._reading(), self._ending())

    def _beginning(self) -> Operation:
        return _operation(
            method="POST",
            path="/api/runs",
            id="beginRun",
            summary="Begin a run: addresses and a key of its own, for some time",
            description="All mail for its addresses is kept for the account alone, and deleted "
            "when the run ends. 429 when the account has too many runs, 503 when there are in all.",
            body=NewRunBody,
            needs_account=True,
            within_scope=False,
            answers=(schemas.json_answer("The run, with its key", _NEW_RUN),),
            refusals=(*_REFUSALS, 429),
            handler=self.begin,
        )

    def _reading(self) -> tuple[Operation, ...]:
        return (
            _operation(
                method="GET",
                path="/api/runs",
                id="listRuns",
                summary="The account's runs that have not ended, newest first",
                description="With the key of a run that one alone.",
                answers=(schemas.json_answer("The runs", schemas.list_of(_RUN)),),
                refusals=_REFUSALS,
                handler=self.list,
            ),
            _operation(
                method="GET",
                path="/api/runs/{runId}",
                id="getRun",
                summary="A run, without its key",
                parameters=(RUN_ID,),
                answers=(schemas.json_answer("The run", _RUN),),
                refusals=_REFUSALS_OF_ONE,
                handler=self.get,
            ),
            _operation(
                method="GET",
                path="/api/runs/{runId}/messages",
                id="listRunMessages",
                summary="The messages of all addresses of a run, newest first",
                parameters=(RUN_ID, UNTIL, SINCE, LIMIT, SKIP),
                answers=(
                    schemas.json_answer("The list", schemas.list_of(schemas.named("Message"))),
                ),
                refusals=_REFUSALS_OF_ONE,
                handler=self.messages,
            ),
            _operation(
                method="GET",
                path="/api/runs/{runId}/search",
                id="searchRun",
                summary="The newest messages of a run that fit a query",
                parameters=(RUN_ID, QUERY, BEFORE, FOUND_LIMIT),
                echoes=True,
                answers=FOUND,
                refusals=_REFUSALS_OF_ONE,
                handler=self.search,
            ),
        )

    def _ending(self) -> Operation:
        return _operation(
            method="DELETE",
            path="/api/runs/{runId}",
            id="endRun",
            summary="End a run now: its mail is deleted, and its key is good for nothing",
            description="Its own key may do that, too.",
            parameters=(RUN_ID,),
            answers=(Answer(status=204, description="It has ended", schemas={}),),
            refusals=_REFUSALS_OF_ONE,
            handler=self.end,
        )

    async def begin(self, call: Call) -> Response:
        """Answer with a new run and its key, which is told once."""
        body: NewRunBody = call.body
        run, key = await self._runs.begin(
            call.actor, name=body.name, domain=body.domain, ends=_ends(body)
        )
        return json_response({**_run_json(run), "key": key})

    async def list(self, call: Call) -> Response:
        """Answer with the account's runs, newest first."""
        return json_response([_run_json(run) for run in await self._runs.list(call.actor)])

    async def get(self, call: Call) -> Response:
        """Answer with one run that has not ended."""
        return json_response(_run_json(await self._runs.get(call.actor, call["runId"])))

    async def messages(self, call: Call) -> Response:
        """A text that the database made: nothing is parsed here."""
        run = await self._runs.get(call.actor, call["runId"])
        page = Page(
            limit=call["limit"], skip=call["skip"], since_ms=call["since"], until_ms=call["until"]
        )
        return Response((await self._mail.of_domain(call.actor, run.domain, page)).encode())

    async def search(self, call: Call) -> Response:
        """Answer with what was found in the mail of all addresses of a run."""
        run = await self._runs.get(call.actor, call["runId"])
        found = await self._search.in_domain(call.actor, run.domain, asked_by(call))
        return found_response(call, found)

    async def end(self, call: Call) -> Response:
        """End a run, and answer when its mail is gone."""
        await self._runs.end(call.actor, call["runId"])
        return Response(b"", status=204)


def _ends(body: NewRunBody) -> datetime | None:
    """When the run is to end, in UTC; None where it is not said. Raises InvalidInputError."""
    if body.expires is not None and body.minutes is not None:
        raise _bad("minutes", "is not possible beside expires")
    if body.minutes is not None:
        return datetime.now(UTC) + timedelta(minutes=body.minutes)
    if body.expires is None:
        return None
    try:
        return datetime.fromtimestamp(milliseconds_of(body.expires) / 1000, UTC)
    except ValueError as e:
        raise _bad("expires", str(e)) from e
    except (OverflowError, OSError) as e:
        raise _bad("expires", "is not a date and time that exists") from e


def _bad(field: str, problem: str) -> InvalidInputError:
    return InvalidInputError(
        f"Bad request: {field} {problem}", (Fault(field=field, problem=problem),)
    )


def _run_json(run: Run) -> dict[str, Any]:
    return {
        "_id": run.id,
        "name": run.name,
        "domain": run.domain,
        "addresses": [f"*@{run.domain}", f"{run.id}-*@{outside_of_run(run.domain)}"],
        "created": iso_time(run.created),
        "expires": iso_time(run.ends),
    }
